"""Pairs of files, as people have them, are matched by name."""

from pathlib import Path

import numpy as np
import pytest
from conftest import write_idx
from test_dataset import (
    IMAGES,
    LABELS,
    TEST_IMAGES,
    TEST_LABELS,
    assert_holds,
    assert_refused,
    write_pair,
    write_pictures,
)

from digitnet.dataset.reader import read_data


def save_pair(folder: Path, images: str, labels: str, n: int) -> None:
    """Save the first n pictures, and their labels, as `.npy` or `.npz` files."""
    for name, array in ((images, IMAGES[:n]), (labels, LABELS[:n])):
        (np.savez if name.endswith("z") else np.save)(folder / name, array)


@pytest.mark.parametrize(
    ("images", "labels"),
    [
        ("kmnist-{}-imgs.npz", "kmnist-{}-labels.npz"),
        ("{}-images.npy", "{}-labels.npy"),
        ("images_{}.npy", "labels_{}.npy"),
        ("X_{}.npy", "y_{}.npy"),
        ("{}_x.npy", "{}_y.npy"),
        ("X_{}.npz", "Y_{}.npz"),
    ],
)
@pytest.mark.parametrize("name", ["val", "valid", "validation"])
def test_pairs_of_arrays_are_read(images: str, labels: str, name: str, tmp_path: Path) -> None:
    for split, n in (("train", 20), ("test", 8), (name, 5)):
        save_pair(tmp_path, images.format(split), labels.format(split), n)
    data = read_data(tmp_path)
    assert_holds(data.training, IMAGES, LABELS)
    assert_holds(data.test, IMAGES[:8], LABELS[:8])
    assert_holds(data.validation, IMAGES[:5], LABELS[:5])
    alone = read_data(tmp_path / images.format("test"))
    assert_holds(alone.training, IMAGES[:8], LABELS[:8])


@pytest.mark.parametrize("name", ["val", "valid", "validation", "emnist-val"])
def test_idx_files_may_have_a_validation_set(name: str, tmp_path: Path) -> None:
    write_pair(tmp_path, "train", IMAGES, LABELS)
    write_pair(tmp_path, name, TEST_IMAGES, TEST_LABELS)
    data = read_data(tmp_path)
    assert_holds(data.validation, TEST_IMAGES, TEST_LABELS)
    assert data.test is None


def test_a_name_that_only_ends_in_the_letters_val_names_no_split(tmp_path: Path) -> None:
    write_pair(tmp_path, "carnival", IMAGES, LABELS)
    data = read_data(tmp_path)
    assert_holds(data.training, IMAGES, LABELS)
    assert data.validation is None


def test_idx_files_of_another_side_are_drawn(tmp_path: Path) -> None:
    write_idx(tmp_path / "train-images-idx3-ubyte", np.pad(IMAGES, ((0, 0), (2, 2), (2, 2))))
    write_idx(tmp_path / "train-labels-idx1-ubyte", LABELS)
    training = read_data(tmp_path).training
    assert training.images.shape == IMAGES.shape
    assert "found 32×32" in training.remarks[0]


def test_a_pair_of_archives_with_several_arrays_is_refused(tmp_path: Path) -> None:
    save_pair(tmp_path, "imgs.npz", "labels.npz", 20)
    np.savez(tmp_path / "imgs.npz", a=IMAGES, b=IMAGES)
    assert_refused(tmp_path, "expected one array; found a, b", tmp_path / "imgs.npz")


@pytest.mark.parametrize("name", ["images.npz", "x.npy"])
def test_an_array_without_labels_beside_folders_of_pictures_is_ignored(
    name: str, tmp_path: Path
) -> None:
    write_pictures(tmp_path, IMAGES, LABELS)
    (np.savez if name.endswith("z") else np.save)(tmp_path / name, IMAGES)
    assert len(read_data(tmp_path).training) == 20
