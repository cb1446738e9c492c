"""Connected parts, held against a flood."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from digitnet.image.ink.parts import parts_of

Masks = arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=12))


def flooded(marked: np.ndarray) -> set[frozenset[tuple[int, int]]]:
    """The pixels of each part, found by going from neighbour to neighbour."""
    left = {(int(y), int(x)) for y, x in np.argwhere(marked)}
    parts = set()
    while left:
        part, border = set(), [left.pop()]
        while border:
            y, x = border.pop()
            part.add((y, x))
            near = {(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)} & left
            left -= near
            border += near
        parts.add(frozenset(part))
    return parts


@given(Masks)
def test_parts_are_what_a_flood_reaches(marked: np.ndarray) -> None:
    found = set()
    for part in parts_of(marked):
        pixels = {(y, x) for y, start, end in part.runs for x in range(start, end)}
        assert part.area == len(pixels)
        rows, columns = zip(*pixels)
        assert (part.top, part.bottom) == (min(rows), max(rows) + 1)
        assert (part.left, part.right) == (min(columns), max(columns) + 1)
        found.add(frozenset(pixels))
    assert found == flooded(marked)


@given(st.integers(3, 30), st.integers(40, 90), st.integers(0, 180))
@example(3, 74, 27)
@example(3, 75, 63)
def test_a_bar_is_as_long_and_as_thick_as_it_is(thickness: int, length: int, turn: int) -> None:
    """Its length and thickness are off by no more than pixels make them.

    A bar whose two rims lie on pixels has a row too many. A thin bar aslant has columns of three
    and of four pixels; where those at its ends have three, its variance is that of a shorter bar.
    All 258,468 bars that may be drawn here were: the worst are off by 2.814 and 1.
    """
    y, x = np.mgrid[-60:61, -60:61]
    angle = np.deg2rad(turn)
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    (bar,) = parts_of((abs(along) <= length / 2) & (abs(across) <= thickness / 2))
    found_length, found_thickness = bar.as_bar()
    assert found_length == pytest.approx(length, abs=2.82)
    assert found_thickness == pytest.approx(thickness, abs=1 + 1e-9)


@given(Masks)
def test_a_part_covers_its_mask(marked: np.ndarray) -> None:
    for part in parts_of(marked):
        assert np.count_nonzero(part.mask()) == part.area
        assert (part.mask() <= marked[part.top : part.bottom, part.left : part.right]).all()
