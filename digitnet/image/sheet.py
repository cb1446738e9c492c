"""Sheets of paper on a table, cards, stickers, and the paper in a printed box."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from digitnet.activations import FloatArray
from digitnet.image.ink import widened

Bools = NDArray[np.bool_]
Box = tuple[int, int, int, int]  # top, left, bottom, right

LEAST, LONGEST = 30, 2  # pixels of its shorter side, and times that: longer is a 1
LONGEST_EMPTY = 1.6  # times its shorter side: what is longer, and empty, is a broad 1
FILLED = 0.5  # of its box: what covers more may be a sheet
SOLID = 0.8  # of what lies within its outline: the rest may be a digit on it
ROUNDED = 1.3  # times as long as wide, at most: longer ones without corners may be a 0
QUADRANGLE = 0.93  # of a sheet and of what is between its corners is common: of digits 0.90
CONVEX = 0.93  # of one without corners, and of what is between so many points of its outline
ROUND, TAG = 16, 8  # directions that those are the farthest in, of a round one, of a longer one
RIM = 0.035  # of the shorter side: left away, for shadows at its edge
FRAME = 0.12  # of that side: so thick are the lines of a printed box, at most
LONGEST_FRAME = 1.3  # times: what is longer may be a 0 of straight lines


class Sheet(NamedTuple):
    """inside: (h, w), where there is nothing else. part: the box around it in the picture, of which
    `step` pixels are one of `inside`. is_cornered: whether it has four corners, as no digit but a
    bar has. may_be_digit: a broad 1, or a 0.
    """

    inside: Bools
    part: Box
    step: int
    is_cornered: bool
    may_be_digit: bool

    def within(self, shape: tuple[int, ...], part: Box, step: int) -> Bools:
        """Where it is in a part of the picture, of which so many pixels are one of the shape."""
        rows, columns = (
            np.clip((step * np.arange(n) + step // 2 + start - first) // self.step, 0, length - 1)
            for n, start, first, length in zip(shape, part, self.part, self.inside.shape)
        )
        return self.inside[rows[:, np.newaxis], columns]


def alone(light: FloatArray, inside: Bools) -> FloatArray:
    """The light (h, w) of what is inside, going on to the left and right as at its edges."""
    width = light.shape[1]
    first, last = inside.argmax(axis=1), width - 1 - inside[:, ::-1].argmax(axis=1)
    nearest = np.clip(np.arange(width), first[:, np.newaxis], last[:, np.newaxis])
    return np.take_along_axis(light, nearest, axis=1)


def sheet_of(mask: Bools, box: tuple[slice, slice], part: Box, step: int) -> Sheet | None:
    """The sheet that marks are, if they are one: convex, and with few gaps, or but one.

    That one is the paper in a printed box: a square one, or it could be a 0 of straight lines.

    mask: (h, w), where they are in their box: rows and columns in a part of a picture, of which so
    many pixels are one of the mask.
    """
    shorter, longer = sorted(mask.shape)
    if shorter < LEAST or longer > LONGEST * shorter:
        return None
    frame = max(round(FRAME * shorter), 1)
    is_frame = longer < LONGEST_FRAME * shorter and not mask[frame:-frame, frame:-frame].any()
    area = np.count_nonzero(mask)
    if area < FILLED * mask.size and not is_frame:
        return None
    outline = _outline(mask)
    if area <= SOLID * np.count_nonzero(outline) and not is_frame:
        return None
    is_cornered = _has_corners(outline)
    if not is_cornered and (is_frame or not _is_rounded(outline)):
        return None
    rim = frame if is_frame else max(round(RIM * shorter), 1)
    inside = ~widened(np.pad(~outline, 1, constant_values=True), rim)[1:-1, 1:-1]
    rows, columns = (np.flatnonzero(inside.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return None
    inside = inside[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    top = part[0] + step * (box[0].start + int(rows[0]))
    left = part[1] + step * (box[1].start + int(columns[0]))
    height, width = (step * length for length in inside.shape)
    part = top, left, min(top + height, part[2]), min(left + width, part[3])
    may_be_digit = not is_cornered or longer > LONGEST_EMPTY * shorter
    return Sheet(inside, part, step, is_cornered, may_be_digit)


def _outline(mask: Bools) -> Bools:
    """What has marks on all four sides, (h, w), or is marked itself."""
    across, down = (
        np.logical_or.accumulate(m, 1) & np.logical_or.accumulate(m[:, ::-1], 1)[:, ::-1]
        for m in (mask, mask.T)
    )
    outline: Bools = across & down.T
    return outline


def _has_corners(outline: Bools) -> bool:
    """Whether it has four of them, as no digit but a bar has."""
    y, x = np.nonzero(outline)
    return any(
        _alike(y, x, [int(end.argmax()) for end in ends]) > QUADRANGLE
        for ends in ((y + x, y - x, -y - x, x - y), (y, -x, -y, x))
    )


def _is_rounded(outline: Bools) -> bool:
    """Whether it is convex, and hardly longer than wide, or else has straight sides, as a tag."""
    shorter, longer = sorted(outline.shape)
    is_long = longer > ROUNDED * shorter
    directions, least = (TAG, QUADRANGLE) if is_long else (ROUND, CONVEX)
    y, x = np.nonzero(outline)
    turns = 2 * math.pi * np.arange(directions) / directions
    farthest = [int((x * c + y * s).argmax()) for c, s in zip(np.cos(turns), np.sin(turns))]
    return _alike(y, x, farthest) > least


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
