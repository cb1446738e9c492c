"""The way that a training took downhill, and the cost around it, as a checkpoint keeps them.

The landscape is the cost in a plane through the path of training (Li and others 2018, "Visualizing
the loss landscape of neural nets", section 7). `survey.py` computes it.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

MAX_SIDE = 100  # points along each side of the grid
MAX_EPOCHS = 1000  # places on the path
MAX_SNAPSHOTS = 100
PREFIX = "landscape_"  # of the arrays' names in a file; the snapshots' names have none
SNAPSHOTS = "snapshots"
SNAPSHOT_EPOCHS = "snapshot_epochs"


class InvalidLandscape(ValueError):
    """The arrays of a landscape are invalid; the message says how."""


class Landscape(NamedTuple):
    """The cost in the plane of the two main directions of a training's path, and that path.

    All networks are as evaluated: regularisers folded. The path ends at the last epoch; the model
    that is kept may be an earlier epoch's.

    grid: float32 (rows, columns), the cost, above 0, mean over `pictures` training pictures. Rows
    lie along the second direction, columns along the first.
    path: float32 (k, 2), where the network was after each of `epochs`: 0 is the first column (row)
    of the grid, 1 the last.
    costs, accuracies: float32 (k,), on a fixed sample of the training pictures, not distorted.
    epochs: int64 (k,), rising; 0 is the start. Of long trainings, some epochs are left out.
    share: of the path's movement, how much lies in the plane, 0 to 1 (in squared lengths).
    pictures: how many training pictures the grid's costs are the mean of.
    snapshots: float16 (m, n_parameters), laid out like `Network.parameters`: `matrices_of` gives
    [W b] of each layer. Empty, (0, n_parameters), for large networks.
    snapshot_epochs: int64 (m,), their epochs, rising; from 0, the start, to the last.
    """

    grid: NDArray[np.float32]
    path: NDArray[np.float32]
    costs: NDArray[np.float32]
    accuracies: NDArray[np.float32]
    epochs: NDArray[np.int64]
    share: float
    pictures: int
    snapshots: NDArray[np.float16]
    snapshot_epochs: NDArray[np.int64]


def to_arrays(landscape: Landscape) -> dict[str, Any]:
    """Return the arrays that a file keeps of a landscape, by name."""
    values = landscape._asdict()
    values |= {"share": np.float64(landscape.share), "pictures": np.int64(landscape.pictures)}
    return {_file_name(name): value for name, value in values.items()}


def from_arrays(arrays: dict[str, NDArray[Any]], n_parameters: int) -> Landscape | None:
    """Return the landscape in a file's arrays; None if the file has none.

    Raises InvalidLandscape if an array is missing, or is not as `Landscape` says.
    """
    names = [_file_name(name) for name in Landscape._fields]
    if not any(name in arrays for name in names):
        return None
    grid, path, costs, accuracies, epochs, share, pictures, snapshots, at = (
        _array(arrays, name) for name in names
    )
    if not (grid.ndim == 2 and min(grid.shape) >= 2 and max(grid.shape) <= MAX_SIDE):
        raise _wrong("grid", f"2 to {MAX_SIDE} rows and columns", grid.shape)
    k = _check_epochs("epochs", epochs, 2, MAX_EPOCHS)
    m = _check_epochs(SNAPSHOT_EPOCHS, at, 0, MAX_SNAPSHOTS)
    _check("grid", grid, np.float32, grid.shape)
    _check("path", path, np.float32, (k, 2), 0, 1)
    _check("costs", costs, np.float32, (k,))
    _check("accuracies", accuracies, np.float32, (k,), 0, 1)
    _check("share", share, np.float64, (), 0, 1)
    _check("pictures", pictures, np.int64, (), 1)
    _check(SNAPSHOTS, snapshots, np.float16, (m, n_parameters), -np.inf)
    if (grid <= 0).any():
        raise InvalidLandscape(f"{_file_name('grid')}: expected costs above 0, found others")
    return Landscape(
        grid, path, costs, accuracies, epochs, float(share), int(pictures), snapshots, at
    )


def _file_name(name: str) -> str:
    return name if name in (SNAPSHOTS, SNAPSHOT_EPOCHS) else PREFIX + name


def _array(arrays: dict[str, NDArray[Any]], name: str) -> NDArray[Any]:
    if name not in arrays:
        raise InvalidLandscape(f"{name}: expected an array, found none")
    return arrays[name]


def _check_epochs(name: str, epochs: NDArray[Any], fewest: int, most: int) -> int:
    """Return how many epochs there are."""
    if epochs.ndim != 1 or not fewest <= len(epochs) <= most:
        raise _wrong(name, f"{fewest} to {most:,} epochs", epochs.shape)
    _check(name, epochs, np.int64, epochs.shape)
    if (np.diff(epochs) <= 0).any():
        raise InvalidLandscape(f"{_file_name(name)}: expected rising numbers, found others")
    return len(epochs)


def _check(
    name: str,
    array: NDArray[Any],
    dtype: type,
    shape: tuple[int, ...],
    lowest: float = 0,
    highest: float = np.inf,
) -> None:
    if array.dtype != dtype or array.shape != shape:
        found = f"{array.dtype!s:.20} of shape {array.shape!s:.60}"
        wanted = f"{np.dtype(dtype)} of shape {shape}"
        raise InvalidLandscape(f"{_file_name(name)}: expected {wanted}, found {found}")
    if not np.isfinite(array).all():
        found = "found NaN or infinity"
        raise InvalidLandscape(f"{_file_name(name)}: expected finite numbers, {found}")
    if array.size and (array.min() < lowest or array.max() > highest):
        wanted = f"numbers from {lowest:g} to {highest:g}"
        raise InvalidLandscape(f"{_file_name(name)}: expected {wanted}, found others")


def _wrong(name: str, wanted: str, shape: tuple[int, ...]) -> InvalidLandscape:
    found = f"found shape {shape!s:.60}"
    return InvalidLandscape(f"{_file_name(name)}: expected {wanted}, {found}")
