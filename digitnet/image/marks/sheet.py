"""Find sheets of paper on a table, cards, stickers, and the paper in a printed box."""

from typing import NamedTuple

import numpy as np

from digitnet.arrays import FloatArray
from digitnet.image.ink.components import connected_components
from digitnet.image.ink.ink import Bools, bounding_box, erode, otsu
from digitnet.image.ink.uneven import smooth
from digitnet.image.marks.outline import fill_outline, has_four_corners, is_convex

Box = tuple[int, int, int, int]  # top, left, bottom, right

MIN_SHORTER = 21  # px of a sheet's shorter side: more than MNIST's digits have
MAX_RATIO = 2  # longer to shorter side: longer marks are a 1
MAX_CORNERED_RATIO = 1.6  # longer to shorter side: longer sheets may be a broad 1
MAX_ROUND_RATIO = 1.3  # longer to shorter side: longer marks without corners may be a 0
MAX_FRAME_RATIO = 1.3  # longer to shorter side: longer frames may be a 0 of straight lines
MIN_FILL = 0.5  # of the bounding box: marks that cover less are no sheet
MIN_SOLID = 0.8  # of the filled outline: marks that cover less are no sheet
EDGE_RIM = 0.035  # of the shorter side: removed along the edge of a sheet, for shadows there
FRAME_RIM = 0.12  # of the shorter side: removed for the lines of a printed box
MIN_SHARE, MAX_SHARE = 0.1, 0.97  # of the picture: size of a sheet on a desk
MIN_RAGGED_SOLID = 0.8  # of the filled outline: covered by a page without straight edges
MIN_RAGGED_FILL = 0.7  # of the bounding box: covered by the filled outline of such a page


class Sheet(NamedTuple):
    """A sheet of paper in a picture.

    inside: (h, w), mask of the sheet without its rim, at 1/step of the picture's resolution.
    part: the region of the picture, px, that `inside` covers. is_cornered: whether the sheet has
    three or four corners and is too broad to be a 1.
    """

    inside: Bools
    part: Box
    step: int
    is_cornered: bool

    def within(self, shape: tuple[int, ...], part: Box, step: int) -> Bools:
        """Return the mask of the sheet in region `part` of the picture, resampled to `shape`.

        step: pixels of the picture per pixel of the mask.
        """
        rows, columns = (
            np.clip((step * np.arange(n) + step // 2 + start - first) // self.step, 0, length - 1)
            for n, start, first, length in zip(shape, part, self.part, self.inside.shape)
        )
        return self.inside[rows[:, np.newaxis], columns]


def in_picture(box: tuple[slice, slice], part: Box, step: int) -> Box:
    """Return the box, px of the picture, of rows and columns in region `part` reduced by `step`."""
    (top, left, bottom, right), (rows, columns) = part, box
    return (
        top + step * rows.start,
        left + step * columns.start,
        min(top + step * rows.stop, bottom),
        min(left + step * columns.stop, right),
    )


def fill_outside(light: FloatArray, inside: Bools) -> FloatArray:
    """Return brightness (h, w) with each row extended from its first and last pixel inside.

    inside: mask (h, w).
    """
    width = light.shape[1]
    first, last = inside.argmax(axis=1), width - 1 - inside[:, ::-1].argmax(axis=1)
    nearest = np.clip(np.arange(width), first[:, np.newaxis], last[:, np.newaxis])
    return np.take_along_axis(light, nearest, axis=1)


def sheet_of(mask: Bools, box: tuple[slice, slice], part: Box, step: int) -> Sheet | None:
    """Return the sheet if marks are a sheet, the paper inside if they are a printed box, or None.

    A sheet is a card or convex, and has few gaps. A printed box is nearly square; a longer one
    could be a 0 of straight lines.

    mask: (h, w), of the marks in their bounding box. box: its rows and columns in region `part` of
    the picture reduced by `step`.
    """
    shorter, longer = sorted(mask.shape)
    if shorter < MIN_SHORTER or longer > MAX_RATIO * shorter:
        return None
    frame = max(round(FRAME_RIM * shorter), 1)
    is_frame = longer < MAX_FRAME_RATIO * shorter and not mask[frame:-frame, frame:-frame].any()
    area = np.count_nonzero(mask)
    if area < MIN_FILL * mask.size and not is_frame:
        return None
    filled = fill_outline(mask)
    if area <= MIN_SOLID * np.count_nonzero(filled) and not is_frame:
        return None
    is_cornered = has_four_corners(filled)
    is_round = longer <= MAX_ROUND_RATIO * shorter and is_convex(filled)
    if not is_cornered and (is_frame or not is_round):
        return None
    rim = frame if is_frame else max(round(EDGE_RIM * shorter), 1)
    is_cornered = is_cornered and longer <= MAX_CORNERED_RATIO * shorter
    return _without_rim(filled, rim, in_picture(box, part, step), step, is_cornered=is_cornered)


def _without_rim(
    filled: Bools, rim: int, part: Box, step: int, *, is_cornered: bool
) -> Sheet | None:
    """Return the sheet left of a filled mask (h, w) eroded by `rim`; None if nothing is left.

    part: the region of the picture, px, that the mask covers.
    """
    inside = erode(filled, rim)
    if not inside.any():
        return None
    box = bounding_box(inside)
    return Sheet(inside[box], in_picture(box, part, step), step, is_cornered)


def lightest_sheet(light: FloatArray, part: Box, step: int) -> Sheet | None:
    """Return the sheet that is the largest light component of a picture, ragged or not.

    light: (h, w), of region `part` of the picture reduced by `step`. None without a sheet.
    """
    light = smooth(light)
    threshold, _, _ = otsu(light)
    components = connected_components(light > threshold)
    paper = max(components, key=lambda component: component.area, default=None)
    if paper is None or not MIN_SHARE * light.size < paper.area < MAX_SHARE * light.size:
        return None
    if paper.height * paper.width > MAX_SHARE * light.size:
        return None
    mask = paper.mask()
    sheet = sheet_of(mask, paper.slices, part, step)
    filled = fill_outline(mask)
    area = np.count_nonzero(filled)
    if sheet or paper.area <= MIN_RAGGED_SOLID * area or area <= MIN_RAGGED_FILL * filled.size:
        return sheet
    rim = max(round(EDGE_RIM * min(filled.shape)), 1)
    return _without_rim(filled, rim, in_picture(paper.slices, part, step), step, is_cornered=False)
