"""Test the survey: the plane through a path, where networks are in it, and the cost on its grid."""

import math
from itertools import pairwise

import numpy as np
import pytest

from digitnet.model import survey as survey_module
from digitnet.model.sketch import sketch
from digitnet.model.survey import (
    MIN_COST,
    Path,
    Plane,
    bounded,
    costs,
    extent,
    find_plane,
    grid_size,
    place,
    survey,
)
from digitnet.network.network import Network

SIZES = [784, 6, 5, 10]
KINDS = [
    ("sigmoid", "sigmoid", "quadratic"),
    ("relu", "softmax", "cross_entropy"),
    ("tanh", "sigmoid", "cross_entropy"),
    ("relu", "softmax", "quadratic"),
]


def network_of(kind: tuple[str, str, str] = KINDS[0], sizes: list[int] = SIZES) -> Network:
    activation, output, cost = kind
    network = Network(sizes, activation=activation, output=output, cost=cost)
    network.initialise(rng=np.random.default_rng(1))
    return network


def pictures(n: int = 30) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(2)
    x = np.ones((785, n), np.float32)
    x[:-1] = rng.random((784, n))
    return x, np.eye(10, dtype=np.float32)[rng.integers(0, 10, n)].T


def cost_of(network: Network, parameters: np.ndarray, x: np.ndarray, y: np.ndarray) -> float:
    """Return the mean cost of a network with other parameters."""
    other = Network(
        network.layer_sizes, activation=network.names[0], output=network.names[1], cost="quadratic"
    )
    other.cost = network.cost
    other.parameters[:] = parameters
    workspace = other.workspace(x.shape[1])
    a = other.feedforward(x, workspace)
    return other.cost(workspace.z[-1], a, y, 1, workspace.δ[-1]) / x.shape[1]


