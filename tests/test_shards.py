"""Shards of a minibatch: the same bits for any number of ranks, the right gradient."""

import numpy as np
import pytest
from steps import walk

from digitnet.arrays import FloatArray, Share
from digitnet.fleet.fleet import ALONE, Fleet
from digitnet.network.network import Network
from digitnet.network.regularisers import NO_REGULARISERS, Regularisers
from digitnet.training.descent import Descent
from digitnet.training.optimizers import OPTIMIZERS, SGD
from tests.thread_fleet import run_ranks

SIZES = (784, 20, 15, 10)
Result = tuple[bytes, list[float], list[bytes]]


def make_network(dtype: type[np.floating] = np.float32) -> Network:
    network = Network(SIZES, activation="relu", output="softmax", cost="cross_entropy", dtype=dtype)
    network.initialise(rng=np.random.default_rng(1))
    return network


def make_examples(n: int, dtype: type[np.floating] = np.float32) -> tuple[FloatArray, FloatArray]:
    rng = np.random.default_rng(n)
    x = rng.random((n, SIZES[0] + 1)).astype(dtype)
    x[:, -1] = 1
    y = np.eye(10, dtype=dtype)[:, rng.integers(10, size=n)]
    return x.T, y


def descend(
    fleet: Fleet, shards: int, sizes: list[int], optimizer: str, threads: int, **options: float
) -> Result:
    """Return parameters, costs and running statistics of a rank that sees only its own examples."""
    network = make_network()
    regularisers = Regularisers(SIZES[1:-1], **options)
    rule = OPTIMIZERS[optimizer](network.parameters, learning_rate=0.01)
    minibatches = []
    for x, y in map(make_examples, sizes):
        rows = Share(fleet.rank, fleet.size).rows(x.shape[1])
        own = np.full_like(x.T, np.nan)
        own[rows] = x.T[rows]
        minibatches.append((own.T, y))
    descent = Descent(
        network, rule, regularisers=regularisers, threads=threads, shards=shards, fleet=fleet
    )
    costs = [walk(descent, [each], number=n)[0] for n, each in enumerate(minibatches, 1)]
    state = [array.tobytes() for array in (*regularisers.state.values(), *rule.state.values())]
    return network.parameters.tobytes(), costs, state


@pytest.mark.parametrize(
    "options", [{}, {"batch_norm": True, "dropout": 0.2}], ids=["plain", "regularised"]
)
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("shards", [4, 8])
def test_any_number_of_ranks_gives_the_same_bits(
    shards: int, threads: int, optimizer: str, options: dict[str, float]
) -> None:
    sizes = [32, 32, 30, 9, 32, 3, 1]  # in shards of 4, of 3 and 4, of 1 and 2, of 0 and 1

    def work(fleet: Fleet) -> Result:
        return descend(fleet, shards, sizes, optimizer, threads, **options)

    alone = work(ALONE)
    assert np.isfinite(alone[1]).all()
    for ranks in (2, 4, 8):
        if ranks <= shards:
            assert run_ranks(ranks, work) == [alone] * ranks


def test_another_number_of_shards_gives_other_bits_but_the_same_gradient() -> None:
    costs, parameters = [], []
    for shards in (1, 2, 8):
        network, (x, y) = make_network(np.float64), make_examples(30, np.float64)
        descent = Descent(network, SGD(network.parameters, learning_rate=0.5), shards=shards)
        costs += walk(descent, [(x, y)])
        parameters.append(network.parameters)
    np.testing.assert_allclose(costs, costs[0], rtol=1e-12)
    np.testing.assert_allclose(parameters[1], parameters[0], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(parameters[2], parameters[0], rtol=1e-9, atol=1e-12)
    assert len({each.tobytes() for each in parameters}) == 3


def test_running_statistics_are_the_mean_over_shards() -> None:
    network, (x, y) = make_network(), make_examples(10)
    regularisers = Regularisers(SIZES[1:-1], batch_norm=True)
    optimizer = SGD(network.parameters, learning_rate=1e-9)
    descent = Descent(network, optimizer, regularisers=regularisers, shards=4)
    sizes = [shard.size for shard in descent.shards.cut(10)] if descent.shards else []
    assert sizes == [2, 3, 2, 3]
    walk(descent, [(x, y)])
    z = network.matrices[0] @ x
    shards = np.split(z, np.cumsum(sizes)[:-1], axis=1)
    variances = [shard.var(axis=1, ddof=1) for shard in shards]
    means = [shard.mean(axis=1) for shard in shards]
    found = regularisers.running[:, : SIZES[1]]
    np.testing.assert_allclose(found[0], np.average(means, axis=0, weights=sizes), atol=1e-5)
    np.testing.assert_allclose(found[1], np.average(variances, axis=0, weights=sizes), rtol=1e-4)


def test_each_shard_draws_its_own_dropout_masks() -> None:
    network, regularisers = make_network(), Regularisers(SIZES[1:-1], dropout=0.5)
    x, y = make_examples(16)
    x[:, :] = x[:, :1]
    y[:] = y[:, :1]
    optimizer = SGD(network.parameters, learning_rate=0.1)
    masks = []
    descent = Descent(network, optimizer, regularisers=regularisers, shards=2)
    walk(descent, [(x, y)])
    for workspace in descent.workspaces[8]:
        for regulariser in workspace.regularisers:
            for shard in (0, 1):
                regulariser.begin(1, shard)
                masks.append(regulariser.mask.copy())  # type: ignore[union-attr]
    assert not np.array_equal(masks[0], masks[1])


def test_no_shards_cost_no_message() -> None:
    network = make_network()
    descent = Descent(network, SGD(network.parameters, learning_rate=1), fleet=ALONE)
    assert descent.shards is None
    assert descent.gradient.shape == network.parameters.shape
    assert NO_REGULARISERS.found.size == 0
