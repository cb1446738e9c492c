"""Which of the marks on a picture make up the digit, and which are dirt or other things."""

import math
from typing import NamedTuple

from digitnet.image.beside import (
    BAR_GAP,
    LEAST_DIGIT,
    LEAST_WHOLE,
    SPECK,
    is_digit_on,
    is_flat,
    is_stop,
    is_underline,
    without_blocks,
    without_dashes,
    without_pens,
    without_posts,
    without_text,
    without_underlines,
)
from digitnet.image.broken import GAP, dotted_strokes, pieces
from digitnet.image.count import BROKEN, count_digits
from digitnet.image.frames import ALONG, without_frames, without_touched_boxes
from digitnet.image.ink import LEAST_PAGE, Bools
from digitnet.image.lines import LONG, THIN, without_lines
from digitnet.image.parts import Part, Rectangle, joined, mask_of, parts_of

NEAR = 0.35  # of the main part's longer side: what belongs to it is no farther away
CUT_OFF = 0.15  # of that side: what is larger and goes on outside is another digit's
DOTS = 0.04  # of the picture's longer side: or no farther than this, as where a line is dotted
CENTRAL = 0.15  # of its area: in the middle of the picture, half as wide and high
BROAD = 0.4  # of the picture's width: runs on average


class Digit(NamedTuple):
    """mask: (h, w), where the digit is. box: its rows and columns. alone: whether there is no other
    mark, on paper of one shade. digits: how many there are, with others of about its height.
    """

    mask: Bools
    box: tuple[slice, slice]
    alone: bool
    digits: int


def find_digit(marked: Bools, sure: Bools) -> Digit:
    """The digit among marks (h, w), of which at least one is sure.

    It is the largest part, the middle of the picture counting more than its edge, or a whole one
    beside it where that goes on outside, with what lies near it, but for lines, combs, frames,
    pens, buttons, print, dashes, stops and parts of others that a side of the picture cuts off.
    Where there is one only, it is that.
    """
    height, width = marked.shape
    parts = parts_of(marked)
    if _reach_opposite_sides(parts, height, width):
        cleaned = without_lines(marked)
        if (cleaned & sure).any() and (cleaned != marked).any():
            marked, parts = cleaned, parts_of(cleaned)
    opened = without_touched_boxes(marked, parts)
    if opened is not marked and (opened & sure).any():
        marked, parts = opened, parts_of(opened)
    if len(parts) == 1:
        return Digit(marked, parts[0].slices, sure is marked, 1)
    if sure is not marked:
        parts = [part for part in parts if part.touches(sure)]
    parts = [part for part in parts if not _is_line(part, height, width)] or parts
    parts = without_frames(parts, height, width)
    parts = _without_surroundings(parts, height, width)
    parts = without_blocks(parts, height, width)
    parts = without_pens(parts, height, width)

    def weight(part: Part) -> float:
        y, x = (part.top + part.bottom) / height - 1, (part.left + part.right) / width - 1
        return part.area * math.exp(-(x * x + y * y) / 2)  # x and y from -1 to 1

    main = max(parts, key=weight)
    if is_flat(main):
        above = [part for part in parts if is_digit_on(part, main, max(height, width))]
        main = max(above, key=weight, default=main)
    if main.is_at_border(height, width):
        whole = [part for part in parts if _is_whole_beside(part, main, height, width)]
        main = max(whole, key=weight, default=main)
    parts = without_underlines(parts, main, marked.shape)
    parts = without_dashes(without_posts(parts, main), main)
    linked = set(next(group for group in pieces(parts, main.longer, marked.shape) if main in group))
    parts = without_text(parts, main, linked)
    parts = [part for part in parts if part in linked or not is_stop(part, main)]
    if not main.is_cut_off(height, width):
        parts = [part for part in parts if not _is_of_another(part, main, height, width)]
    box = Rectangle(main.top, main.bottom, main.left, main.right)
    reach = max(NEAR * main.longer, DOTS * max(height, width))
    larger = [part for part in parts if part.area >= SPECK * main.area]
    specks = [part for part in parts if part.area < SPECK * main.area]
    dotted = dotted_strokes(specks, larger, main.longer, marked.shape)
    chosen, apart = [main], [part for part in larger if part is not main]
    apart += [stroke for stroke in dotted if not is_underline(stroke, main)]
    while near := [part for part in apart if box.gap(part) <= reach]:
        for part in near:
            box.include(part)
        chosen += near
        taken = set(near)
        apart = [part for part in apart if part not in taken]
    mask = mask_of(chosen, marked.shape)
    groups = pieces(larger, box.height, marked.shape)
    others = [joined(group) for group in groups if main not in group]
    main = joined(next(group for group in groups if main in group))
    return Digit(mask, box.slices, False, count_digits([main, *others], main, box.height))


def _reach_opposite_sides(parts: list[Part], height: int, width: int) -> bool:
    top, left = min(part.top for part in parts), min(part.left for part in parts)
    bottom, right = max(part.bottom for part in parts), max(part.right for part in parts)
    return (top == 0 and bottom == height) or (left == 0 and right == width)


def _is_whole_beside(part: Part, main: Part, height: int, width: int) -> bool:
    """Whether a part is large and apart from the main one, and goes on nowhere outside."""
    return (
        part.longer >= LEAST_WHOLE * max(height, width)
        and not part.is_at_border(height, width)
        and part.gap(main) >= BROKEN * part.longer
    )


def _is_of_another(part: Part, main: Part, height: int, width: int) -> bool:
    """Whether a part goes on outside at a side, as digits beside the main one do.

    What goes on above or below may be the bar of a 5, if it is close, and what is small or closer
    still a broken stroke.
    """
    if part.longer < CUT_OFF * main.longer:
        return False
    gap = main.gap(part)
    if part.is_cut_off(height, width):
        return gap >= GAP * main.longer
    if min(height, width) < LEAST_PAGE or main.is_at_border(height, width):
        return False
    return part.is_at_border(height, width) and gap >= BAR_GAP * main.longer


def _is_line(part: Part, height: int, width: int) -> bool:
    """Whether a part is a line along the border."""
    across = part.width > LONG * width and part.height < THIN * height
    down = part.height > LONG * height and part.width < THIN * width
    return part.is_at_border(height, width) and (across or down)


def _without_surroundings(parts: list[Part], height: int, width: int) -> list[Part]:
    """Without what lies along the border: a shadow, or the table under the paper.

    It has to be large beside the largest of the others, for the bar of a 5 may lie there too, and
    that has to be no speck, for the digit itself may.
    """

    def is_stroke(part: Part) -> bool:
        """Whether it is thin, and not only along the border: of a digit that fills the picture."""
        inside = sum(
            max(min(end, width - width // 4) - max(start, width // 4), 0)
            for row, start, end in part.runs
            if height // 4 <= row < height - height // 4
        )
        return inside > CENTRAL * part.area and part.area < BROAD * width * len(part.runs)

    def along(part: Part) -> bool:
        covered = [0, 0, 0, 0]
        for row, start, end in part.runs:
            covered[0] += (end - start) * (row == 0)
            covered[1] += (end - start) * (row == height - 1)
            covered[2] += start == 0
            covered[3] += end == width
        sides = width, width, height, height
        return sum(length / side for length, side in zip(covered, sides)) > ALONG

    border = {part for part in parts if along(part) and not is_stroke(part)}
    least = LEAST_DIGIT * max(height, width)
    inside = [part for part in parts if part not in border]
    digits = [part.area for part in inside if part.longer >= least]
    largest = max(digits, default=math.inf)
    return [part for part in parts if part not in border or part.area < largest / 2]
