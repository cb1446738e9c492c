"""Which pictures an epoch uses, and how often."""

import numpy as np
from conftest import read_mnist
from hypothesis import given
from hypothesis import strategies as st

from digitnet.dataset.definition import NON_DIGIT, Dataset
from digitnet.training.sampling import add_pictures, repeat_indices

IMAGES, LABELS = read_mnist("train", 50)


def numbered(labels: list[int], repeats: list[int] | None = None) -> Dataset:
    """Return a data set with these labels."""
    images = np.zeros((len(labels), 28, 28), np.uint8)
    times = None if repeats is None else np.array(repeats)
    return Dataset(images, np.array(labels), repeats=times)


def test_every_picture_is_repeated() -> None:
    dataset = numbered([3, 5, 5], [1, 2, 1])
    for per_epoch, times in ((6, 2), (7, 2), (8, 3), (2, 1)):
        repeated = repeat_indices(dataset, np.array([0, 1]), per_epoch, balance=False)
        assert repeated.tolist() == [0] * times + [1] * 2 * times


def test_indices_that_are_used_once_are_not_copied() -> None:
    indices = np.array([0, 2])
    assert repeat_indices(numbered([3, 5, 5]), indices, None, balance=False) is indices


def test_balance_repeats_rare_classes_and_no_non_digits() -> None:
    dataset = numbered([1, 1, 1, 1, 7, NON_DIGIT])
    balanced = repeat_indices(dataset, np.arange(6), None, balance=True)
    assert balanced.tolist() == [0, 1, 2, 3, 4, 4, 4, 4, 5]


@given(st.lists(st.integers(0, 9), min_size=1, max_size=200), st.integers(1, 500))
def test_balanced_classes_differ_by_less_than_half(labels: list[int], per_epoch: int) -> None:
    chosen = repeat_indices(numbered(labels), np.arange(len(labels)), per_epoch, balance=True)
    counts = np.bincount(np.array(labels)[chosen])
    counts = counts[counts > 0]
    assert counts.max() < 2 * counts.min()
    assert set(chosen) == set(range(len(labels)))


def test_added_pictures_are_used_once() -> None:
    none = np.empty((0, 28, 28), np.uint8), np.empty(0, np.int64)
    dataset, indices = add_pictures(numbered([3]), np.array([0, 0]), [none, (IMAGES, LABELS)])
    assert indices.tolist() == [0, 0, *range(1, 51)]
    assert dataset.labels.tolist() == [3, *LABELS]
    unchanged, _ = add_pictures(dataset, indices, [none, none])
    assert unchanged is dataset