def spread_path(n: int, scales: list[float]) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return the end of a path and snapshots whose distances along random directions vary."""
    rng = np.random.default_rng(3)
    end = rng.standard_normal(n).astype(np.float32)
    axes = np.linalg.qr(rng.standard_normal((n, len(scales))))[0].T
    steps = np.array([[3, 0.2, 0.1], [2, 1, -0.1], [1, 0.8, 0.1]])[:, : len(scales)] * scales
    return end, [(end + step @ axes).astype(np.float16) for step in steps]


@pytest.mark.parametrize("part", [262144, 100])
def test_the_plane_holds_most_of_the_path(monkeypatch: pytest.MonkeyPatch, part: int) -> None:
    monkeypatch.setattr(survey_module, "PART", part)
    end, snapshots = spread_path(1000, [10, 10, 0.1])
    plane = find_plane(end, snapshots)
    assert plane is not None
    np.testing.assert_allclose(plane.directions @ plane.directions.T, np.eye(2), atol=1e-4)
    away = np.array(snapshots, np.float64) - end
    np.testing.assert_allclose(plane.places, away @ plane.directions.T, atol=1e-2)
    outside = away - plane.places @ plane.directions
    assert np.square(outside).sum() < 1e-3 * np.square(away).sum()
    assert plane.places[0, 0] < 0
    assert plane.places[np.abs(plane.places[:, 1]).argmax(), 1] > 0


def test_a_path_on_one_line_has_no_plane() -> None:
    end = np.zeros(50, np.float32)
    one = np.arange(50, dtype=np.float16)
    assert find_plane(end, [one]) is None
    assert find_plane(end, [one, one / 2, one * 0]) is None
    assert find_plane(end, [one * 0, one * 0]) is None


def test_sketches_place_networks_near_where_they_are() -> None:
    end, snapshots = spread_path(20_000, [10, 10, 0.1])
    plane = find_plane(end, snapshots)
    assert plane is not None
    sketches = np.array([sketch(each.astype(np.float32), 1) for each in (*snapshots, end)])
    places, share = place(plane, sketches, 1)
    length = np.linalg.norm(plane.places, axis=1).max()
    np.testing.assert_allclose(places[:-1], plane.places, atol=0.05 * length)
    np.testing.assert_array_equal(places[-1], [0, 0])
    assert 0.99 < share <= 1


def test_the_share_is_that_of_the_squared_distances() -> None:
    end, snapshots = spread_path(20_000, [10, 10, 40])
    plane = find_plane(end, snapshots)
    assert plane is not None
    away = np.array(snapshots, np.float64) - end
    expected = np.square(plane.places).sum() / np.square(away).sum()
    sketches = np.array([sketch(each.astype(np.float32), 1) for each in (*snapshots, end)])
    assert 0.5 < expected < 0.999
    assert place(plane, sketches, 1)[1] == pytest.approx(expected, abs=0.03)


def test_a_training_that_did_not_move_has_no_share() -> None:
    plane = Plane(np.eye(2, 2000, dtype=np.float32), np.zeros((1, 2)))
    assert place(plane, np.ones((3, 1024), np.float32), 1)[1] == 0


def test_the_grid_has_room_around_the_path() -> None:
    low, high = extent(np.array([[0.0, 0], [10, 1], [4, 2]]))
    np.testing.assert_allclose([low, high], [[-3, -3], [13, 5]])


@pytest.mark.parametrize("kind", KINDS, ids="-".join)
@pytest.mark.parametrize("part", [262144, 400, 10])
def test_costs_are_those_of_the_networks_in_the_plane(
    monkeypatch: pytest.MonkeyPatch, kind: tuple[str, str, str], part: int
) -> None:
    monkeypatch.setattr(survey_module, "PART", part)
    network, (x, y) = network_of(kind), pictures()
    directions = np.random.default_rng(4).standard_normal((2, len(network.parameters)))
    plane = Plane(directions.astype(np.float32), np.zeros((1, 2)))
    us, vs = np.linspace(-0.1, 0.2, 4), np.array([-0.1, 0, 0.1])
    found = list(costs(network, plane, us, vs, x, y))
    points = [np.float32(u) * directions[0] + np.float32(v) * directions[1] for v in vs for u in us]
    expected = [cost_of(network, network.parameters + point, x, y) for point in points]
    np.testing.assert_allclose(found, expected, rtol=1e-3)


def test_a_network_without_hidden_layers_has_costs() -> None:
    network, (x, y) = network_of(sizes=[784, 10]), pictures()
    plane = Plane(np.ones((2, len(network.parameters)), np.float32), np.zeros((1, 2)))
    found = list(costs(network, plane, np.array([0, 0.001]), np.array([0.0]), x, y))
    point = network.parameters + np.float32(0.001)
    expected = [cost_of(network, each, x, y) for each in (network.parameters, point)]
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_costs_that_overflow_become_the_highest() -> None:
    found = bounded(np.array([0.5, np.inf, np.nan, 0, 2, -np.inf]))
    np.testing.assert_array_equal(found, np.array([0.5, 2, 2, MIN_COST, 2, 2], np.float32))
    assert (bounded(np.full(3, np.nan)) == np.float32(MIN_COST)).all()


@pytest.mark.parametrize(
    ("sizes", "least"),
    [((784, 16, 16, 10), (20, 100)), ((784, 400, 100, 10), (11, 100)), ((784, 10), (31, 208))],
)
def test_the_grid_grows_with_the_training_within_bounds(
    sizes: tuple[int, ...], least: tuple[int, int]
) -> None:
    found = [grid_size(sizes, 10**power) for power in range(1, 13)]
    assert found[0] == least
    assert found[-1] == (41, 1000)
    assert all(a <= b and m <= n for (a, m), (b, n) in pairwise(found))


def test_the_grids_work_is_a_small_share_of_a_long_training() -> None:
    sizes = 784, 2500, 2000, 1500, 1000, 500, 10
    side, pictures = grid_size(sizes, 60 * 60_000)
    products = [n_in * n_out for n_in, n_out in pairwise(sizes)]
    assert side**2 * pictures * sum(products[1:]) < 0.005 * 3 * sum(products) * 60 * 60_000


def path_through(network: Network) -> Path:
    rng = np.random.default_rng(5)
    steps = rng.standard_normal((2, len(network.parameters))).astype(np.float32) * 0.05
    before = [network.parameters + 3 * steps[0], network.parameters + steps[1]]
    sketches = np.array([sketch(each, 1) for each in (*before, network.parameters)])
    snapshots = dict(enumerate(each.astype(np.float16) for each in (*before, network.parameters)))
    measures = np.array([[3, 2, 1], [0.1, 0.5, 1]], np.float32)
    return Path([0, 1, 2], sketches, *measures, snapshots, True, 1)


def test_a_landscape_has_grid_path_and_snapshots() -> None:
    network, (x, y) = network_of(), pictures()
    path = path_through(network)
    *points, landscape = survey(network, path, 5, x, y)
    assert points == [None] * (2 + 25)
    assert landscape is not None
    assert landscape.grid.shape == (5, 5)
    assert landscape.pictures == 30
    assert landscape.epochs.tolist() == landscape.snapshot_epochs.tolist() == [0, 1, 2]
    assert landscape.snapshots.shape == (3, len(network.parameters))
    assert landscape.share > 0.99
    assert ((landscape.path > 0.1) & (landscape.path < 0.9)).all()
    lengths = np.linalg.norm(landscape.path - landscape.path[-1], axis=1)
    assert lengths[0] > lengths[1] > lengths[2] == 0


def test_the_end_of_the_path_lies_at_its_own_cost() -> None:
    network, (x, y) = network_of(), pictures()
    *_, landscape = survey(network, path_through(network), 41, x, y)
    assert landscape is not None
    column, row = np.rint(landscape.path[-1] * 40).astype(int)
    expected = cost_of(network, network.parameters, x, y)
    assert math.isclose(landscape.grid[row, column], expected, rel_tol=0.02)
    column, row = np.rint(landscape.path[0] * 40).astype(int)
    expected = cost_of(network, path_through(network).snapshots[0], x, y)
    assert math.isclose(landscape.grid[row, column], expected, rel_tol=0.05)


def test_a_large_network_keeps_no_snapshots() -> None:
    network, (x, y) = network_of(), pictures()
    path = path_through(network)._replace(keeps_snapshots=False)
    *_, landscape = survey(network, path, 3, x, y)
    assert landscape is not None
    assert landscape.snapshots.shape == (0, len(network.parameters))
    assert landscape.snapshot_epochs.shape == (0,)


def test_a_path_on_one_line_has_no_landscape() -> None:
    network, (x, y) = network_of(), pictures()
    path = path_through(network)
    first = path._replace(snapshots={0: path.snapshots[0], 2: path.snapshots[2]})
    assert list(survey(network, first, 3, x, y)) == []
