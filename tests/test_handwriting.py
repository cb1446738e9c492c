"""Test synthetic digits: size, position, frequency, variety and legibility."""

import numpy as np
import pytest
from conftest import read_mnist

from digitnet.synthetic import strokes
from digitnet.synthetic.handwriting import DIGIT_VARIANTS, make_digits


@pytest.fixture(scope="module")
def generated() -> tuple[np.ndarray, np.ndarray]:
    return make_digits(2000, rng=np.random.default_rng(1))


def test_size_and_position_are_those_of_prepared_digits(
    generated: tuple[np.ndarray, np.ndarray],
) -> None:
    pictures, labels = generated
    assert (pictures.shape, pictures.dtype) == ((2000, 28, 28), np.uint8)
    assert (labels.shape, labels.dtype) == ((2000,), np.int64)
    for axis in (1, 2):
        sides = [np.ptp(np.flatnonzero(picture.any(axis=axis - 1))) + 1 for picture in pictures]
        assert max(sides) == 20
    y, x = np.mgrid[:28, :28] + 0.5
    ink = pictures.sum(axis=(1, 2), dtype=np.int64)
    for place in (y, x):
        assert np.abs((pictures * place).sum(axis=(1, 2)) / ink - 14.5).mean() < 0.5


def test_all_digits_are_about_equally_frequent(generated: tuple[np.ndarray, np.ndarray]) -> None:
    assert len(DIGIT_VARIANTS) == 10
    counts = np.bincount(generated[1], minlength=10)
    assert counts.min() > 150
    assert counts.max() < 250


def test_no_two_pictures_are_equal_and_the_seed_decides(
    generated: tuple[np.ndarray, np.ndarray],
) -> None:
    assert len(np.unique(generated[0], axis=0)) == 2000
    first, again, other = (make_digits(200, rng=np.random.default_rng(seed)) for seed in (1, 1, 2))
    for one, two in zip(first, again):
        np.testing.assert_array_equal(one, two)
    assert (other[0] != first[0]).any()
    assert [len(part) for part in make_digits(0, rng=np.random.default_rng(1))] == [0, 0]


@pytest.mark.parametrize(
    ("proportions", "min_accuracy"), [(0, 0.7), (strokes.PROPORTION_DEVIATION, 0.6)]
)
def test_the_digits_resemble_those_of_mnist(
    proportions: float, min_accuracy: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Check that a nearest-neighbour classifier on 5,000 MNIST digits reads most of them.

    Varied proportions, which are rare in MNIST, lower its accuracy.
    """
    monkeypatch.setattr(strokes, "PROPORTION_DEVIATION", proportions)
    pictures, digits = make_digits(1000, rng=np.random.default_rng(1))
    images, labels = read_mnist("train", 5000)
    known, unknown = (x.reshape(len(x), -1).astype(np.float32) / 255 for x in (images, pictures))
    distances = (known**2).sum(axis=1) - 2 * unknown @ known.T
    assert (labels[distances.argmin(axis=1)] == digits).mean() > min_accuracy
