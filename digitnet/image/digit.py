"""Which of the marks on a picture make up the digit: not specks, ruled lines or a box around it."""

import math
from typing import NamedTuple

from digitnet.image.broken import GAP, TEXTURE, dotted_strokes, pieces
from digitnet.image.count import ALIKE, BROKEN, count_digits
from digitnet.image.ink import LEAST_PAGE, Bools, stroke_width, widened
from digitnet.image.lines import LONG, THIN, without_box, without_lines
from digitnet.image.parts import Part, Rectangle, joined, mask_of, parts_of

SPECK = 0.03  # of the largest part's area: a smaller one is dirt, or a dot of a stroke
NEAR = 0.35  # of the main part's longer side: what belongs to it is no farther away
CUT_OFF = 0.15  # of that side: what is larger and goes on outside is another digit's
BAR_GAP = 0.15  # of that side: a loose bar at the picture's upper side is closer
TEXT = 0.4  # of the main part's height: printed letters beside it are lower
STOP = 0.35  # of the main part's height: stops are no larger, and no higher above its foot
LETTERS = 3  # in a row, at least: text, and no dots or pieces of a stroke
PEN = 1.4  # times as long as what it lies beside, and as thick as the strokes of that
BAR, SOLID = 4, 0.85  # times as long as thick, at least, and how much of such a bar it covers
HAIR, BREAK = 2, 4  # pixels: how thick a stroke is, how far its ends are, that may be broken
FLAT, UNDER = 0.2, 0.5  # of its own width, of the main part's: how high at most, how wide at least
LONGER = 1.2  # times as wide as the main part, at least: a line aslant below it
COMB = 3  # times as wide as a digit, at least
STEEP = 0.25  # rows a column: what falls or rises by more lies under nothing
POST = 1.1  # of its height: lines on both sides that are higher are those of a form
DOTS = 0.04  # of the picture's longer side: or no farther than this, as where a line is dotted
ALONG = 0.6  # of a side of the picture, or of several: what covers so much goes on outside
CENTRAL = 0.15  # of its area: in the middle of the picture, half as wide and high
BROAD = 0.4  # of the picture's width: runs on average
LEAST_WHOLE = 0.15  # of the picture's longer side: what is smaller is no digit beside a pen
LEAST_DIGIT = 0.05  # of the picture's longer side: what is smaller is no digit
FRAME = 0.15  # of the picture's longer side: the sides of a frame
ROUND = 1.3  # times as high as wide, at most: a circle
IN_FRAME = 0.3  # of a frame's height: what is in it is higher, unlike the curl inside a 0
IN_GRID = 0.1  # of a grid's


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
    pens, print, stops and parts of others that a side of the picture cuts off. Where there is one
    only, it is that.
    """
    height, width = marked.shape
    parts = parts_of(marked)
    if _reach_opposite_sides(parts, height, width):
        cleaned = without_lines(marked)
        if (cleaned & sure).any() and (cleaned != marked).any():
            marked, parts = cleaned, parts_of(cleaned)
    opened = _without_touched_boxes(marked, parts)
    if opened is not marked and (opened & sure).any():
        marked, parts = opened, parts_of(opened)
    if len(parts) == 1:
        return Digit(marked, parts[0].slices, sure is marked, 1)
    if sure is not marked:
        parts = [part for part in parts if part.touches(sure)]
    parts = [part for part in parts if not _is_line(part, height, width)] or parts
    parts = _without_frames(parts, height, width)
    parts = _without_surroundings(parts, height, width)
    parts = _without_pens(parts, height, width)

    def weight(part: Part) -> float:
        y, x = (part.top + part.bottom) / height - 1, (part.left + part.right) / width - 1
        return part.area * math.exp(-(x * x + y * y) / 2)  # x and y from -1 to 1

    main = max(parts, key=weight)
    if _is_flat(main):
        above = [part for part in parts if _is_digit_on(part, main, max(height, width))]
        main = max(above, key=weight, default=main)
    if main.is_at_border(height, width):
        whole = [part for part in parts if _is_whole_beside(part, main, height, width)]
        main = max(whole, key=weight, default=main)
    parts = _without_underlines(parts, main, marked.shape)
    parts = _without_posts(parts, main)
    linked = set(next(group for group in pieces(parts, main.longer, marked.shape) if main in group))
    parts = _without_text(parts, main, linked)
    parts = [part for part in parts if part in linked or not _is_stop(part, main)]
    if not main.is_cut_off(height, width):
        parts = [part for part in parts if not _is_of_another(part, main, height, width)]
    box = Rectangle(main.top, main.bottom, main.left, main.right)
    reach = max(NEAR * main.longer, DOTS * max(height, width))
    larger = [part for part in parts if part.area >= SPECK * main.area]
    specks = [part for part in parts if part.area < SPECK * main.area]
    dotted = dotted_strokes(specks, larger, main.longer, marked.shape)
    chosen, apart = [main], [part for part in larger if part is not main]
    apart += [stroke for stroke in dotted if not _is_underline(stroke, main)]
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


def _without_touched_boxes(marked: Bools, parts: list[Part]) -> Bools:
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


def _reach_opposite_sides(parts: list[Part], height: int, width: int) -> bool:
    top, left = min(part.top for part in parts), min(part.left for part in parts)
    bottom, right = max(part.bottom for part in parts), max(part.right for part in parts)
    return (top == 0 and bottom == height) or (left == 0 and right == width)


def _without_underlines(parts: list[Part], main: Part, shape: tuple[int, ...]) -> list[Part]:
    """Without lines below the main part; a fine one beyond a break in a stroke of it stays."""
    fine: list[Part] = []
    others: list[Part] = []
    for part in parts:
        if not _is_underline(part, main):
            others.append(part)
        elif part.area <= HAIR * part.width:
            fine.append(part)
    if not fine:
        return others
    least = SPECK * main.area
    strokes = [p for p in others if p.area >= least and not _is_flat(p)]
    inked = widened(mask_of(strokes, shape), min(BREAK, int(GAP * main.height)))
    return others + [part for part in fine if part.touches(inked)]


def _is_underline(part: Part, main: Part) -> bool:
    """Whether a part is flat and all below the main one: a digit has its loose bars at its top.

    It may fall or rise, if it is longer than a bar of that digit, and not as close as a broken one.
    """
    is_level = _is_flat(part) and part.width > UNDER * main.width
    if is_level and _top_within(part, main) >= main.bottom:
        return True
    if part.width <= LONGER * main.width or part.bottom <= main.bottom:
        return False
    slope, middle, thickness = part.as_line()
    if abs(slope) > STEEP or thickness >= FLAT * part.width:
        return False
    ends = max(part.left, main.left), min(part.right, main.right)
    gaps = [middle + slope * (x - (part.left + part.right) / 2) - main.bottom for x in ends]
    return min(gaps) >= 0 and sum(gaps) / 2 >= GAP * main.height


def _is_digit_on(part: Part, comb: Part, longer: int) -> bool:
    """Whether a part is much narrower than a line with ticks, and higher: no piece of a digit."""
    is_narrow = COMB * part.width < comb.width and part.height > comb.height
    return is_narrow and part.height >= LEAST_DIGIT * longer


def _is_flat(part: Part) -> bool:
    return part.height < FLAT * part.width


def _top_within(part: Part, main: Part) -> int:
    """Its top in the columns of the main part: the ticks of a comb stand beside that."""
    rows = (row for row, start, end in part.runs if start < main.right and end > main.left)
    return next(rows, part.top)


def _without_pens(parts: list[Part], height: int, width: int) -> list[Part]:
    """Without bars longer than another large part, all of which is there, and thicker than its
    strokes: such a bar is no 1 beside it.
    """
    least = LEAST_WHOLE * max(height, width)
    large = [part for part in parts if part.longer >= least]
    if len(large) < 2:
        return parts
    bars, written = [], []
    for part in large:
        length, thickness = part.as_bar()
        if length > BAR * thickness and part.area > SOLID * length * thickness:
            bars.append((part, length, thickness))
        elif not part.is_at_border(height, width):
            written.append((part.longer, stroke_width(part.mask())))
    pens = [
        bar
        for bar, length, thickness in bars
        if any(length > PEN * longer and thickness > PEN * width for longer, width in written)
    ]
    return [part for part in parts if part not in pens]


def _without_text(parts: list[Part], main: Part, linked: set[Part]) -> list[Part]:
    """Without rows of letters beside the main part, much lower than that and not linked to it."""
    least = SPECK * main.area  # what is smaller is no letter
    low = [
        p
        for p in parts
        if p.height < TEXT * main.height and p.area >= least and p.gap(main) > 0 and p not in linked
    ]
    if len(low) > TEXTURE:
        return parts
    rows = [
        [
            two
            for two in low
            if abs(one.height - two.height) <= (ALIKE - 1) * one.height
            and min(one.bottom, two.bottom) - max(one.top, two.top) > one.height / 2
            and one.gap(two) <= LETTERS * one.height
        ]
        for one in low
    ]
    text = {part for row in rows if len(row) >= LETTERS for part in row}
    return [part for part in parts if part not in text]


def _is_stop(part: Part, main: Part) -> bool:
    """Whether a part is low and beside the foot of the main one: a full stop or a comma."""
    is_low = part.longer < STOP * main.height
    is_beside = max(part.left - main.right, main.left - part.right) >= GAP * main.height
    middle = (part.top + part.bottom) / 2
    is_at_foot = part.top < main.bottom and middle > main.bottom - STOP * main.height
    return is_low and is_beside and is_at_foot


def _without_posts(parts: list[Part], main: Part) -> list[Part]:
    """Without the lines between the cells of a form, to either side of the main part.

    They reach beyond it above and below, as the 1s of a number hardly do.
    """
    posts = [
        part
        for part in parts
        if part.width < THIN * part.height
        and part.height > POST * main.height
        and part.top < main.top
        and part.bottom > main.bottom
    ]
    left = any(part.right <= main.left for part in posts)
    right = any(part.left >= main.right for part in posts)
    return [part for part in parts if part not in posts] if left and right else parts


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


def _without_frames(parts: list[Part], height: int, width: int) -> list[Part]:
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
    straight sides, a row of cells, a grid.

    It may be open above, if it is as wide as a cell of a form in a picture of it. What is higher
    than a circle may be a 0 with a mark in it.
    """
    least = FRAME * max(height, width)
    if part.longer < least:
        return False
    is_large = min(part.height, part.width) >= least
    hugs = is_large and part.hugs_its_box(is_round=part.height <= ROUND * part.width)
    open_above = part.width > ALONG * width
    for other in parts:
        if other.width < part.width and other.height > IN_GRID * part.height:
            above, *others = part.sides_around(other, height, width)
            if not all(others) or not (above or open_above):
                continue
            if part.is_ruled(max(other.height // 3, 2)):
                return True
            is_high = other.height > IN_FRAME * part.height
            if is_high and (hugs or (is_large and part.hugs_its_outline())):
                return True
    return False


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
