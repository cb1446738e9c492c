"""Classify the outline of a mask: a card with corners, a round sheet, or neither."""

import math

import numpy as np
from numpy.typing import NDArray

from digitnet.image.ink.ink import Bools

MIN_CARD_OVERLAP = 0.93  # common to mask and polygon of its corners; digits have up to 0.90
MIN_CONVEX_OVERLAP = 0.93  # common to mask and polygon of its farthest points
DIRECTIONS = 16  # number of those farthest points


def fill_outline(mask: Bools) -> Bools:
    """Return the mask (h, w) with every pixel that has marks on all four sides added."""
    across, down = (
        np.logical_or.accumulate(m, 1) & np.logical_or.accumulate(m[:, ::-1], 1)[:, ::-1]
        for m in (mask, mask.T)
    )
    filled: Bools = across & down.T
    return filled


def has_four_corners(filled: Bools) -> bool:
    """Return whether a filled mask is a polygon of three or four corners, as a card is.

    Of the digits only a straight 1 has this shape.
    """
    y, x = np.nonzero(filled)
    return any(
        _overlap(y, x, [int(end.argmax()) for end in ends]) > MIN_CARD_OVERLAP
        for ends in ((y + x, y - x, -y - x, x - y), (y, -x, -y, x))
    )


def is_convex(filled: Bools) -> bool:
    """Return whether a filled mask, round or not, is like the polygon of its farthest points."""
    y, x = np.nonzero(filled)
    angles = 2 * math.pi * np.arange(DIRECTIONS) / DIRECTIONS
    farthest = [int((x * c + y * s).argmax()) for c, s in zip(np.cos(angles), np.sin(angles))]
    return _overlap(y, x, farthest) > MIN_CONVEX_OVERLAP


def _overlap(y: NDArray[np.intp], x: NDArray[np.intp], corners: list[int]) -> float:
    """Return the overlap of pixels and the polygon of some of them: common to larger area, 0 to 1.

    y, x: (n,), of the pixels. corners: indices into both.
    """
    twice_area, steps = 0, 0  # of the polygon between pixel centres; px along its sides
    inside = np.ones(len(y), np.bool_)
    for one, two in zip(corners, corners[1:] + corners[:1]):
        dy, dx = int(y[two] - y[one]), int(x[two] - x[one])
        # A pixel may lie up to a pixel's width outside a side.
        inside &= dx * (y - y[one]) - dy * (x - x[one]) >= -math.hypot(dy, dx)
        twice_area += int(x[one]) * dy - int(y[one]) * dx
        steps += max(abs(dy), abs(dx))
    area = (abs(twice_area) + steps) / 2 + 1  # number of pixels, about: Pick's theorem
    common = min(float(np.count_nonzero(inside)), area)
    return common / max(float(len(y)), area)
