"""Gradient descent: in one thread and several, with L2 and without."""

import os
import threading
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from steps import walk

from digitnet.arrays import Share
from digitnet.network.activations import ACTIVATIONS, Activation
from digitnet.network.network import Network
from digitnet.network.regularisers import Regularisers
from digitnet.training.descent import Descent, Stretch
from digitnet.training.optimizers import SGD, Adam, AdamW, l2_coefficients

OPTIONS = {"learning_rate": 0.1, "momentum": 0.9}


def make_descent(network: Network, threads: int = 1, l2: float = 0) -> Descent:
    sgd = SGD(network.parameters, **OPTIONS, l2=l2_coefficients(network, l2))
    return Descent(network, sgd, threads=threads)


def make_network(sizes: tuple[int, ...] = (30, 20, 5)) -> Network:
    network = Network(sizes, output="softmax", cost="cross_entropy", dtype=np.float64)
    network.parameters[:] = np.random.default_rng(1).normal(0, 0.5, network.parameters.size)
    return network


def make_minibatches(
    sizes: tuple[int, ...], counts: list[int]
) -> list[tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(2)
    return [
        (
            np.vstack([rng.random((sizes[0], n)), np.ones(n)]),
            np.eye(sizes[-1])[:, rng.integers(sizes[-1], size=n)],
        )
        for n in counts
    ]


def test_regularisers_get_the_number_of_each_step() -> None:
    network, numbers = make_network(), []
    regularisers = Regularisers(network.layer_sizes[1:-1], dropout=0.5)
    optimizer = SGD(network.parameters, **OPTIONS)
    descent = Descent(network, optimizer, regularisers=regularisers, threads=2)
    for workspace in descent._workspaces(8):
        for regulariser in workspace.regularisers:
            regulariser.begin = (  # type: ignore[method-assign]
                lambda number, *_: numbers.append(number)
            )
    walk(descent, make_minibatches(network.layer_sizes, [8, 8, 8]), number=5)
    assert sorted(numbers) == [5, 5, 6, 6, 7, 7]


def test_each_thread_draws_its_own_dropout_masks() -> None:
    network = make_network()
    regularisers = Regularisers(network.layer_sizes[1:-1], dropout=0.5)
    optimizer = SGD(network.parameters, **OPTIONS)
    descent = Descent(network, optimizer, regularisers=regularisers, threads=2)
    members = [r.member for w in descent._workspaces(8) for r in w.regularisers]
    assert members == [0, 1]


@pytest.mark.parametrize("l2", [0, 0.3])
@pytest.mark.parametrize("threads", [1, 2, 3, 8])
def test_any_number_of_threads_agrees_with_plain_descent(threads: int, l2: float) -> None:
    shared, plain = make_network(), make_network()
    optimizer = SGD(plain.parameters, **OPTIONS)
    descent = make_descent(shared, threads, l2)
    for x, y in make_minibatches(plain.layer_sizes, [10, 10, 3, 10, 1]):
        gradient = np.empty_like(plain.parameters)
        cost = plain.backprop(x, y, plain.workspace(x.shape[1], gradient))
        decay = np.zeros_like(plain.parameters)
        for W, decay_Wb in zip(plain.weights, plain.matrices_of(decay)):
            decay_Wb[:, :-1] = l2 * W  # biases are not decayed
        coefficients = optimizer.coefficients()
        optimizer.step(coefficients.gradient * (gradient + decay), coefficients)
        assert walk(descent, [(x, y)]) == [pytest.approx(cost, rel=1e-9)]
    np.testing.assert_allclose(shared.parameters, plain.parameters, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("optimizer", [Adam, AdamW])
@pytest.mark.parametrize("threads", [1, 3])
def test_adam_agrees_with_a_plain_loop(optimizer: type[Adam], threads: int) -> None:
    shared, plain = make_network(), make_network()
    batches, l2, rates = make_minibatches(plain.layer_sizes, [10, 7] * 9), 0.3, [1.0, 0.5] * 9
    adam = optimizer(shared.parameters, learning_rate=0.01, l2=l2_coefficients(shared, l2))
    descent = Descent(shared, adam, threads=threads)
    walk(descent, batches[:5], rates=rates[:5], number=1)
    walk(descent, batches[5:], rates=rates[5:], number=6)
    θ, m, v = plain.parameters, 0.0, 0.0
    for t, ((x, y), rate) in enumerate(zip(batches, rates), 1):
        g = np.empty_like(θ)
        plain.backprop(x, y, plain.workspace(x.shape[1], g))
        decay = np.zeros_like(θ)
        for W, decay_Wb in zip(plain.weights, plain.matrices_of(decay)):
            decay_Wb[:, :-1] = l2 * W
        if optimizer is Adam:
            g = g + decay
        else:
            θ -= rate * 0.01 * decay
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        θ -= rate * 0.01 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    np.testing.assert_allclose(shared.parameters, θ, rtol=1e-7, atol=1e-10)


class Delayed:
    """Delays a call in all threads but the first: a missing barrier then changes the result."""

    def __init__(self, call: Callable[..., Any]) -> None:
        self.call, self.first = call, threading.current_thread()

    def __call__(self, *arguments: Any) -> Any:
        if threading.current_thread() is not self.first:
            time.sleep(0.003)
        return self.call(*arguments)


@pytest.mark.parametrize("activation", ["sigmoid", "relu"])
@pytest.mark.parametrize("sizes", [(7, 3), (7, 2, 9, 4), (7, 9, 2, 4), (9, 12, 8, 6, 5)])
def test_no_barrier_is_missing_between_threads(
    sizes: tuple[int, ...], activation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches = make_minibatches(sizes, [6, 6, 4])
    names = {"activation": activation, "output": "softmax", "cost": "cross_entropy"}
    results = []
    for threads in (1, 3):
        with monkeypatch.context() as patch:
            function, derivative, spread = ACTIVATIONS[activation]
            patch.setitem(
                ACTIVATIONS, activation, Activation(Delayed(function), Delayed(derivative), spread)
            )
            network = Network(sizes, dtype=np.float64, **names)
            network.parameters[:] = np.random.default_rng(1).normal(0, 0.5, network.parameters.size)
        gathered = [(np.zeros_like(x), y) for x, y in batches]

        @Delayed
        def gather(share: Share, gathered: Any = gathered) -> None:
            for (target, _), (x, _) in zip(gathered, batches):
                target[share.rows(len(x))] = x[share.rows(len(x))]

        descent = make_descent(network, threads)
        costs = walk(descent, gathered, gather)
        results.append((network.parameters, costs))
    np.testing.assert_allclose(results[1][0], results[0][0], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(results[1][1], results[0][1], rtol=1e-9)


@pytest.mark.parametrize("threads", [1, 2])
def test_a_rate_multiplies_the_learning_rate_and_the_weight_decay(threads: int) -> None:
    whole, shared = make_network(), make_network()
    batch = make_minibatches(whole.layer_sizes, [10])
    options = OPTIONS | {"learning_rate": OPTIONS["learning_rate"] / 2}
    half = SGD(whole.parameters, **options, l2=l2_coefficients(whole, 0.3))
    descent = Descent(whole, half)
    walk(descent, batch)
    descent = make_descent(shared, threads, 0.3)
    walk(descent, batch, rates=[0.5])
    np.testing.assert_allclose(shared.parameters, whole.parameters, rtol=1e-12)


@pytest.mark.parametrize("part", [1, 1000, 8_909, 8_910])
def test_every_part_of_the_vector_is_updated(part: int, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = (78, 100, 10)  # 8,910 parameters
    shared, plain = make_network(sizes), make_network(sizes)
    monkeypatch.setattr("digitnet.training.descent.PART", part)
    batches = make_minibatches(sizes, [4, 3])
    two = make_descent(shared, threads=2)
    one = make_descent(plain)
    for x, y in batches:
        walk(two, [(x, y)])
        walk(one, [(x, y)])
    np.testing.assert_allclose(shared.parameters, plain.parameters, rtol=1e-9, atol=1e-12)
    assert (shared.parameters != make_network(sizes).parameters).all()


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_the_same_number_of_threads_gives_the_same_bits(threads: int) -> None:
    results = []
    for _ in range(3):
        network = Network((784, 300, 10), activation="relu")
        network.initialise(rng=np.random.default_rng(3))
        descent = make_descent(network, threads)
        for x, y in make_minibatches(network.layer_sizes, [64] * 8):
            walk(descent, [(x.astype(np.float32), y.astype(np.float32))])
        results.append(network.parameters.tobytes())
    assert len(set(results)) == 1


@pytest.mark.parametrize("l2", [0, 0.3])
@pytest.mark.parametrize(
    ("output", "cost"), [("sigmoid", "quadratic"), ("softmax", "cross_entropy")]
)
def test_a_step_allocates_no_arrays(output: str, cost: str, l2: float) -> None:
    network = Network((784, 200, 100, 10), output=output, cost=cost)
    network.initialise(rng=np.random.default_rng(3))
    (x, y), *_ = make_minibatches(network.layer_sizes, [2000])
    x, y = x.astype(np.float32), y.astype(np.float32)
    descent = make_descent(network, l2=l2)
    walk(descent, [(x, y)])
    tracemalloc.start()
    for _ in range(3):
        walk(descent, [(x, y)])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 60_000  # bytes: NumPy's buffers take 33,000, an array (classes, n) 80,000


@pytest.mark.filterwarnings("error")
def test_overflow_raises_no_warning() -> None:
    network = make_network()
    network.parameters[:] *= 1e300
    descent = make_descent(network, threads=2)
    for x, y in make_minibatches(network.layer_sizes, [6, 6]):
        walk(descent, [(x, y)])


def test_without_a_second_process_one_process_gathers_and_makes_steps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse() -> int:
        raise BlockingIOError("Resource temporarily unavailable")

    results = []
    for ahead in (False, True):
        network, gathered = make_network(), []
        sgd = SGD(network.parameters, **OPTIONS)
        descent = Descent(network, sgd, ahead=ahead)
        with monkeypatch.context() as patch:
            patch.setattr("digitnet.network.crew.may_fork", lambda: True)
            patch.setattr(os, "fork", refuse)
            stretches = [
                Stretch([minibatch], gathered.append, number=number)
                for number, minibatch in enumerate(make_minibatches((30, 20, 5), [8, 8, 3]), 1)
            ]
            costs = [list(costs) for costs in descent.walk(stretches, {8, 3})]
        assert len(gathered) == 3
        results.append((network.parameters.tolist(), costs))
    assert results[0] == results[1]
