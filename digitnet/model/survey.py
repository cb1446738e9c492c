"""Compute the landscape of a training: a plane through its path, and the cost on a grid in it.

Li and others 2018, "Visualizing the loss landscape of neural nets", section 7.2: the directions are
the first two principal components of the path's snapshots, seen from the end of the path.
"""

import math
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from digitnet.arrays import FloatArray
from digitnet.model.landscape import Landscape
from digitnet.model.sketch import sketch
from digitnet.network.network import Network

PART = 262144  # parameters: longest slice worked on at once, 1 MB of float32
MARGIN = 0.3  # of the path's longer side: room around it on the grid
MIN_COST = 1e-6  # of a grid point: costs are drawn on a logarithmic scale
FLAT = 1e-10  # of the path's squared length: less along the second direction is no plane
NEURON_WORK = 100  # multiply-adds that take as long as the activation of one neuron
GRID_SHARE = 0.004  # of the training's work, for the grid
MIN_WORK = 200_000_000  # multiply-adds for the grid, at least: some 20 ms
SIDES = 11, 31, 41  # points along a side of the grid: fewest, preferred, most
PICTURES = 100, 1000  # training pictures that the cost is measured on: fewest, most


class Path(NamedTuple):
    """The networks of a training after some epochs; the last is the end of the path.

    epochs: rising. sketches: float32 (k, 1024), made with `seed`. costs, accuracies: float32 (k,).
    snapshots: float16 (n_parameters,) after some of the epochs, by epoch, rising. keeps_snapshots:
    whether the landscape has them.
    """

    epochs: list[int]
    sketches: NDArray[np.float32]
    costs: NDArray[np.float32]
    accuracies: NDArray[np.float32]
    snapshots: Mapping[int, NDArray[np.float16]]
    keeps_snapshots: bool
    seed: int


def survey(
    network: Network, path: Path, side: int, x: FloatArray, y: FloatArray
) -> Iterator[Landscape | None]:
    """Yield None after each piece of work, such as a point of the grid; at last the landscape.

    Yield no landscape if the path lies on one line. network: the end of the path. side: points
    along each side of the grid. x (785, n), y (classes, n): the pictures that the cost is measured
    on, as for `Network.backprop`.
    """
    last = path.epochs[-1]
    before = {epoch: each for epoch, each in path.snapshots.items() if epoch != last}
    plane = find_plane(network.parameters, list(before.values()))
    if plane is None:
        return
    yield None
    places, share = place(plane, path.sketches, path.seed)
    yield None
    exact = dict(zip(before, plane.places)) | {last: np.zeros(2)}
    for k, epoch in enumerate(path.epochs):
        places[k] = exact.get(epoch, places[k])
    low, high = extent(places)
    us, vs = np.linspace(low, high, side).T
    grid = []
    for cost in costs(network, plane, us, vs, x, y):
        grid.append(cost)
        yield None
    kept = path.snapshots if path.keeps_snapshots else {}
    yield Landscape(
        bounded(np.array(grid, np.float64)).reshape(side, side),
        ((places - low) / (high - low)).astype(np.float32),
        bounded(path.costs.astype(np.float64)),
        path.accuracies,
        np.array(path.epochs),
        share,
        x.shape[1],
        np.array(list(kept.values()), np.float16).reshape(len(kept), len(network.parameters)),
        np.array(list(kept), np.int64),
    )


