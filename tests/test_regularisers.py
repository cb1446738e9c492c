"""Batch normalisation and dropout: gradients, random masks, folding."""

import numpy as np
import pytest
from steps import walk

from digitnet.network.network import Network
from digitnet.network.regularisers import BatchNorm, Regularisers
from digitnet.network.workspace import Workspace
from digitnet.training.descent import Descent
from digitnet.training.optimizers import SGD

SIZES = (6, 7, 5, 3)
N = 8


def make_network(activation: str = "tanh", sizes: tuple[int, ...] = SIZES) -> Network:
    network = Network(
        sizes, activation=activation, output="softmax", cost="cross_entropy", dtype=np.float64
    )
    network.parameters[:] = np.random.default_rng(1).normal(0, 0.5, network.parameters.size)
    return network


def make_examples(n: int = N, sizes: tuple[int, ...] = SIZES) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(2)
    x = np.vstack([rng.random((sizes[0], n)), np.ones(n)])
    return x, np.eye(sizes[-1])[:, rng.integers(sizes[-1], size=n)]


def begin(workspace: Workspace, number: int = 1) -> Workspace:
    for regulariser in workspace.regularisers:
        regulariser.begin(number)
    return workspace


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu"])
@pytest.mark.parametrize(
    "options", [{"batch_norm": True}, {"dropout": 0.4}, {"batch_norm": True, "dropout": 0.4}]
)
def test_the_gradient_agrees_with_central_differences(
    activation: str, options: dict[str, float]
) -> None:
    network, (x, y) = make_network(activation), make_examples()
    regularisers = Regularisers(SIZES[1:-1], seed=3, **options)
    gradient = np.empty_like(network.parameters)
    workspace = network.workspace(N, gradient, regularisers=regularisers)
    network.backprop(x, y, begin(workspace), 1)
    numeric = np.empty_like(gradient)
    other = network.workspace(N, regularisers=regularisers)
    for i in range(len(numeric)):
        costs = []
        for step in (1e-6, -2e-6):
            network.parameters[i] += step
            costs.append(network.backprop(x, y, begin(other), 1) / N)
        network.parameters[i] += 1e-6
        numeric[i] = (costs[0] - costs[1]) / 2e-6
    np.testing.assert_allclose(gradient, numeric, atol=2e-7)


def normalised(z: np.ndarray, b: float = 0.0) -> tuple[np.ndarray, BatchNorm]:
    neurons, n = z.shape
    norm = BatchNorm(np.full((neurons, 1), b), *np.zeros((2, 2, neurons)), n)
    norm.begin(1)
    out = z.copy()
    norm.forward(out)
    norm.end(1)
    return out, norm


def test_every_neuron_has_mean_b_and_variance_1() -> None:
    z = np.random.default_rng(1).normal(3, [[0.1], [1], [20]], (3, 50))
    out, norm = normalised(z, b=0.7)
    np.testing.assert_allclose(out.mean(axis=1), 0.7)
    np.testing.assert_allclose(out.var(axis=1), 1, rtol=2e-3)
    np.testing.assert_allclose(norm.running[0], z.mean(axis=1) - 0.7)
    np.testing.assert_allclose(norm.running[1], z.var(axis=1, ddof=1))


def test_running_statistics_are_means_at_first_and_moving_averages_later() -> None:
    zs = np.random.default_rng(1).normal(3, 1, (3, 1, 50))
    _, norm = normalised(zs[0])
    for number, z in enumerate(zs[1:], 2):
        norm.begin(number)
        norm.forward(z.copy())
        norm.end(number)
    np.testing.assert_allclose(norm.running[0], zs.mean())
    before = norm.running[0].copy()
    norm.begin(1000)
    norm.forward(np.full((1, 50), 1000.0))
    norm.end(1000)
    np.testing.assert_allclose(norm.running[0], 0.99 * before + 10)


def test_a_minibatch_of_one_does_not_change_the_running_statistics() -> None:
    network, regularisers = make_network(), Regularisers(SIZES[1:-1], batch_norm=True)
    optimizer = SGD(network.parameters, learning_rate=0.1)
    descent = Descent(network, optimizer, regularisers=regularisers)
    walk(descent, [make_examples(N), make_examples(1)])
    after = regularisers.running.copy()
    walk(descent, [make_examples(1)], number=3)
    assert (regularisers.running == after).all()
    walk(descent, [make_examples(2)], number=4)
    assert not (regularisers.running == after).all()


