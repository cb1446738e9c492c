"""Marks that touch each other, as parts of a picture: where they are, and what shape they have."""

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

import numpy as np

from digitnet.image.ink.ink import Bools

Run = tuple[int, int, int]  # marks side by side: row, first column, the one after the last

THIN = 0.12  # of a frame's side: how thick its lines are
OFF = 0.1  # of a frame's area may be elsewhere than along the edges of its box
BAR = 4  # times as long as thick, at least
FILLING = 0.7  # of a picture's height and width: larger ink fills the picture


@dataclass(eq=False)
class Rectangle:
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

    @property
    def longer(self) -> int:
        return max(self.height, self.width)

    @property
    def slices(self) -> tuple[slice, slice]:
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def fills(self, height: int, width: int) -> bool:
        """Return whether it fills a picture of that size, as a digit cropped to its ink does."""
        return self.height >= FILLING * height and self.width >= FILLING * width

    def surrounds(self, other: "Rectangle") -> bool:
        """Return whether another box lies within this one and reaches none of its sides."""
        rows = self.top < other.top and other.bottom < self.bottom
        return rows and self.left < other.left and other.right < self.right

    def include(self, other: "Rectangle | Part") -> None:
        self.top, self.bottom = min(self.top, other.top), max(self.bottom, other.bottom)
        self.left, self.right = min(self.left, other.left), max(self.right, other.right)

    def gap(self, other: "Rectangle") -> int:
        """Rows or columns between both, the larger of the two; below 0 if they overlap."""
        rows = max(self.top - other.bottom, other.top - self.bottom)
        return max(rows, self.left - other.right, other.left - self.right)


class Part(Rectangle):
    """Marks that touch each other, in their box. area: how many."""

    def __init__(self, starts: list[int], ends: list[int], stride: int) -> None:
        """Where its runs start and end in rows put one after the other, so far apart."""
        self.flat_runs = starts, ends, stride
        lefts, rights = [start % stride for start in starts], [end % stride for end in ends]
        top, bottom = starts[0] // stride, starts[-1] // stride + 1
        super().__init__(top, bottom, min(lefts), max(rights))
        self.area = sum(ends) - sum(starts)

    @cached_property
    def runs(self) -> list[Run]:
        return _in_rows(*self.flat_runs)

    def moved(self, top: int, left: int, width: int) -> "Part":
        """The same marks in a picture of that width, so many rows and columns farther."""
        stride = width + 2
        at = [((row + top) * stride + left, start, end) for row, start, end in self.runs]
        return Part([by + s for by, s, _ in at], [by + e for by, _, e in at], stride)

    def hugs_its_box(self) -> bool:
        """Return whether nearly all of it is close to the edges of its box."""
        inside = 0.0
        height, width = self.height * (0.5 - THIN), self.width * (0.5 - THIN)
        middle, centre = (self.top + self.bottom - 1) / 2, (self.left + self.right) / 2
        for row, start, end in self.runs:
            within = 1 - ((row - middle) / height) ** 2
            if within > 0:
                inside += max(min(end, centre + width) - max(start, centre - width), 0)
        return inside < OFF * self.area

    def is_at_border(self, height: int, width: int) -> bool:
        """Whether it reaches a side of a picture of that size."""
        return 0 in (self.top, self.left) or self.bottom == height or self.right == width

    def mask(self) -> Bools:
        """Where it is in its box, (height, width)."""
        return mask_of([self], (self.bottom, self.right))[self.top :, self.left :]

    def touches(self, marked: Bools) -> bool:
        """Whether any of it is where there are marks (h, w)."""
        return any(marked[row, start:end].any() for row, start, end in self.runs)

    def as_bar(self) -> tuple[float, float]:
        """Return the length and the thickness of the bar it is most like, however it lies.

        A bar that is so long and so thick has the same variance along it and across. Pixels have
        their width in a row; rows are taken for lines.
        """
        runs = np.array(self.runs, np.float64)
        y, lengths = runs[:, 0], runs[:, 2] - runs[:, 1]
        x = (runs[:, 1] + runs[:, 2] - 1) / 2
        shares = lengths / self.area
        y, x = y - float(shares @ y), x - float(shares @ x)
        down, both = float(shares @ (y * y)), float(shares @ (y * x))
        across = float(shares @ (x * x + lengths * lengths / 12))
        short, long = np.linalg.eigvalsh([[down + 1 / 12, both], [both, across]])
        return math.sqrt(12 * long), math.sqrt(12 * short)


def runs_of(marked: Bools) -> list[Run]:
    """Each run of marks in a row, in reading order."""
    return _in_rows(*_flat_runs(marked))


def _flat_runs(marked: Bools) -> tuple[list[int], list[int], int]:
    """Where runs start and end in rows put one after the other, and how far these lie apart."""
    height, width = marked.shape
    padded = np.zeros((height, width + 2), np.bool_)  # so that each run begins and ends
    padded[:, 1:-1] = marked
    flat = padded.ravel()
    changes = np.flatnonzero(flat[1:] != flat[:-1]).tolist()
    return changes[::2], changes[1::2], width + 2


def _in_rows(starts: list[int], ends: list[int], stride: int) -> list[Run]:
    return [(start // stride, start % stride, end % stride) for start, end in zip(starts, ends)]


def parts_of(marked: Bools) -> list[Part]:
    """Marks that touch each other, also at corners, as one part: union and find over runs."""
    starts, ends, stride = _flat_runs(marked)
    numbers: list[int] = []  # of the part of each run
    same_as: list[int] = []  # the smallest number that a part has turned out to go by as well
    above = 0  # the first run of the row above that may touch this one
    for start, end in zip(starts, ends):
        while ends[above] < start - stride:
            above += 1
        number, touching = -1, above
        while starts[touching] <= end - stride:
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
        return [Part(starts, ends, stride)]
    groups: dict[int, tuple[list[int], list[int]]] = {}
    for number, start, end in zip(numbers, starts, ends):
        while same_as[number] != number:
            number = same_as[number]
        of_part = groups.setdefault(number, ([], []))
        of_part[0].append(start)
        of_part[1].append(end)
    return [Part(*group, stride) for group in groups.values()]


def joined(parts: list[Part]) -> Part:
    """Parts of one picture as one."""
    if len(parts) == 1:
        return parts[0]
    starts, ends, strides = zip(*(part.flat_runs for part in parts))
    return Part(sorted(chain(*starts)), sorted(chain(*ends)), strides[0])


def mask_of(parts: list[Part], shape: tuple[int, ...]) -> Bools:
    """Where the parts are in a picture of that shape."""
    mask = np.zeros(shape, np.bool_)
    for part in parts:
        for row, start, end in part.runs:
            mask[row, start:end] = True
    return mask