def bounded(costs: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return costs of at least MIN_COST; those that overflowed become the highest of the others."""
    is_finite = np.isfinite(costs)
    highest = costs.max(initial=MIN_COST, where=is_finite)
    most = float(np.finfo(np.float32).max)
    return np.where(is_finite, costs, highest).clip(MIN_COST, most).astype(np.float32)


class Plane(NamedTuple):
    """A plane through the end of a path.

    directions: float32 (2, n_parameters), of length 1, at right angles. places: float64 (m, 2), of
    the snapshots; the end is at (0, 0).
    """

    directions: NDArray[np.float32]
    places: NDArray[np.float64]


def find_plane(end: FloatArray, snapshots: list[NDArray[np.float16]]) -> Plane | None:
    """Return the plane of the two main directions from the end to snapshots (n_parameters,) each.

    Return None if all lie on one line. The first snapshot has a negative first coordinate, and the
    snapshot farthest along the second direction a positive second one.
    """
    m, n = len(snapshots), len(end)
    products = np.zeros((m, m))
    for start in range(0, n, PART):
        away = _away(end, snapshots, start)
        products += away @ away.T  # (m, part) (part, m)
    values, vectors = np.linalg.eigh(products)  # rising
    if m < 2 or not values[-2] > FLAT * values[-1]:
        return None
    main = vectors[:, :-3:-1].T  # (2, m)
    scales = np.sqrt(values[:-3:-1])
    places = main * scales[:, np.newaxis]  # (2, m)
    signs = np.array([-np.sign(places[0, 0]) or 1, np.sign(places[1, np.abs(places[1]).argmax()])])
    weights = main * (signs / scales)[:, np.newaxis]
    directions = np.empty((2, n), np.float32)
    for start in range(0, n, PART):
        directions[:, start : start + PART] = weights @ _away(end, snapshots, start)
    return Plane(directions, (places * signs[:, np.newaxis]).T)


def _away(end: FloatArray, snapshots: list[NDArray[np.float16]], start: int) -> FloatArray:
    """Return a part of the vectors from the end to each snapshot, float64 (m, part)."""
    part = slice(start, start + PART)
    away = np.stack([snapshot[part] for snapshot in snapshots]).astype(np.float64)
    away -= end[part]
    return away


def place(
    plane: Plane, sketches: NDArray[np.float32], seed: int
) -> tuple[NDArray[np.float64], float]:
    """Return where on the plane networks are, (k, 2), and the share of the path that lies in it.

    sketches: (k, 1024), of the networks; the last is the end's. Found by least squares. The share
    is that of the squared distances to the end.
    """
    axes = np.stack([sketch(direction, seed) for direction in plane.directions], axis=1)
    away = (sketches - sketches[-1]).astype(np.float64).T
    places = np.linalg.lstsq(axes.astype(np.float64), away, rcond=None)[0]  # (2, k)
    whole = np.square(away).sum()
    outside = np.square(away - axes @ places).sum()
    return places.T, float(np.clip(1 - outside / whole, 0, 1)) if whole else 0.0


def extent(places: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the lowest and highest coordinates (2,) of a grid with room around places (k, 2)."""
    low, high = places.min(axis=0), places.max(axis=0)
    room = MARGIN * (high - low).max()
    return low - room, high + room


def grid_size(layer_sizes: tuple[int, ...], pictures_trained: int) -> tuple[int, int]:
    """Return the points along each side of the grid, and how many pictures to measure on.

    pictures_trained: in all epochs together. The work is GRID_SHARE of the training's, in
    multiply-adds, so that it does not depend on the clock.
    """
    layers = list(pairwise(layer_sizes))
    neurons = NEURON_WORK * sum(layer_sizes[1:])
    training = 3 * sum(n_in * n_out for n_in, n_out in layers) + neurons
    point = sum(n_in * n_out for n_in, n_out in layers[1:]) + neurons
    work = max(GRID_SHARE * training * pictures_trained, MIN_WORK)
    budget = int(work / point)  # points × pictures
    fewest, preferred, most = SIDES
    pictures = min(max(budget // preferred**2, PICTURES[0]), PICTURES[1])
    return min(max(math.isqrt(budget // pictures), fewest), most), pictures


def costs(
    network: Network,
    plane: Plane,
    us: NDArray[np.float64],
    vs: NDArray[np.float64],
    x: FloatArray,
    y: FloatArray,
) -> Iterator[float]:
    """Yield the mean cost at each point of a grid in the plane, row by row.

    network: the end of the path. us, vs: the coordinates of the columns and of the rows. x (785, n)
    and y (classes, n): as for `Network.backprop`. A cost that overflows is infinite or NaN.

    The input of the first layer is linear in both coordinates: it takes three products in all.
    Several columns are computed together where the network is small.
    """
    n = x.shape[1]
    layers = list(zip(network.matrices, *map(network.matrices_of, plane.directions)))
    base, along_u, along_v = (Wb.dot(x) for Wb in layers[0])
    together = max(PART // (n * max(network.layer_sizes[1:])), 1)
    for v in vs.astype(np.float32):
        row = base + v * along_v
        for start in range(0, len(us), together):
            u = us[start : start + together, np.newaxis, np.newaxis].astype(np.float32)
            with np.errstate(over="ignore", invalid="ignore"):
                z = row + u * along_u  # (columns, n_out, n)
                for σ, layer in zip(network.functions, layers[1:]):
                    a = np.ones((len(z), z.shape[1] + 1, n), np.float32)
                    σ(z, a[:, :-1])
                    z = _multiply(layer, u, v, a)
                values = [_cost(network, each, y) for each in z]
            yield from values


def _cost(network: Network, z: FloatArray, y: FloatArray) -> float:
    """Return the mean cost of outputs with the weighted inputs z, (classes, n)."""
    a = network.functions[-1](z, None)
    return network.cost(z, a, y, 1, None) / len(z.T)


def _multiply(
    layer: tuple[FloatArray, ...], u: FloatArray, v: np.float32, a: FloatArray
) -> FloatArray:
    """Return the products of a layer's matrices at points of the plane with activations.

    layer: the matrix at the end of the path, and what each direction adds to it. u: (columns, 1, 1)
    and v, the coordinates. a: (columns, n_in + 1, n). Makes some rows of the matrices at a time.
    """
    base, along_u, along_v = layer
    z = np.empty((len(a), len(base), a.shape[2]), np.float32)
    height = max(PART // (len(a) * a.shape[1]), 1)
    for start in range(0, len(base), height):
        rows = slice(start, start + height)
        Wb = base[rows] + v * along_v[rows] + u * along_u[rows]  # (columns, rows, n_in + 1)
        np.matmul(Wb, a, out=z[:, rows])
    return z
