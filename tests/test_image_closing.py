"""Closing and the room in a mask are what their definitions say, pixel by pixel."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from digitnet.image.ink.closing import closed, closed_beyond, greatest, holds_square

SHAPES = array_shapes(min_dims=2, max_dims=2, max_side=12)
PICTURES = arrays(np.float32, SHAPES, elements=st.integers(0, 9).map(float))
MASKS = arrays(np.bool_, SHAPES)
REACHES = st.sampled_from([3, 5, 7, 9])


@given(PICTURES, REACHES)
def test_the_greatest_within_reach(rows: np.ndarray, reach: int) -> None:
    half = reach // 2
    expected = [
        [row[max(i - half, 0) : i + half + 1].max() for i in range(len(row))] for row in rows
    ]
    assert greatest(rows, reach).tolist() == np.array(expected).tolist()


@given(PICTURES, REACHES)
def test_closing_lightens_and_twice_is_as_once(light: np.ndarray, reach: int) -> None:
    once = closed(light, reach)
    assert (once >= light).all()
    assert (closed(once, reach) == once).all()
    assert (closed_beyond(light, reach) >= light).all()


def test_closing_bridges_what_is_thinner_than_its_square() -> None:
    light = np.ones((20, 20), np.float32)
    light[:, 8:12] = 0
    assert (closed(light, 5) == 1).all()
    assert (closed(light, 3) == light).all()


@given(MASKS, REACHES)
def test_a_square_fits_where_all_its_pixels_do(mask: np.ndarray, side: int) -> None:
    height, width = mask.shape
    fits = any(
        mask[y : y + side, x : x + side].all()
        for y in range(height - side + 1)
        for x in range(width - side + 1)
    )
    assert holds_square(mask, side) == fits
