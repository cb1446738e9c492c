"""Steps downhill: shared among threads or not, with l2 or not."""

import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import numpy as np
import pytest

from digitnet.arrays import Share
from digitnet.network.activations import ACTIVATIONS, Activation
from digitnet.network.network import Network
from digitnet.network.regularisers import Regularisers
from digitnet.training.descent import Descent
from digitnet.training.optimizers import SGD, Adam, AdamW, l2_coefficients

OPTIONS = {"learning_rate": 0.1, "momentum": 0.9}


@contextmanager
def descent(network: Network, threads: int = 1, l2: float = 0) -> Iterator[Descent]:
    sgd = SGD(network.parameters, **OPTIONS, l2=l2_coefficients(network, l2))
    walk = Descent(network, sgd, threads=threads)
    yield walk
    walk.close()


def a_network(sizes: tuple[int, ...] = (30, 20, 5)) -> Network:
    network = Network(sizes, output="softmax", cost="cross_entropy", dtype=np.float64)
    network.parameters[:] = np.random.default_rng(1).normal(0, 0.5, network.parameters.size)
    return network


def minibatches(sizes: tuple[int, ...], counts: list[int]) -> list[tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(2)
    return [
        (
            np.vstack([rng.random((sizes[0], n)), np.ones(n)]),
            np.eye(sizes[-1])[:, rng.integers(sizes[-1], size=n)],
        )
        for n in counts
    ]


def test_regularisers_are_told_the_number_of_each_step() -> None:
    network, numbers = a_network(), []
    regularisers = Regularisers(network.layer_sizes[1:-1], dropout=0.5)
    optimizer = SGD(network.parameters, **OPTIONS)
    with closing(Descent(network, optimizer, regularisers=regularisers, threads=2)) as walk:
        for workspace in walk._workspaces(8):
            for regulariser in workspace.regularisers:
                regulariser.begin = numbers.append  # type: ignore[method-assign]
        walk.walk(minibatches(network.layer_sizes, [8, 8, 8]), number=5)
    assert sorted(numbers) == [5, 5, 6, 6, 7, 7]


def test_each_thread_draws_its_own_dropout() -> None:
    network = a_network()
    regularisers = Regularisers(network.layer_sizes[1:-1], dropout=0.5)
    optimizer = SGD(network.parameters, **OPTIONS)
    with closing(Descent(network, optimizer, regularisers=regularisers, threads=2)) as walk:
        members = [r.member for w in walk._workspaces(8) for r in w.regularisers]
    assert members == [0, 1]


@pytest.mark.parametrize("l2", [0, 0.3])
@pytest.mark.parametrize("threads", [1, 2, 3, 8])
def test_any_number_of_threads_walks_the_way_of_plain_descent(threads: int, l2: float) -> None:
    shared, plain = a_network(), a_network()
    optimizer = SGD(plain.parameters, **OPTIONS)
    with descent(shared, threads, l2) as walk:
        for x, y in minibatches(plain.layer_sizes, [10, 10, 3, 10, 1]):
            gradient = np.empty_like(plain.parameters)
            cost = plain.backprop(x, y, plain.workspace(x.shape[1], gradient))
            decay = np.zeros_like(plain.parameters)
            for W, slope in zip(plain.weights, plain.matrices_of(decay)):
                slope[:, :-1] = l2 * W  # biases are left alone
            coefficients = optimizer.coefficients()
            optimizer.step(coefficients.gradient * (gradient + decay), coefficients)
            assert walk.walk([(x, y)]) == [pytest.approx(cost, rel=1e-9)]
    np.testing.assert_allclose(shared.parameters, plain.parameters, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("optimizer", [Adam, AdamW])
@pytest.mark.parametrize("threads", [1, 3])
def test_adam_walks_the_way_of_a_plain_loop(optimizer: type[Adam], threads: int) -> None:
    shared, plain = a_network(), a_network()
    batches, l2, rates = minibatches(plain.layer_sizes, [10, 7] * 9), 0.3, [1.0, 0.5] * 9
    adam = optimizer(shared.parameters, learning_rate=0.01, l2=l2_coefficients(shared, l2))
    walk = Descent(shared, adam, threads=threads)
    walk.walk(batches[:5], rates=rates[:5], number=1)
    walk.walk(batches[5:], rates=rates[5:], number=6)
    walk.close()
    θ, m, v = plain.parameters, 0.0, 0.0
    for t, ((x, y), rate) in enumerate(zip(batches, rates), 1):
        g = np.empty_like(θ)
        plain.backprop(x, y, plain.workspace(x.shape[1], g))
        decay = np.zeros_like(θ)
        for W, slope in zip(plain.weights, plain.matrices_of(decay)):
            slope[:, :-1] = l2 * W
        if optimizer is Adam:
            g = g + decay
        else:
            θ -= rate * 0.01 * decay
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        θ -= rate * 0.01 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    np.testing.assert_allclose(shared.parameters, θ, rtol=1e-7, atol=1e-10)


class Late:
    """Makes whoever is not the first thread late, so that nobody gets away with not waiting."""

    def __init__(self, call: Callable[..., Any]) -> None:
        self.call, self.first = call, threading.current_thread()

    def __call__(self, *arguments: Any) -> Any:
        if threading.current_thread() is not self.first:
            time.sleep(0.003)
        return self.call(*arguments)


@pytest.mark.parametrize("activation", ["sigmoid", "relu"])
@pytest.mark.parametrize("sizes", [(7, 3), (7, 2, 9, 4), (7, 9, 2, 4), (9, 12, 8, 6, 5)])
def test_threads_wait_for_each_other_wherever_they_must(
    sizes: tuple[int, ...], activation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches = minibatches(sizes, [6, 6, 4])
    names = {"activation": activation, "output": "softmax", "cost": "cross_entropy"}
    ends = []
    for threads in (1, 3):
        with monkeypatch.context() as patch:
            function, derivative, spread = ACTIVATIONS[activation]
            patch.setitem(
                ACTIVATIONS, activation, Activation(Late(function), Late(derivative), spread)
            )
            network = Network(sizes, dtype=np.float64, **names)
            network.parameters[:] = np.random.default_rng(1).normal(0, 0.5, network.parameters.size)
        gathered = [(np.zeros_like(x), y) for x, y in batches]

        @Late
        def gather(share: Share, gathered: Any = gathered) -> None:
            for (to, _), (x, _) in zip(gathered, batches):
                to[share.rows(len(x))] = x[share.rows(len(x))]

        with descent(network, threads) as walk:
            costs = walk.walk(gathered, gather)
        ends.append((network.parameters, costs))
    np.testing.assert_allclose(ends[1][0], ends[0][0], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(ends[1][1], ends[0][1], rtol=1e-9)


@pytest.mark.parametrize("threads", [1, 2])
def test_a_rate_is_a_share_of_the_learning_rate_and_of_l2_with_it(threads: int) -> None:
    whole, shared = a_network(), a_network()
    batch = minibatches(whole.layer_sizes, [10])
    options = OPTIONS | {"learning_rate": OPTIONS["learning_rate"] / 2}
    half = SGD(whole.parameters, **options, l2=l2_coefficients(whole, 0.3))
    walk = Descent(whole, half)
    walk.walk(batch)
    with descent(shared, threads, 0.3) as walk:
        walk.walk(batch, rates=[0.5])
    np.testing.assert_allclose(shared.parameters, whole.parameters, rtol=1e-12)


@pytest.mark.parametrize("part", [1, 1000, 79_509, 79_510])
def test_vectors_of_several_parts_are_updated_all_over(
    part: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = (784, 100, 10)  # 79,510 parameters
    shared, plain = a_network(sizes), a_network(sizes)
    monkeypatch.setattr("digitnet.training.descent.PART", part)
    batches = minibatches(sizes, [4, 3])
    with descent(shared, threads=2) as two, descent(plain) as one:
        for x, y in batches:
            two.walk([(x, y)])
            one.walk([(x, y)])
    np.testing.assert_allclose(shared.parameters, plain.parameters, rtol=1e-9, atol=1e-12)
    assert (shared.parameters != a_network(sizes).parameters).all()


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_the_same_number_of_threads_gives_the_same_bits(threads: int) -> None:
    ends = []
    for _ in range(3):
        network = Network((784, 300, 10), activation="relu")
        network.initialise(rng=np.random.default_rng(3))
        with descent(network, threads) as walk:
            for x, y in minibatches(network.layer_sizes, [64] * 8):
                walk.walk([(x.astype(np.float32), y.astype(np.float32))])
        ends.append(network.parameters.tobytes())
    assert len(set(ends)) == 1


@pytest.mark.parametrize("l2", [0, 0.3])
@pytest.mark.parametrize(
    ("output", "cost"), [("sigmoid", "quadratic"), ("softmax", "cross_entropy")]
)
def test_a_step_allocates_no_arrays(output: str, cost: str, l2: float) -> None:
    network = Network((784, 200, 100, 10), output=output, cost=cost)
    network.initialise(rng=np.random.default_rng(3))
    (x, y), *_ = minibatches(network.layer_sizes, [2000])
    x, y = x.astype(np.float32), y.astype(np.float32)
    with descent(network, l2=l2) as walk:
        walk.walk([(x, y)])
        tracemalloc.start()
        for _ in range(3):
            walk.walk([(x, y)])
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 60_000  # NumPy broadcasts in 33,000; the smallest array (classes, n) has 80,000


@pytest.mark.filterwarnings("error")
def test_numbers_that_grow_beyond_all_measure_warn_of_nothing() -> None:
    network = a_network()
    network.parameters[:] *= 1e300
    with descent(network, threads=2) as walk:
        for x, y in minibatches(network.layer_sizes, [6, 6]):
            walk.walk([(x, y)])
