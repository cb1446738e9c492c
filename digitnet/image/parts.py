"""Which of the marks on a picture make up the digit: not specks, ruled lines or a box around it."""

import math
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from digitnet.image.ink import widened
from digitnet.image.lines import LONG, THIN, Bools, without_lines

Run = tuple[int, int, int]  # marks side by side: row, first column, the one after the last

SPECK = 0.03  # of the largest part's area: a smaller one is dirt
NEAR = 0.35  # of the main part's longer side: what belongs to it is no farther away
CUT_OFF = 0.15  # of that side: what is larger and goes on outside is another digit's
CUT_GAP = 0.08  # of that side: what is closer is a part of the digit all the same
HAIR, BREAK = 2, 4  # pixels: how thick a stroke is, how far its ends are, that may be broken
FLAT, UNDER = 0.2, 0.5  # of its own width, of the main part's: how high at most, how wide at least
LONGER = 1.2  # times as wide as the main part, at least: a line aslant below it
STEEP = 0.25  # rows a column: what falls or rises by more lies under nothing
POST = 1.1  # of its height: lines on both sides that are higher are those of a form
DOTS = 0.04  # of the picture's longer side: or no farther than this, as where a line is dotted
ALONG = 0.6  # of a side of the picture, or of several: what covers so much goes on outside
CENTRAL = 0.15  # of its area: in the middle of the picture, half as wide and high
BROAD = 0.4  # of the picture's width: runs on average
LEAST_DIGIT = 0.05  # of the picture's longer side: what is smaller is no digit
ALIKE = 1.5  # times as high, at most, is another digit of a number
BROKEN = 0.12  # of its height: a gap that is narrower is in a digit, not between two
FRAME = 0.15  # of the picture's longer side: the sides of a frame
ROUND = 1.3  # times as high as wide, at most: a circle
IN_FRAME = 0.3  # of a frame's height: what is in it is higher, unlike the curl inside a 0


class Digit(NamedTuple):
    """mask: (h, w), where the digit is. box: its rows and columns. alone: whether there is no other
    mark, on paper of one shade. digits: how many there are, with others of about its height.
    """

    mask: Bools
    box: tuple[slice, slice]
    alone: bool
    digits: int


