"""The arrays of an `.npz` file are recognised by their names."""

from pathlib import Path

import numpy as np
import pytest
from test_dataset import IMAGES, LABELS, TEST_IMAGES, TEST_LABELS, assert_holds, assert_refused

from digitnet.dataset.archives import images_in_npz
from digitnet.dataset.definition import ReadOptions
from digitnet.dataset.reader import read_data
from digitnet.errors import DataError

VALIDATION_IMAGES, VALIDATION_LABELS = IMAGES[5:9], LABELS[5:9]
THREE = (
    (IMAGES, LABELS),
    (TEST_IMAGES, TEST_LABELS),
    (VALIDATION_IMAGES, VALIDATION_LABELS),
)


@pytest.mark.parametrize(
    "names",
    [
        "x_train y_train",
        "x_train y_train x_test y_test",
        "X_train y_train X_test y_test X_val y_val",
        "train_images train_labels test_images test_labels val_images val_labels",
        "images labels",
        "data target",
        "X y",
        "arr_0 arr_1",
        "arr_0 arr_1 arr_2 arr_3",
    ],
)
def test_arrays_are_recognised_by_their_names(names: str, tmp_path: Path) -> None:
    arrays = [array for pair in THREE for array in pair]
    np.savez(tmp_path / "digits.npz", **dict(zip(names.split(), arrays)))
    data = read_data(tmp_path / "digits.npz")
    expected = THREE[: len(names.split()) // 2]
    sets = [each for each in (data.training, data.test, data.validation) if each is not None]
    assert len(sets) == len(expected)
    for dataset, (images, labels) in zip(sets, expected):
        assert_holds(dataset, images, labels)
        assert dataset.name_of(3) == f"{tmp_path / 'digits.npz'}#3"


def test_medmnist_is_read(tmp_path: Path) -> None:
    """MedMNIST has grey pictures (n, 28, 28) and labels (n, 1)."""
    np.savez_compressed(
        tmp_path / "breastmnist.npz",
        train_images=IMAGES,
        train_labels=LABELS[:, np.newaxis],
        val_images=VALIDATION_IMAGES,
        val_labels=VALIDATION_LABELS[:, np.newaxis],
        test_images=TEST_IMAGES,
        test_labels=TEST_LABELS[:, np.newaxis],
    )
    data = read_data(tmp_path / "breastmnist.npz")
    assert_holds(data.validation, VALIDATION_IMAGES, VALIDATION_LABELS)


def test_transposed_emnist_is_turned(tmp_path: Path) -> None:
    turned = IMAGES.transpose(0, 2, 1)
    path = tmp_path / "emnist.npz"
    np.savez(path, x_train=turned.reshape(20, 784), y_train=LABELS, x_test=turned, y_test=LABELS)
    data = read_data(path, ReadOptions(transposed=True))
    assert_holds(data.training, IMAGES, LABELS)
    assert_holds(data.test, IMAGES, LABELS)


def test_letters_of_emnist_are_refused_with_advice(tmp_path: Path) -> None:
    np.savez(tmp_path / "letters.npz", x_train=IMAGES, y_train=LABELS + 17)
    assert_refused(
        tmp_path / "letters.npz",
        r"y_train: picture 1: expected a label from 0 to 9, found 22; for letters or other "
        "classes, make a folder of pictures for each class",
    )


def test_labels_of_the_test_set_may_be_missing(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x_train=IMAGES, y_train=LABELS, x_test=TEST_IMAGES)
    assert read_data(tmp_path / "a.npz").test is None


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ("x_test x_train y_train", "x_test"),
        ("images labels", "images"),
        ("arr_0 arr_1", "arr_0"),
        ("digits", "digits"),
        ("val_images", "val_images"),
    ],
)
def test_images_without_labels_are_found(names: str, found: str, tmp_path: Path) -> None:
    arrays = {name: IMAGES + number for number, name in enumerate(names.split())}
    np.savez(tmp_path / "a.npz", **arrays)
    name, images = images_in_npz(tmp_path / "a.npz")
    assert name == f"{tmp_path / 'a.npz'}: {found}"
    np.testing.assert_array_equal(images, arrays[found])


def test_several_arrays_with_unknown_names_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", one=IMAGES, two=IMAGES)
    with pytest.raises(DataError, match=r"a\.npz: expected one array, .*; found one, two"):
        images_in_npz(tmp_path / "a.npz")
