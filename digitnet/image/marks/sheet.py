"""Sheets of paper on a table, cards, stickers, and the paper in a printed box."""

from typing import NamedTuple

import numpy as np

from digitnet.arrays import FloatArray
from digitnet.image.ink.ink import Bools, box_of, narrowed, otsu
from digitnet.image.ink.parts import parts_of
from digitnet.image.ink.uneven import smoothed
from digitnet.image.marks.outline import has_four_corners, is_convex, outline_of

Box = tuple[int, int, int, int]  # top, left, bottom, right

LEAST = 21  # pixels of its shorter side: more than MNIST's digits have
LONGEST = 2  # times that: longer is a 1
LONGEST_CORNERED = 1.6  # times its shorter side: longer ones may be a broad 1
ROUNDED = 1.3  # times as long as wide, at most: longer ones without corners may be a 0
FILLED = 0.5  # of its box: what covers more may be a sheet
SOLID = 0.8  # of what lies within its outline: the rest may be a digit on it
RIM = 0.035  # of the shorter side: left away, for shadows at its edge
FRAME = 0.12  # of that side: so thick are the lines of a printed box, at most
LONGEST_FRAME = 1.3  # times: what is longer may be a 0 of straight lines
LEAST_SHARE, MOST_SHARE = 0.1, 0.97  # of the picture: how large a sheet on a desk is
RAGGED, RAGGED_BOX = 0.8, 0.7  # of its outline, of its box: a page without straight edges fills


class Sheet(NamedTuple):
    """inside: (h, w), where there is nothing else. part: the box around it in the picture, of which
    `step` pixels are one of `inside`. is_cornered: whether it has four corners, as no digit but a
    bar has, and is not as long as one.
    """

    inside: Bools
    part: Box
    step: int
    is_cornered: bool

    def within(self, shape: tuple[int, ...], part: Box, step: int) -> Bools:
        """Where it is in a part of the picture, of which so many pixels are one of the shape."""
        rows, columns = (
            np.clip((step * np.arange(n) + step // 2 + start - first) // self.step, 0, length - 1)
            for n, start, first, length in zip(shape, part, self.part, self.inside.shape)
        )
        return self.inside[rows[:, np.newaxis], columns]


def in_picture(box: tuple[slice, slice], part: Box, step: int) -> Box:
    """Rows and columns of a part of the picture as a box in it, of which `step` pixels are one."""
    (top, left, bottom, right), (rows, columns) = part, box
    return (
        top + step * rows.start,
        left + step * columns.start,
        min(top + step * rows.stop, bottom),
        min(left + step * columns.stop, right),
    )


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
    outline = outline_of(mask)
    if area <= SOLID * np.count_nonzero(outline) and not is_frame:
        return None
    is_cornered = has_four_corners(outline)
    is_round = longer <= ROUNDED * shorter and is_convex(outline)
    if not is_cornered and (is_frame or not is_round):
        return None
    rim = frame if is_frame else max(round(RIM * shorter), 1)
    is_cornered = is_cornered and longer <= LONGEST_CORNERED * shorter
    return _within(outline, rim, in_picture(box, part, step), step, is_cornered=is_cornered)


def _within(outline: Bools, rim: int, part: Box, step: int, *, is_cornered: bool) -> Sheet | None:
    """Return the sheet within an outline (h, w) that lies at `part`; None if nothing is left."""
    inside = narrowed(outline, rim)
    if not inside.any():
        return None
    at = box_of(inside)
    return Sheet(inside[at], in_picture(at, part, step), step, is_cornered)


def lightest_sheet(light: FloatArray, part: Box, step: int) -> Sheet | None:
    """Return the sheet of paper that the largest lighter part is, ragged or not.

    light: (h, w), of the rows and columns `part` of a picture, of which `step` pixels are one.
    """
    light = smoothed(light)
    threshold, _, _ = otsu(light)
    paper = max(parts_of(light > threshold), key=lambda one: one.area, default=None)
    if paper is None or not LEAST_SHARE * light.size < paper.area < MOST_SHARE * light.size:
        return None
    if paper.height * paper.width > MOST_SHARE * light.size:
        return None
    mask = paper.mask()
    sheet = sheet_of(mask, paper.slices, part, step)
    outline = outline_of(mask)
    area = np.count_nonzero(outline)
    if sheet or paper.area <= RAGGED * area or area <= RAGGED_BOX * outline.size:
        return sheet
    rim = max(round(RIM * min(outline.shape)), 1)
    return _within(outline, rim, in_picture(paper.slices, part, step), step, is_cornered=False)
