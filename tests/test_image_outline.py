"""Outlines of cards, of round shapes and of shapes with bays are distinguished."""

import numpy as np
import pytest

from digitnet.image.marks.outline import fill_outline, has_four_corners, is_convex

Y, X = np.mgrid[-60:61, -60:61]


def polygon(corners: int, turn: float) -> np.ndarray:
    """Return the mask of a regular polygon turned by `turn` degrees, (121, 121)."""
    angles = np.deg2rad(turn) + 2 * np.pi * np.arange(corners) / corners
    reach = 55 * np.cos(np.pi / corners)
    return np.all([X * np.cos(a) + Y * np.sin(a) <= reach for a in angles], axis=0)


@pytest.mark.parametrize("turn", [0, 10, 45, 80])
@pytest.mark.parametrize("corners", [3, 4, 6])
def test_a_card_has_three_or_four_corners(corners: int, turn: int) -> None:
    assert has_four_corners(polygon(corners, turn)) == (corners <= 4)


@pytest.mark.parametrize("height", [30, 40, 55])
def test_an_oval_is_convex_and_has_no_corners(height: int) -> None:
    oval = np.hypot(Y / height, X / 55) < 1
    assert is_convex(oval)
    assert not has_four_corners(oval)


def test_a_crescent_is_not_convex() -> None:
    crescent = (np.hypot(Y, X) < 55) & (np.hypot(Y, X - 50) > 35)
    assert not is_convex(crescent)


def test_fill_outline_fills_holes() -> None:
    square = polygon(4, 10)
    pierced = square & (np.hypot(Y, X) > 20)
    assert (fill_outline(pierced) == fill_outline(square)).all()