@dataclass(eq=False)
class _Box:
    """Rows from `top` to before `bottom`, columns from `left` to before `right`."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def width(self) -> int:
        return self.right - self.left

    def include(self, other: "_Box | _Part") -> None:
        self.top, self.bottom = min(self.top, other.top), max(self.bottom, other.bottom)
        self.left, self.right = min(self.left, other.left), max(self.right, other.right)

    def gap(self, other: "_Box") -> int:
        """Rows or columns between both, the larger of the two; below 0 if they overlap."""
        rows = max(self.top - other.bottom, other.top - self.bottom)
        return max(rows, self.left - other.right, other.left - self.right)


@dataclass(eq=False)
class _Part(_Box):
    """Marks that touch each other, in their box. area: how many."""

    area: int = 0
    runs: list[Run] = field(default_factory=list)

    def is_cut_off(self, width: int) -> bool:
        """Whether it reaches a side of a picture so wide, and may go on outside."""
        return self.left == 0 or self.right == width

    def as_line(self) -> tuple[float, float, float]:
        """The slope of the bar it is most like, in rows a column, its row halfway, how thick."""
        runs = np.array(self.runs, np.float64)
        y, lengths = runs[:, 0], runs[:, 2] - runs[:, 1]
        x = (runs[:, 1] + runs[:, 2]) / 2 - (self.left + self.right) / 2
        row, column = (float(lengths @ value) / self.area for value in (y, x))
        y, x = y - row, x - column
        spread = float(lengths @ (x * x + lengths * lengths / 12))
        slope = float(lengths @ (x * y)) / spread
        variance = float(lengths @ (y - slope * x) ** 2 + slope * slope * (lengths**3).sum() / 12)
        return slope, row - slope * column, math.sqrt(12 * variance / self.area)

    def hugs_its_box(self, *, is_round: bool) -> bool:
        """Whether nearly all of it is close to the edges of the box, or to the ellipse in it."""
        inside = 0.0
        height, width = self.height * (0.5 - THIN), self.width * (0.5 - THIN)
        middle, centre = (self.top + self.bottom - 1) / 2, (self.left + self.right) / 2
        for row, start, end in self.runs:
            within = 1 - ((row - middle) / height) ** 2
            if within > 0:
                reach = width * math.sqrt(within) if is_round else width
                inside += max(min(end, centre + reach) - max(start, centre - reach), 0)
        return inside < 0.1 * self.area

    def sides_around(self, other: _Box, height: int, width: int) -> tuple[bool, bool, bool, bool]:
        """Whether it is above and below another's middle column, left and right of any of its rows.

        height, width: of the picture; what reaches a side of it may be there, outside.
        """
        middle = (other.left + other.right) // 2
        rows = [row for row, start, end in self.runs if start <= middle < end]
        beside = [run for run in self.runs if other.top <= run[0] < other.bottom]
        return (
            self.top == 0 or any(row < other.top for row in rows),
            self.bottom == height or any(row >= other.bottom for row in rows),
            self.left == 0 or any(end <= other.left for _, _, end in beside),
            self.right == width or any(start >= other.right for _, start, _ in beside),
        )


def find_digit(marked: Bools, sure: Bools) -> Digit:
    """The digit among marks (h, w), of which at least one is sure.

    It is the largest part, the middle of the picture counting more than its edge, with what lies
    near it, but for parts of others that a side of the picture cuts off. Where there is one only,
    it is that.
    """
    rows, columns = (np.logical_or.reduce(marked, axis=axis) for axis in (1, 0))
    if (rows[0] and rows[-1]) or (columns[0] and columns[-1]):
        cleaned = without_lines(marked)
        marked = cleaned if (cleaned & sure).any() else marked
    parts = join(runs_of(marked))
    if len(parts) == 1:
        return Digit(marked, _slices(parts[0]), sure is marked, 1)
    if sure is not marked:
        parts = [part for part in parts if any(sure[y, x:to].any() for y, x, to in part.runs)]
    height, width = marked.shape
    parts = [part for part in parts if not _is_line(part, height, width)] or parts
    parts = [part for part in parts if not _is_frame(part, parts, height, width)]
    parts = _without_surroundings(parts, height, width)

    def weight(part: _Part) -> float:
        y, x = (part.top + part.bottom) / height - 1, (part.left + part.right) / width - 1
        return part.area * math.exp(-(x * x + y * y) / 2)  # x and y from -1 to 1

    main = max(parts, key=weight)
    parts = _without_underlines(parts, main, marked.shape)
    parts = _without_posts(parts, main)
    if not main.is_cut_off(width):
        parts = [part for part in parts if not _is_of_another(part, main, width)]
    box = _Box(main.top, main.bottom, main.left, main.right)
    chosen, apart = [main], [part for part in parts if part is not main]
    reach = max(NEAR * max(box.height, box.width), DOTS * max(height, width))
    while near := [p for p in apart if p.area >= SPECK * main.area and box.gap(p) <= reach]:
        for part in near:
            box.include(part)
        chosen += near
        taken = set(near)
        apart = [part for part in apart if part not in taken]
    mask = mask_of(chosen, marked.shape)
    return Digit(mask, _slices(box), False, _count(parts, box.height, main.area))


def mask_of(parts: list[_Part], shape: tuple[int, ...]) -> Bools:
    """Where the parts are in a picture of that shape."""
    mask = np.zeros(shape, np.bool_)
    for part in parts:
        for row, start, end in part.runs:
            mask[row, start:end] = True
    return mask


def _without_underlines(parts: list[_Part], main: _Part, shape: tuple[int, ...]) -> list[_Part]:
    """Without lines below the main part; a fine one beyond a break in a stroke of it stays."""
    fine: list[_Part] = []
    others: list[_Part] = []
    for part in parts:
        if not _is_underline(part, main):
            others.append(part)
        elif part.area <= HAIR * part.width:
            fine.append(part)
    if not fine:
        return others
    least = SPECK * main.area
    strokes = [p for p in others if p.area >= least and p.height >= FLAT * p.width]
    inked = widened(mask_of(strokes, shape), min(BREAK, int(CUT_GAP * main.height)))
    return others + [
        part for part in fine if any(inked[row, start:end].any() for row, start, end in part.runs)
    ]


def _is_underline(part: _Part, main: _Part) -> bool:
    """Whether a part is flat and all below the main one: a digit has its loose bars at its top.

    It may fall or rise, if it is longer than a bar of that digit, and not as close as a broken one.
    """
    is_level = part.height < FLAT * part.width and part.width > UNDER * main.width
    if is_level and part.top >= main.bottom:
        return True
    if part.width <= LONGER * main.width or part.bottom <= main.bottom:
        return False
    slope, middle, thickness = part.as_line()
    if abs(slope) > STEEP or thickness >= FLAT * part.width:
        return False
    ends = max(part.left, main.left), min(part.right, main.right)
    gaps = [middle + slope * (x - (part.left + part.right) / 2) - main.bottom for x in ends]
    return min(gaps) >= 0 and sum(gaps) / 2 >= CUT_GAP * main.height


def _without_posts(parts: list[_Part], main: _Part) -> list[_Part]:
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


def _is_of_another(part: _Part, main: _Part, width: int) -> bool:
    """Whether a part goes on outside at a side, as digits beside the main one do.

    What goes on above or below may be the bar of a 5, and what is small or close a broken stroke.
    """
    longer = max(main.height, main.width)
    large = max(part.height, part.width) >= CUT_OFF * longer
    return large and part.is_cut_off(width) and main.gap(part) >= CUT_GAP * longer


def _count(parts: list[_Part], height: int, area: int) -> int:
    """How many of the parts are as high as a digit of some height; halves of one are close."""
    low, high = height / ALIKE, height * ALIKE
    alike = [p for p in parts if low <= p.height <= high and p.area * 2 * ALIKE >= area]
    alike.sort(key=lambda part: part.left)
    joined = sum(one.gap(other) < BROKEN * height for one, other in pairwise(alike))
    return max(len(alike) - joined, 1)


def _slices(box: _Box) -> tuple[slice, slice]:
    return slice(box.top, box.bottom), slice(box.left, box.right)


def _is_line(part: _Part, height: int, width: int) -> bool:
    """Whether a part is a line along the border."""
    across = part.width > LONG * width and part.height < THIN * height
    down = part.height > LONG * height and part.width < THIN * width
    ends = part.top == 0 or part.left == 0 or part.bottom == height or part.right == width
    return ends and (across or down)


def _is_frame(part: _Part, parts: list[_Part], height: int, width: int) -> bool:
    """Whether a part goes around another that is no speck in it: a box, or a circle.

    It may be open above, if it is as wide as a cell of a form in a picture of it. What is higher
    than a circle may be a 0 with a mark in it.
    """
    if min(part.height, part.width) < FRAME * max(height, width):
        return False
    if not part.hugs_its_box(is_round=part.height <= ROUND * part.width):
        return False
    open_above = part.width > ALONG * width
    for other in parts:
        if other is not part and other.height > IN_FRAME * part.height:
            above, *others = part.sides_around(other, height, width)
            if all(others) and (above or open_above):
                return True
    return False


def _without_surroundings(parts: list[_Part], height: int, width: int) -> list[_Part]:
    """Without what lies along the border: a shadow, or the table under the paper.

    It has to be large beside the largest of the others, for the bar of a 5 may lie there too, and
    that has to be no speck, for the digit itself may.
    """

    def is_stroke(part: _Part) -> bool:
        """Whether it is thin, and not only along the border: of a digit that fills the picture."""
        inside = sum(
            max(min(end, width - width // 4) - max(start, width // 4), 0)
            for row, start, end in part.runs
            if height // 4 <= row < height - height // 4
        )
        return inside > CENTRAL * part.area and part.area < BROAD * width * len(part.runs)

    def along(part: _Part) -> bool:
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
    digits = [part.area for part in inside if max(part.height, part.width) >= least]
    largest = max(digits, default=math.inf)
    return [part for part in parts if part not in border or part.area < largest / 2]


def runs_of(marked: Bools) -> list[Run]:
    """Each run of marks in a row, in reading order."""
    height, width = marked.shape
    padded = np.zeros((height, width + 2), np.bool_)  # so that each run begins and ends
    padded[:, 1:-1] = marked
    rows, ends = np.nonzero(padded[:, 1:] != padded[:, :-1])
    columns = ends.tolist()
    return list(zip(rows[::2].tolist(), columns[::2], columns[1::2]))


def join(runs: list[Run]) -> list[_Part]:
    """Runs that touch those of the row above, also at corners, as one part: union and find."""
    numbers: list[int] = []  # of the part of each run
    same_as: list[int] = []  # the smallest number that a part has turned out to go by as well
    above = 0  # the first run of the row above that may touch this one
    for row, start, end in runs:
        while runs[above][0] < row - 1 or (runs[above][0] < row and runs[above][2] < start):
            above += 1
        number, touching = -1, above
        while runs[touching][0] < row and runs[touching][1] <= end:
            other = numbers[touching]
            while same_as[other] != other:
                other = same_as[other]
            if number == -1:
                number = other
            elif other != number:
                number, other = min(number, other), max(number, other)
                same_as[other] = number
            touching += 1
        if number == -1:
            number = len(same_as)
            same_as.append(number)
        numbers.append(number)
    if sum(number == other for number, other in enumerate(same_as)) == 1:
        rows, starts, ends = zip(*runs)
        area = sum(ends) - sum(starts)
        return [_Part(rows[0], rows[-1] + 1, min(starts), max(ends), area, runs)]
    parts: dict[int, _Part] = {}
    for number, run in zip(numbers, runs):
        while same_as[number] != number:
            number = same_as[number]
        row, start, end = run
        part = parts.get(number)
        if part is None:
            part = parts[number] = _Part(row, row + 1, start, end)
        part.bottom = row + 1
        part.left, part.right = min(part.left, start), max(part.right, end)
        part.area += end - start
        part.runs.append(run)
    return list(parts.values())
