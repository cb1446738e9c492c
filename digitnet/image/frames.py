"""Boxes, circles, cells and grids around what is written."""

from digitnet.image.ink import DOT, LEAST_PAGE, Bools, stroke_width
from digitnet.image.lines import without_box
from digitnet.image.parts import BAR, Part, parts_of

ALONG = 0.6  # of a side of the picture, or of several: what covers so much goes on outside
FRAME = 0.15  # of the picture's longer side: the sides of a frame
ROUND = 1.3  # times as high as wide, at most: a circle
MARGIN = 0.05  # of a box's height and width: a digit is so far from the two sides that are seen
IN_FRAME = 0.3  # of a frame's height: what is in it is higher, unlike the curl inside a 0
IN_GRID = 0.1  # of a grid's


def without_touched_boxes(marked: Bools, parts: list[Part]) -> Bools:
    """Without boxes around what is high enough for a digit and touches their sides."""
    if max(marked.shape) < LEAST_PAGE:
        return marked
    least = FRAME * max(marked.shape)
    for part in parts:
        if min(part.height, part.width) >= least and part.may_be_box(marked):
            mask = part.mask()
            inside = without_box(mask)
            if inside is mask:
                continue
            if any(one.height > IN_FRAME * part.height for one in parts_of(inside)):
                marked = marked.copy()
                marked[part.slices] &= inside | ~mask
    return marked


def without_frames(parts: list[Part], height: int, width: int) -> list[Part]:
    """Without boxes, circles and rows of cells around others, and boxes that are like those."""
    frames = [part for part in parts if _is_frame(part, parts, height, width)]
    if not frames:
        return parts
    return [
        part
        for part in parts
        if part not in frames
        and not (part.hugs_its_box(is_round=False) and any(part.is_like(one) for one in frames))
    ]


def _is_frame(part: Part, parts: list[Part], height: int, width: int) -> bool:
    """Whether a part goes around another that is no speck in it: a box, a circle, another shape of
    straight sides, a row of cells, a grid; or along two or three sides of it, as the edges of a
    note that are seen.

    It may be open above, if it is as wide as a cell of a form in a picture of it. What is higher
    than a circle may be a 0 with a mark in it, and so may a box around a dot; two sides around a
    bar may be a 4.
    """
    least = FRAME * max(height, width)
    if part.longer < least:
        return False
    is_large = min(part.height, part.width) >= least
    is_box = is_large and part.hugs_its_box(is_round=False)
    is_wide = part.height <= ROUND * part.width
    is_circle = is_large and is_wide and part.hugs_its_box(is_round=True)
    open_above = part.width > ALONG * width
    for other in parts:
        if other.width >= part.width or other.height <= IN_GRID * part.height:
            continue
        is_high = other.height > IN_FRAME * part.height
        if is_high and is_box and part.holds(other, MARGIN) and not _is_bar(other):
            return True
        above, *others = part.sides_around(other, height, width)
        if not all(others) or not (above or open_above):
            continue
        if (is_box and not _is_dot(other)) or part.is_ruled(max(other.height // 3, 2)):
            return True
        if is_high and (is_circle or (is_large and part.hugs_its_outline())):
            return True
    return False


def _is_dot(part: Part) -> bool:
    return part.longer <= DOT * stroke_width(part.mask())


def _is_bar(part: Part) -> bool:
    """Whether it is straight and narrow: the stem of a 4, or a slash through a 0."""
    length, thickness = part.as_bar()
    return length > BAR * thickness
