"""Connected components agree with a flood fill; bars have the length and thickness drawn."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from digitnet.image.ink.components import connected_components

Masks = arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=12))


def flooded(marked: np.ndarray) -> set[frozenset[tuple[int, int]]]:
    """Return the pixels of each connected component, found by flood fill."""
    left = {(int(y), int(x)) for y, x in np.argwhere(marked)}
    components = set()
    while left:
        component, border = set(), [left.pop()]
        while border:
            y, x = border.pop()
            component.add((y, x))
            near = {(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)} & left
            left -= near
            border += near
        components.add(frozenset(component))
    return components


@given(Masks)
def test_components_agree_with_a_flood_fill(marked: np.ndarray) -> None:
    found = set()
    for component in connected_components(marked):
        pixels = {(y, x) for y, start, end in component.runs for x in range(start, end)}
        assert component.area == len(pixels)
        rows, columns = zip(*pixels)
        assert (component.top, component.bottom) == (min(rows), max(rows) + 1)
        assert (component.left, component.right) == (min(columns), max(columns) + 1)
        found.add(frozenset(pixels))
    assert found == flooded(marked)


@given(st.integers(3, 30), st.integers(40, 90), st.integers(0, 180))
@example(3, 74, 27)
@example(3, 75, 63)
def test_as_bar_measures_length_and_thickness(thickness: int, length: int, turn: int) -> None:
    """The errors are those of drawing a bar in pixels.

    A bar whose two long sides lie on pixel centres has one row too many. A thin slanted bar has
    columns of three and of four pixels; if the columns at its ends have three, its variance is that
    of a shorter bar. Among all 258,468 bars of these ranges the largest errors are 2.814 and 1.
    """
    y, x = np.mgrid[-60:61, -60:61]
    angle = np.deg2rad(turn)
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    (bar,) = connected_components((abs(along) <= length / 2) & (abs(across) <= thickness / 2))
    found_length, found_thickness = bar.as_bar()
    assert found_length == pytest.approx(length, abs=2.82)
    assert found_thickness == pytest.approx(thickness, abs=1 + 1e-9)


@given(Masks)
def test_the_mask_of_a_component_has_its_area(marked: np.ndarray) -> None:
    for component in connected_components(marked):
        assert np.count_nonzero(component.mask()) == component.area
        assert (component.mask() <= marked[component.slices]).all()
