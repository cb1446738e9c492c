"""The shape of an outline: cards and round things are told apart, and from digits."""

import numpy as np
import pytest

from digitnet.image.marks.outline import has_four_corners, is_convex, outline_of

Y, X = np.mgrid[-60:61, -60:61]


def polygon(corners: int, turn: float) -> np.ndarray:
    angles = np.deg2rad(turn) + 2 * np.pi * np.arange(corners) / corners
    reach = 55 * np.cos(np.pi / corners)
    return np.all([X * np.cos(a) + Y * np.sin(a) <= reach for a in angles], axis=0)


@pytest.mark.parametrize("turn", [0, 10, 45, 80])
@pytest.mark.parametrize("corners", [3, 4, 6])
def test_up_to_four_corners_are_those_of_a_card(corners: int, turn: int) -> None:
    assert has_four_corners(polygon(corners, turn)) == (corners <= 4)


@pytest.mark.parametrize("height", [30, 40, 55])
def test_an_oval_is_convex_and_has_no_corners(height: int) -> None:
    oval = np.hypot(Y / height, X / 55) < 1
    assert is_convex(oval)
    assert not has_four_corners(oval)


def test_what_has_a_bay_is_not_convex() -> None:
    moon = (np.hypot(Y, X) < 55) & (np.hypot(Y, X - 50) > 35)
    assert not is_convex(moon)


def test_an_outline_has_no_gaps() -> None:
    square = polygon(4, 10)
    pierced = square & (np.hypot(Y, X) > 20)
    assert (outline_of(pierced) == outline_of(square)).all()
