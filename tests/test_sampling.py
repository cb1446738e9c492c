"""Which pictures an epoch uses, and how often."""

from pathlib import Path

import numpy as np
import pytest
from conftest import read_mnist
from hypothesis import given
from hypothesis import strategies as st

from digitnet.config.definition import Config
from digitnet.config.reader import to_config
from digitnet.dataset.definition import NON_DIGIT, Dataset, ReadOptions
from digitnet.errors import DataError
from digitnet.training.sampling import Pictures, add_pictures, read_rehearsal, repeat_indices

IMAGES, LABELS = read_mnist("train", 50)


def numbered(labels: list[int], repeats: list[int] | None = None) -> Dataset:
    """Return a data set with these labels."""
    images = np.zeros((len(labels), 28, 28), np.uint8)
    times = None if repeats is None else np.array(repeats)
    return Dataset(images, np.array(labels), repeats=times)


def test_every_picture_is_repeated() -> None:
    dataset = numbered([3, 5, 5], [1, 2, 1])
    assert repeat_indices(dataset, np.array([0, 1]), 2, balance=False).tolist() == [0, 0, *[1] * 4]


def test_indices_that_are_used_once_are_not_copied() -> None:
    indices = np.array([0, 2])
    assert repeat_indices(numbered([3, 5, 5]), indices, 1, balance=False) is indices


def test_balance_repeats_rare_classes_and_no_non_digits() -> None:
    dataset = numbered([1, 1, 1, 1, 7, NON_DIGIT])
    balanced = repeat_indices(dataset, np.arange(6), 1, balance=True)
    assert balanced.tolist() == [0, 1, 2, 3, 4, 4, 4, 4, 5]


@given(st.lists(st.integers(0, 9), min_size=1, max_size=200), st.integers(1, 3))
def test_balanced_classes_differ_by_less_than_half(labels: list[int], repeats: int) -> None:
    chosen = repeat_indices(numbered(labels), np.arange(len(labels)), repeats, balance=True)
    counts = np.bincount(np.array(labels)[chosen])
    counts = counts[counts > 0]
    assert counts.max() < 2 * counts.min()
    assert set(chosen) == set(range(len(labels)))


def make(path: object, pictures: int = 20, seed: int = 1) -> Config:
    rehearsal = {"path": path, "pictures": pictures}
    data = {"path": "/unused", "rehearsal": rehearsal}
    return to_config({"data": data, "start": "shipped", "seed": seed, "model": "/unused.npz"})


def rehearse(
    config: Config, names: tuple[str, ...], held_out: int = 0
) -> tuple[Pictures, tuple[str, ...], tuple[str, ...]]:
    """Return what `read_rehearsal` does; the first pictures of IMAGES are held out."""
    validation = Dataset(IMAGES, LABELS)
    return read_rehearsal(config, names, ReadOptions(), validation, np.arange(held_out))


@pytest.fixture
def digits(tmp_path: Path) -> Path:
    path = tmp_path / "digits.npz"
    np.savez(path, images=IMAGES, labels=LABELS)
    return path


def test_pictures_for_rehearsal_are_drawn_by_the_seed(digits: Path) -> None:
    names = tuple("0123456789")
    drawn = [rehearse(make(str(digits), seed=seed), names)[0] for seed in (1, 1, 2)]
    (one, labels), (same, _), (other, _) = drawn
    assert len(one) == len(labels) == 20
    assert (one == same).all()
    assert (one != other).any()
    of_picture = {image.tobytes(): label for image, label in zip(IMAGES, LABELS)}
    assert [of_picture[image.tobytes()] for image in one] == labels.tolist()
    (all_images, _), hashes, _ = rehearse(make(str(digits), 500), names)
    assert len(all_images) == 50
    assert len(hashes) == 1


def test_validation_pictures_are_not_rehearsed(digits: Path) -> None:
    (images, _), _, _ = rehearse(make(str(digits), 500), tuple("0123456789"), held_out=10)
    rehearsed = {image.tobytes() for image in images}
    assert rehearsed == {image.tobytes() for image in IMAGES[10:]}


def test_missing_paths_for_rehearsal_are_left_out_and_said(digits: Path, tmp_path: Path) -> None:
    gone, names = str(tmp_path / "gone"), tuple("0123456789")
    (images, _), hashes, remarks = rehearse(make([str(digits), gone]), names)
    assert (len(images), len(hashes)) == (20, 1)
    assert remarks == (f"data.rehearsal.path: {gone} does not exist; left out",)
    (images, _), hashes, remarks = rehearse(make(gone), names)
    assert (len(images), hashes) == (0, ())
    expected = "data.rehearsal.path: none of its paths exists; nothing is rehearsed"
    assert remarks == (expected,)


def test_rehearsal_with_other_classes_is_refused(digits: Path) -> None:
    with pytest.raises(DataError, match="expected classes among a, b; found '0'"):
        rehearse(make(str(digits)), ("a", "b"))


def test_added_pictures_are_used_once() -> None:
    none = np.empty((0, 28, 28), np.uint8), np.empty(0, np.int64)
    dataset, indices = add_pictures(numbered([3]), np.array([0, 0]), [none, (IMAGES, LABELS)])
    assert indices.tolist() == [0, 0, *range(1, 51)]
    assert dataset.labels.tolist() == [3, *LABELS]
    unchanged, _ = add_pictures(dataset, indices, [none, none])
    assert unchanged is dataset
