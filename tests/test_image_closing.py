"""Closing, max filter and `holds_square` agree with their definitions, pixel by pixel."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from digitnet.image.ink.closing import (
    grey_closing,
    holds_square,
    max_filter_rows,
    padded_grey_closing,
)

SHAPES = array_shapes(min_dims=2, max_dims=2, max_side=12)
PICTURES = arrays(np.float32, SHAPES, elements=st.integers(0, 9).map(float))
MASKS = arrays(np.bool_, SHAPES)
SIZES = st.sampled_from([3, 5, 7, 9])


@given(PICTURES, SIZES)
def test_max_filter_of_rows(rows: np.ndarray, size: int) -> None:
    half = size // 2
    expected = [
        [row[max(i - half, 0) : i + half + 1].max() for i in range(len(row))] for row in rows
    ]
    assert max_filter_rows(rows, size).tolist() == np.array(expected).tolist()


@given(PICTURES, SIZES)
def test_closing_never_darkens_and_is_idempotent(light: np.ndarray, size: int) -> None:
    once = grey_closing(light, size)
    assert (once >= light).all()
    assert (grey_closing(once, size) == once).all()
    assert (padded_grey_closing(light, size) >= light).all()


def test_closing_bridges_strokes_thinner_than_its_square() -> None:
    light = np.ones((20, 20), np.float32)
    light[:, 8:12] = 0
    assert (grey_closing(light, 5) == 1).all()
    assert (grey_closing(light, 3) == light).all()


@given(MASKS, SIZES)
def test_a_square_fits_where_all_its_pixels_are_marked(mask: np.ndarray, side: int) -> None:
    height, width = mask.shape
    fits = any(
        mask[y : y + side, x : x + side].all()
        for y in range(height - side + 1)
        for x in range(width - side + 1)
    )
    assert holds_square(mask, side) == fits
