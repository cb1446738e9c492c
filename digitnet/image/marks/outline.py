"""What shape the outline of marks has: that of a card, a round sheet, or neither."""

import math

import numpy as np
from numpy.typing import NDArray

from digitnet.image.ink.ink import Bools

STRAIGHT = 0.93  # of it and of what is between its corners is common: of digits 0.90
CONVEX = 0.93  # of it and of what is between many points of its rim
DIRECTIONS = 16  # in which those points are the farthest


def outline_of(mask: Bools) -> Bools:
    """What has marks on all four sides, (h, w), or is marked itself."""
    across, down = (
        np.logical_or.accumulate(m, 1) & np.logical_or.accumulate(m[:, ::-1], 1)[:, ::-1]
        for m in (mask, mask.T)
    )
    outline: Bools = across & down.T
    return outline


def has_four_corners(outline: Bools) -> bool:
    """Whether it is a card (or has three corners), as no digit but a bar is."""
    y, x = np.nonzero(outline)
    return any(
        _alike(y, x, [int(end.argmax()) for end in ends]) > STRAIGHT
        for ends in ((y + x, y - x, -y - x, x - y), (y, -x, -y, x))
    )


def is_convex(outline: Bools) -> bool:
    """Whether it has no bays, round or not: it is like the polygon of its farthest points."""
    y, x = np.nonzero(outline)
    turns = 2 * math.pi * np.arange(DIRECTIONS) / DIRECTIONS
    farthest = [int((x * c + y * s).argmax()) for c, s in zip(np.cos(turns), np.sin(turns))]
    return _alike(y, x, farthest) > CONVEX


def _alike(y: NDArray[np.intp], x: NDArray[np.intp], corners: list[int]) -> float:
    """How much of pixels and of the polygon between corners among them is common: 0 to 1."""
    twice, steps = 0, 0  # the area between the corners' middles, and pixels around it
    inside = np.ones(len(y), np.bool_)
    for one, two in zip(corners, corners[1:] + corners[:1]):
        dy, dx = int(y[two] - y[one]), int(x[two] - x[one])
        inside &= dx * (y - y[one]) - dy * (x - x[one]) >= -math.hypot(dy, dx)  # a pixel off
        twice += int(x[one]) * dy - int(y[one]) * dx
        steps += max(abs(dy), abs(dx))
    within = (abs(twice) + steps) / 2 + 1  # in pixels, about: Pick's theorem
    both = min(float(np.count_nonzero(inside)), within)
    return both / max(float(len(y)), within)