def test_a_folded_network_agrees_with_the_running_statistics() -> None:
    network, (x, _) = make_network("relu"), make_examples(200)
    regularisers = Regularisers(SIZES[1:-1], batch_norm=True)
    workspace = network.workspace(200, regularisers=regularisers)
    expected = network.feedforward(x, begin(workspace))
    for regulariser in workspace.regularisers:
        regulariser.end(1)
    plain = make_network("relu")
    regularisers.fold(plain.matrices)
    # The running statistics are this minibatch's, apart from the variance's factor of 200/199.
    np.testing.assert_allclose(plain.feedforward(x, plain.workspace(200)), expected, atol=3e-3)


def test_z_of_a_folded_network_is_the_mean_with_dropout() -> None:
    sizes = (6, 400, 3)
    network, (x, _) = make_network("relu", sizes), make_examples(1, sizes)
    regularisers = Regularisers(sizes[1:-1], dropout=0.25)
    workspace = network.workspace(2000, regularisers=regularisers)
    mean_z = np.zeros((3, 1))
    for number in range(1, 21):
        network.feedforward(np.repeat(x, 2000, axis=1), begin(workspace, number))
        mean_z += workspace.z[-1].mean(axis=1, keepdims=True) / 20
    plain = make_network("relu", sizes)
    regularisers.fold(plain.matrices)
    folded = plain.workspace(1)
    plain.feedforward(x, folded)
    np.testing.assert_allclose(folded.z[-1], mean_z, atol=0.04)  # the mean itself varies by 0.01
    assert np.abs(folded.z[-1]).max() > 0.6  # without folding, z would be a third larger


def test_fold_without_regularisers_changes_nothing() -> None:
    network = make_network()
    before = network.parameters.copy()
    nothing = Regularisers(SIZES[1:-1])
    nothing.fold(network.matrices)
    np.testing.assert_array_equal(network.parameters, before)
    assert not nothing
    assert not network.workspace(N, regularisers=nothing).regularisers


def draw_masks(seed: int, number: int) -> list[np.ndarray]:
    regularisers = Regularisers((300, 200), dropout=0.3, seed=seed)
    drops = [regularisers.drop(l, slice(0, size), 40, 0) for l, size in enumerate((300, 200))]
    masks = [np.ones((size, 40)) for size in (300, 200)]
    for drop, rows in zip(drops, masks):
        assert drop
        drop.begin(number)
        drop(rows)
    return masks


def test_dropout_draws_new_masks_in_every_step_and_layer() -> None:
    first, second = draw_masks(1, 1)
    assert {*np.unique(first)} == {0, 1}
    assert abs(first.mean() - 0.7) < 0.02
    assert (first[:200] != second).mean() > 0.3
    assert (first != draw_masks(1, 2)[0]).mean() > 0.3
    assert (first != draw_masks(2, 1)[0]).mean() > 0.3
    np.testing.assert_array_equal(first, draw_masks(1, 1)[0])


def test_each_member_of_a_crew_draws_its_own_mask() -> None:
    regularisers = Regularisers((300,), dropout=0.3)
    rows = []
    for member in (0, 1):
        rows.append(np.ones((300, 40)))
        drop = regularisers.drop(0, slice(0, 300), 40, member)
        assert drop
        drop.begin(1)
        drop(rows[-1])
    assert (rows[0] != rows[1]).mean() > 0.3


@pytest.mark.parametrize("threads", [2, 3])
def test_several_threads_normalise_like_one(threads: int) -> None:
    results = []
    for size in (1, threads):
        network, regularisers = make_network(), Regularisers(SIZES[1:-1], batch_norm=True)
        optimizer = SGD(network.parameters, learning_rate=0.1, momentum=0.9)
        descent = Descent(network, optimizer, regularisers=regularisers, threads=size)
        for number in range(1, 6):
            walk(descent, [make_examples()], number=number)
        results.append((network.parameters, *regularisers.state.values()))
    for one, several in zip(*results):
        np.testing.assert_allclose(several, one, rtol=1e-5, atol=1e-8)
