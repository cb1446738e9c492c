"""Test the landscape in a checkpoint: what is saved is loaded, and damage is refused."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digitnet.errors import CheckpointError
from digitnet.model.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from digitnet.model.landscape import Landscape, to_arrays
from digitnet.network.network import Network

NETWORK = Network([784, 2, 3])
CONFIG = {
    "network": {"layer_sizes": [784, 2, 3], "activation": "relu", "output": "softmax"},
    "cost": "cross_entropy",
}
CHECKPOINT = Checkpoint(NETWORK, CONFIG, ("0", "1", "2"), "/digits", "abc", [])
N = len(NETWORK.parameters)
LANDSCAPE = Landscape(
    grid=np.linspace(0.1, 2, 12, dtype=np.float32).reshape(3, 4),
    path=np.array([[0, 0.5], [0.5, 1], [1, 0.25]], np.float32),
    costs=np.array([2, 1, 0.5], np.float32),
    accuracies=np.array([0.1, 0.5, 1], np.float32),
    epochs=np.array([0, 1, 3]),
    share=0.875,
    pictures=100,
    snapshots=np.arange(2 * N, dtype=np.float16).reshape(2, N),
    snapshot_epochs=np.array([0, 3]),
)


def loaded(path: Path, landscape: Landscape | None) -> Landscape | None:
    save_checkpoint(str(path), replace(CHECKPOINT, landscape=landscape))
    return load_checkpoint(path).landscape


def assert_same(one: Landscape, other: Landscape) -> None:
    for value, expected in zip(one, other, strict=True):
        np.testing.assert_array_equal(value, expected)
        assert np.asarray(value).dtype == np.asarray(expected).dtype


def test_a_landscape_is_saved_and_loaded(tmp_path: Path) -> None:
    found = loaded(tmp_path / "m.npz", LANDSCAPE)
    assert found is not None
    assert_same(found, LANDSCAPE)


def test_a_landscape_may_have_no_snapshots(tmp_path: Path) -> None:
    bare = LANDSCAPE._replace(
        snapshots=np.empty((0, N), np.float16), snapshot_epochs=np.empty(0, np.int64)
    )
    found = loaded(tmp_path / "m.npz", bare)
    assert found is not None
    assert_same(found, bare)


def test_a_model_may_have_no_landscape(tmp_path: Path) -> None:
    assert loaded(tmp_path / "m.npz", None) is None
    with np.load(tmp_path / "m.npz") as file:
        assert not [name for name in file if name.startswith(("landscape", "snapshot"))]


def refusal(path: Path, **changes: Any) -> str:
    """Return the message with which a file is refused; an array is left out if None."""
    save_checkpoint(str(path), replace(CHECKPOINT, landscape=LANDSCAPE))
    with np.load(path) as file:
        arrays = dict(file) | changes
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(path)
    message = str(caught.value)
    assert "\n" not in message
    return message.removeprefix(f"{path}: ")


@pytest.mark.parametrize("name", to_arrays(LANDSCAPE))
def test_each_array_is_needed_and_has_its_kind_and_shape(tmp_path: Path, name: str) -> None:
    path, array = tmp_path / "m.npz", np.asarray(to_arrays(LANDSCAPE)[name])
    assert refusal(path, **{name: None}) == f"{name}: expected an array, found none"
    for wrong in (array.astype(">f8"), array.astype("U9"), array[np.newaxis], array[..., None]):
        assert f"{wrong.shape}" in refusal(path, **{name: wrong})
    if array.ndim:
        refusal(path, **{name: array[:0]})
        refusal(path, **{name: np.concatenate([array] * 400)})
    if array.dtype.kind == "f":
        for wrong in (np.nan, np.inf):
            message = refusal(path, **{name: np.full_like(array, wrong)})
            assert message == f"{name}: expected finite numbers, found NaN or infinity"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("landscape_grid", np.zeros((3, 4), np.float32)),
        ("landscape_path", LANDSCAPE.path - np.float32(0.1)),
        ("landscape_path", LANDSCAPE.path + np.float32(0.1)),
        ("landscape_costs", -LANDSCAPE.costs),
        ("landscape_accuracies", LANDSCAPE.accuracies * np.float32(1.1)),
        ("landscape_share", np.float64(1.5)),
        ("landscape_pictures", np.int64(0)),
        ("landscape_epochs", np.array([0, 1, 1])),
        ("landscape_epochs", np.array([-1, 1, 3])),
        ("snapshot_epochs", np.array([3, 0])),
    ],
)
def test_numbers_outside_their_bounds_are_refused(tmp_path: Path, name: str, value: Any) -> None:
    assert refusal(tmp_path / "m.npz", **{name: value}).startswith(f"{name}: expected ")
