"""Take away what is drawn but not written: frames, lines of tables, edges of the page.

Digits that touch a frame or a line are freed: straight thin runs longer than a digit go, and
strokes that cross them stay.
"""

import numpy as np

from digitnet.image.ink.ink import LEAST_PAGE, Bools, Ink, stroke_width
from digitnet.image.ink.parts import Part, parts_of, runs_of

SPECK = 6  # pixels: smaller components are dirt
LEAST_FRAME = 20  # pixels of the shorter side of what goes around a digit
OPEN = 0.3  # of its box: what goes around something covers no more
INSIDE = 0.1  # of a frame's height: what is in it is so high
MARGIN = 0.3  # of the picture's shorter side: both sides of a frame that hugs its box are longer
ALONG_BORDER = 0.5  # of the picture's shorter side: a component at the border so long is an edge
SOLID = 0.4  # of its box: an edge that covers more is no line, but a table or a page
WIDE, HIGH = 2.5, 2.2  # typical heights: what is wider or higher holds more than a digit
RUN = 1.5  # typical heights: straight runs so long are no strokes
SLOPE_STEPS = 1.7  # stroke widths: thickest run, with the steps of lines aslant


def written_parts(ink: Ink) -> list[Part]:
    """Return the components of the ink that may be written, free of structure."""
    marked = ink.marked
    height, width = marked.shape
    parts = [part for part in parts_of(marked) if part.area >= SPECK]
    if not ink.is_even:
        parts = [part for part in parts if part.touches(ink.sure)]
    if not parts:
        return []
    structure = _structure(parts, height, width)
    others = [part for part in parts if part not in structure]
    typical = typical_height([part for part in others if 5 * part.height >= part.width] or parts)
    return [
        piece
        for part in parts
        for piece in _freed(part, typical, marked.shape, is_structure=part in structure)
    ]


def typical_height(parts: list[Part]) -> float:
    """Return the median height, each part counted by its height: specks count little."""
    heights = np.sort([part.height for part in parts])
    counted = np.cumsum(heights)
    return float(heights[np.searchsorted(counted, counted[-1] / 2)])


def _structure(parts: list[Part], height: int, width: int) -> set[Part]:
    """Return the components that go around others, hug their box or lie along the border."""
    shorter = min(height, width)
    if shorter < LEAST_PAGE:
        return set(around_others(parts))
    hugging = {
        part
        for part in parts
        if min(part.height, part.width) > MARGIN * shorter
        and part.area < OPEN * part.height * part.width
        and part.hugs_its_box()
    }
    along = {
        part
        for part in parts
        if part.longer > ALONG_BORDER * shorter and part.is_at_border(height, width)
    }
    return {*around_others(parts), *hugging, *along}


def around_others(parts: list[Part]) -> list[Part]:
    """Return the parts with something high inside their box: frames."""
    sides = np.array([(part.top, part.left, -part.bottom, -part.right) for part in parts])
    heights = np.array([part.height for part in parts])
    around = []
    for part, own in zip(parts, sides):
        if part.area > OPEN * part.height * part.width:
            continue
        if min(part.height, part.width) < LEAST_FRAME:
            continue
        if (heights[(sides > own).all(axis=1)] >= INSIDE * part.height).any():
            around.append(part)
    return around


def _freed(part: Part, typical: float, shape: tuple[int, ...], *, is_structure: bool) -> list[Part]:
    """Return what of a part is written: the part, pieces of it without long lines, or nothing."""
    wide, high = part.width > WIDE * typical, part.height > HIGH * typical
    if not (wide or high or is_structure):
        return [part]
    is_solid = part.area > SOLID * part.height * part.width
    if is_structure and is_solid and (high or wide) and part.is_at_border(*shape):
        return []
    mask = part.mask()
    least = RUN * typical
    if not (is_structure or high):  # an underline, not the feet of two digits
        least = max(1.2 * part.height, 0.6 * part.width)
    thickest = max(int(SLOPE_STEPS * min(stroke_width(mask), 0.3 * typical)) + 1, 3)
    left = mask.copy()
    if wide or is_structure:
        left &= ~_long_runs(mask, max(int(least), 10), thickest)
    if high or is_structure:
        left &= ~_long_runs(mask.T, max(int(least), 10), thickest).T
    if np.count_nonzero(left) == part.area:
        return [part]
    frame = part if is_structure and min(part.height, part.width) > 2 * typical else None
    return [
        piece.moved(part.top, part.left, shape[1])
        for piece in (parts_of(left) if left.any() else [])
        if piece.area >= SPECK and not (frame and _is_corner(piece, frame, typical))
    ]


def _is_corner(piece: Part, frame: Part, typical: float) -> bool:
    """Return whether a piece of a frame, in its box, is what is left of its corners."""
    margin = max(0.04 * frame.longer, typical / 4)
    near = (
        piece.top < margin,
        piece.left < margin,
        piece.bottom > frame.height - margin,
        piece.right > frame.width - margin,
    )
    is_small = piece.height < 0.5 * typical or piece.width < 0.3 * typical
    return any(near) and (is_small or sum(near) > 1)


def _long_runs(mask: Bools, least: int, thickest: int) -> Bools:
    """Return where the mask is in level runs of `least` pixels that are at most so thick.

    A run may step by a row, as lines aslant do. Where it is thicker, a stroke crosses, and stays.
    """
    height, width = mask.shape
    found = np.zeros(mask.shape, np.bool_)
    if width < least:
        return found
    stepped = mask.copy()
    stepped[1:] |= mask[:-1]
    stepped[:-1] |= mask[1:]
    counts = np.zeros((height, width + 1), np.int32)
    np.cumsum(stepped, axis=1, out=counts[:, 1:])
    starts = counts[:, least:] - counts[:, :-least] == least
    covered = np.zeros((height, width + 1), np.int32)
    covered[:, : starts.shape[1]] += starts
    covered[:, least:] -= starts
    lines = (np.cumsum(covered, axis=1)[:, :-1] > 0) & mask
    above = np.zeros((height + 1, width), np.int32)
    np.cumsum(lines, axis=0, out=above[1:])
    runs = [
        (column, start, end)
        for column, start, end in runs_of(mask.T)
        if end - start <= thickest and above[end, column] > above[start, column]
    ]
    if runs:  # where a line goes along a stroke, both together are thicker than most of the line
        usual = float(np.median([end - start for _, start, end in runs]))
        for column, start, end in runs:
            found[start:end, column] = end - start <= SLOPE_STEPS * usual + 1
    return found
