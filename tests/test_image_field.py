"""Ink keeps its shape and strength on the field; small digits get edges as sharp as large ones."""

import numpy as np
import pytest
from conftest import read_mnist
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from digitnet.image.field import BOX, _resampling_matrix, enlarge, fit_to_box, sharpen
from digitnet.image.reading import prepare

INK = st.tuples(st.integers(1, 60), st.integers(1, 60)).flatmap(
    lambda shape: arrays(np.float32, shape, elements=st.floats(0, 1, width=32))
)


@given(INK, st.floats(0.25, 60))
def test_fitted_ink_fills_the_box_and_stays_between_0_and_1(ink: np.ndarray, width: float) -> None:
    fit = fit_to_box(ink, width)
    assert max(fit.shape) == BOX
    assert fit.dtype == np.float32
    assert fit.min() >= 0
    assert fit.max() <= 1


@given(st.integers(1, 90), st.integers(1, 90))
def test_resampling_keeps_an_even_shade(n_in: int, n_out: int) -> None:
    assert _resampling_matrix(n_in, n_out).sum(axis=1) == pytest.approx(1)


def test_scaling_down_averages() -> None:
    expected = np.array([[3, 3, 1, 0], [0, 1, 3, 3]]) / 7
    assert _resampling_matrix(4, 2).tolist() == pytest.approx(expected)


@settings(max_examples=30)
@given(INK)
def test_enlarged_ink_stays_between_0_and_1_and_keeps_an_even_shade(ink: np.ndarray) -> None:
    larger = enlarge(ink)
    assert larger.shape == (4 * ink.shape[0], 4 * ink.shape[1])
    assert larger.min() >= 0
    assert larger.max() <= 1
    assert enlarge(np.full_like(ink, 0.7)) == pytest.approx(0.7)


def test_enlarging_follows_a_curve() -> None:
    curve = (np.arange(17.0) / 16)[:, np.newaxis] ** 2
    places = ((np.arange(68) + 0.5) / 4 - 0.5) / 16
    assert enlarge(curve)[8:-8, 0] == pytest.approx(places[8:-8] ** 2, abs=1e-6)


def test_enlarged_digits_get_steeper_edges() -> None:
    ink = np.linspace(0, 1, 21)[np.newaxis]
    for size in (5, 10, 19):
        steps = np.diff(sharpen(ink, size))
        assert steps.max() == pytest.approx(0.05 * (BOX / size) ** 0.5)
        assert sharpen(ink, size)[0, 10] == 0.5


def test_a_digit_of_ten_pixels_keeps_about_its_greyness() -> None:
    def greyness(picture: Image.Image | np.ndarray) -> float:
        ink = prepare(picture) / 255
        return float((ink * (1 - ink)).sum() / ink.sum())

    digits = [Image.fromarray(digit) for digit in read_mnist("train", 40)[0]]
    small = [digit.resize((14, 14), Image.Resampling.BICUBIC) for digit in digits]
    resized = [picture.resize((28, 28), Image.Resampling.BILINEAR) for picture in small]
    as_drawn, as_small, as_resized = (
        np.mean([greyness(picture) for picture in pictures])
        for pictures in (digits, small, resized)
    )
    assert abs(as_small - as_drawn) < abs(as_resized - as_drawn) / 2
