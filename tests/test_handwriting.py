"""Made-up digits: of the size of MNIST's, each as often, none like another, and legible."""

import numpy as np
import pytest
from conftest import read_mnist

from digitnet.synthetic import strokes
from digitnet.synthetic.handwriting import WAYS, make_digits


@pytest.fixture(scope="module")
def made() -> tuple[np.ndarray, np.ndarray]:
    return make_digits(2000, rng=np.random.default_rng(1))


def test_they_are_as_large_as_digits_and_where_digits_are(
    made: tuple[np.ndarray, np.ndarray],
) -> None:
    pictures, labels = made
    assert (pictures.shape, pictures.dtype) == ((2000, 28, 28), np.uint8)
    assert (labels.shape, labels.dtype) == ((2000,), np.int64)
    for axis in (1, 2):
        sides = [np.ptp(np.flatnonzero(picture.any(axis=axis - 1))) + 1 for picture in pictures]
        assert max(sides) == 20
    y, x = np.mgrid[:28, :28] + 0.5
    ink = pictures.sum(axis=(1, 2), dtype=np.int64)
    for place in (y, x):
        assert np.abs((pictures * place).sum(axis=(1, 2)) / ink - 14.5).mean() < 0.5


def test_each_digit_is_there_about_as_often(made: tuple[np.ndarray, np.ndarray]) -> None:
    assert len(WAYS) == 10
    counts = np.bincount(made[1], minlength=10)
    assert counts.min() > 150
    assert counts.max() < 250


def test_no_two_are_alike_and_the_generator_decides(
    made: tuple[np.ndarray, np.ndarray],
) -> None:
    assert len(np.unique(made[0], axis=0)) == 2000
    again = make_digits(2000, rng=np.random.default_rng(1))
    for one, other in zip(made, again):
        np.testing.assert_array_equal(one, other)
    assert (make_digits(2000, rng=np.random.default_rng(2))[0] != made[0]).any()
    assert [len(part) for part in make_digits(0, rng=np.random.default_rng(1))] == [0, 0]


@pytest.mark.parametrize(("proportions", "least"), [(0, 0.7), (strokes.PROPORTIONS, 0.6)])
def test_they_are_the_digits_that_people_write(
    proportions: float, least: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The nearest of 5,000 of MNIST's tells which they are, far more often than chance would.

    Less often where they have proportions that few of MNIST's have.
    """
    monkeypatch.setattr(strokes, "PROPORTIONS", proportions)
    pictures, digits = make_digits(2000, rng=np.random.default_rng(1))
    images, labels = read_mnist("train", 5000)
    known, unknown = (x.reshape(len(x), -1).astype(np.float32) / 255 for x in (images, pictures))
    distances = (known**2).sum(axis=1) - 2 * unknown @ known.T
    assert (labels[distances.argmin(axis=1)] == digits).mean() > least
