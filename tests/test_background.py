"""Test synthetic non-digits: size, position, variety, and their target in training."""

import numpy as np
import pytest
from conftest import read_mnist

from digitnet.dataset.definition import NON_DIGIT, Dataset
from digitnet.dataset.minibatches import Minibatches
from digitnet.synthetic.background import make_background


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    return make_background(1000, rng=np.random.default_rng(1))


def test_size_and_position_are_those_of_prepared_digits(pictures: np.ndarray) -> None:
    assert (pictures.shape, pictures.dtype) == ((1000, 28, 28), np.uint8)
    non_empty = pictures[pictures.any(axis=(1, 2))]
    assert len(non_empty) > 950
    sides = [[np.ptp(np.flatnonzero(i.any(axis=axis))) + 1 for axis in (0, 1)] for i in non_empty]
    longer = np.max(sides, axis=1)
    assert longer.max() == 20
    assert (longer == 20).mean() > 0.99
    y, x = np.mgrid[:28, :28] + 0.5
    ink = non_empty.sum(axis=(1, 2), dtype=np.int64)
    for place in (y, x):
        assert np.abs((non_empty * place).sum(axis=(1, 2)) / ink - 14.5).mean() < 0.5


def test_hardly_any_two_pictures_are_equal_and_the_seed_decides(pictures: np.ndarray) -> None:
    non_empty = pictures[pictures.any(axis=(1, 2))]
    assert len(np.unique(non_empty, axis=0)) > 0.99 * len(non_empty)  # some are solid bars
    np.testing.assert_array_equal(make_background(1000, rng=np.random.default_rng(1)), pictures)
    assert (make_background(1000, rng=np.random.default_rng(2)) != pictures).any()


def test_small_counts_give_that_many_pictures(pictures: np.ndarray) -> None:
    assert make_background(3, rng=np.random.default_rng(1)).shape == (3, 28, 28)
    assert make_background(0, rng=np.random.default_rng(1)).shape == (0, 28, 28)


def test_the_target_of_non_digits_is_uniform() -> None:
    images, labels = read_mnist("train", 5)
    dataset = Dataset(images, labels.astype(np.int64))
    background = make_background(4, rng=np.random.default_rng(1))
    whole = dataset.followed_by(background, np.full(4, NON_DIGIT))
    assert whole.labels.tolist() == [*labels, *[NON_DIGIT] * 4]
    for size in (3, 4, 9):
        columns = np.hstack([y.copy() for _, y in Minibatches(whole, size)(np.arange(9))])
        np.testing.assert_array_equal(columns[:, :5], np.eye(10)[:, labels])
        np.testing.assert_allclose(columns[:, 5:], 0.1)
