"""What lies beside a digit and is none: pens, buttons, underlines, print, stops, dashes, cells."""

import numpy as np

from digitnet.image.broken import GAP, TEXTURE
from digitnet.image.count import ALIKE
from digitnet.image.ink import stroke_width, widened
from digitnet.image.lines import THIN
from digitnet.image.outline import outline_of
from digitnet.image.parts import BAR, Part, mask_of

SPECK = 0.03  # of the largest part's area: a smaller one is dirt, or a dot of a stroke
TEXT = 0.4  # of the main part's height: printed letters beside it are lower
STOP = 0.35  # of the main part's height: stops are no larger, and no higher above its foot
LETTERS = 3  # in a row, at least: text, and no dots or pieces of a stroke
PEN = 1.4  # times as long as what it lies beside, and as thick as the strokes of that
SOLID = 0.85  # of a bar that is so long and so thick: how much of it a pen covers
LEVEL, FILLED = 1.5, 0.85  # times as wide as high, and how much of its box a block fills
THICK, WIDE = 1.8, 1.5  # times as thick as strokes; as wide as what is written
BAR_GAP = 0.15  # of a digit's longer side: a loose bar at its top is closer
TWICE = 1.5  # times as long as the other: a dash is shorter
HAIR, BREAK = 2, 4  # pixels: how thick a stroke is, how far its ends are, that may be broken
FLAT, UNDER = 0.2, 0.5  # of its own width, of the main part's: how high at most, how wide at least
LONGER = 1.2  # times as wide as the main part, at least: a line aslant below it
COMB = 3  # times as wide as a digit, at least
STEEP = 0.25  # rows a column: what falls or rises by more lies under nothing
POST = 1.1  # of its height: lines on both sides that are higher are those of a form
LEAST_WHOLE = 0.15  # of the picture's longer side: what is smaller is no digit beside a pen
LEAST_DIGIT = 0.05  # of the picture's longer side: what is smaller is no digit


def without_underlines(parts: list[Part], main: Part, shape: tuple[int, ...]) -> list[Part]:
    """Without lines below the main part; a fine one beyond a break in a stroke of it stays."""
    fine: list[Part] = []
    others: list[Part] = []
    for part in parts:
        if not is_underline(part, main):
            others.append(part)
        elif part.area <= HAIR * part.width:
            fine.append(part)
    if not fine:
        return others
    least = SPECK * main.area
    strokes = [p for p in others if p.area >= least and not is_flat(p)]
    inked = widened(mask_of(strokes, shape), min(BREAK, int(GAP * main.height)))
    return others + [part for part in fine if part.touches(inked)]


def is_underline(part: Part, main: Part) -> bool:
    """Whether a part is flat and all below the main one: a digit has its loose bars at its top.

    It may fall or rise, if it is longer than a bar of that digit, and not as close as a broken one.
    """
    is_level = is_flat(part) and part.width > UNDER * main.width
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


def is_digit_on(part: Part, comb: Part, longer: int) -> bool:
    """Whether a part is much narrower than a line with ticks, and higher: no piece of a digit."""
    is_narrow = COMB * part.width < comb.width and part.height > comb.height
    return is_narrow and part.height >= LEAST_DIGIT * longer


def is_flat(part: Part) -> bool:
    return part.height < FLAT * part.width


def _top_within(part: Part, main: Part) -> int:
    """Its top in the columns of the main part: the ticks of a comb stand beside that."""
    rows = (row for row, start, end in part.runs if start < main.right and end > main.left)
    return next(rows, part.top)


def without_pens(parts: list[Part], height: int, width: int) -> list[Part]:
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


def without_blocks(parts: list[Part], height: int, width: int) -> list[Part]:
    """Without filled blocks, as buttons are: wider than high, apart from what is written, and much
    thicker than its strokes, or below it and much wider.

    Above, they are farther from it than the bar of a 7 or a 5.
    """
    least = LEAST_DIGIT * max(height, width)
    large = [part for part in parts if part.longer >= least]
    filled = [part for part in large if part.width > LEVEL * part.height and _is_filled(part)]
    written = [part for part in large if part not in filled]
    if not filled or not written:
        return parts
    thickest = max(stroke_width(part.mask()) for part in written)
    widest = max(part.width for part in written)
    lowest = max(part.bottom for part in written)

    def is_block(part: Part) -> bool:
        is_below = part.top >= lowest
        gap = GAP if is_below else BAR_GAP
        is_apart = all(part.gap(other) >= gap * other.longer for other in written)
        is_wide = is_below and part.width > WIDE * widest
        return is_apart and (is_wide or part.height > THICK * thickest)

    return [part for part in parts if part not in filled or not is_block(part)]


def _is_filled(part: Part) -> bool:
    """Whether its rows reach from side to side of its box nearly everywhere, and most of that is
    within its outline: words may be cut out of it.
    """
    starts: dict[int, int] = {}
    ends: dict[int, int] = {}
    for row, start, end in part.runs:
        starts.setdefault(row, start)
        ends[row] = end
    reached, box = sum(ends.values()) - sum(starts.values()), part.height * part.width
    return reached > FILLED * box and bool(2 * np.count_nonzero(outline_of(part.mask())) > box)


def without_text(parts: list[Part], main: Part, linked: set[Part]) -> list[Part]:
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


def is_stop(part: Part, main: Part) -> bool:
    """Whether a part is low and beside the foot of the main one: a full stop or a comma."""
    is_low = part.longer < STOP * main.height
    is_beside = max(part.left - main.right, main.left - part.right) >= GAP * main.height
    middle = (part.top + part.bottom) / 2
    is_at_foot = part.top < main.bottom and middle > main.bottom - STOP * main.height
    return is_low and is_beside and is_at_foot


def without_posts(parts: list[Part], main: Part) -> list[Part]:
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


def without_dashes(parts: list[Part], main: Part) -> list[Part]:
    """Without dashes or dots to both sides of the main part, as around the number of a page.

    Both are low, about as large as each other, level, and apart from the main part.
    """
    low = [
        part
        for part in parts
        if part.height < STOP * main.height
        and main.top < (part.top + part.bottom) / 2 < main.bottom
        and max(main.left - part.right, part.left - main.right) >= GAP * main.height
    ]
    if len(low) > TEXTURE:
        return parts
    dashes = {
        part
        for left in low
        for right in low
        if left.right <= main.left
        and right.left >= main.right
        and max(left.longer, right.longer) < TWICE * min(left.longer, right.longer)
        and max(left.top, right.top) < min(left.bottom, right.bottom)
        for part in (left, right)
    }
    return [part for part in parts if part not in dashes]
