"""How many digits a number has."""

from itertools import pairwise

from digitnet.image.ink import stroke_width
from digitnet.image.parts import Part

ALIKE = 1.5  # times as high, at most, is another digit of a number
THICKER = 2.5  # times as wide in its strokes, at most, is another digit, and no thing
LYING = 1.5  # times as wide as high, at most, is a digit
BROKEN = 0.12  # of its height: a gap that is narrower is in a digit, not between two
STACKED = 0.25  # of its height: so far above or below is another digit
FINEST = 0.02  # of the height of both: finer strokes may be broken anywhere
STORIES = 4  # times as high as one of them, at most, are those above each other: else they are dots


def count_digits(parts: list[Part], main: Part, height: int) -> int:
    """How many digits there are where one of such a height seems to be, main part and all."""
    digits = _count_beside(_alike(parts, height, main), height)
    if not STORIES * main.height > height > ALIKE * main.height:
        return digits
    if stroke_width(main.mask()) < FINEST * height:
        return digits
    return max(digits, _count_above(_alike(parts, main.height, main), main))


def _alike(parts: list[Part], height: int, main: Part) -> list[Part]:
    """The parts that are about as high as that, not much smaller, and may be written."""
    low, high = height / ALIKE, height * ALIKE
    alike = [p for p in parts if low <= p.height <= high and p.area * 2 * ALIKE >= main.area]
    if len(alike) < 2:
        return alike
    width = stroke_width(main.mask())
    return [p for p in alike if p is main or _may_be_written(p, width)]


def _may_be_written(part: Part, width: float) -> bool:
    """Whether it is no line that lies, and no thing: much thicker than strokes of that width."""
    return part.width <= LYING * part.height and stroke_width(part.mask()) <= THICKER * width


def _count_beside(parts: list[Part], height: int) -> int:
    """How many digits of some height are beside each other; halves of one are close."""
    parts = sorted(parts, key=lambda part: part.left)
    joined = sum(one.gap(other) < BROKEN * height for one, other in pairwise(parts))
    return max(len(parts) - joined, 1)


def _count_above(parts: list[Part], main: Part) -> int:
    """The main part and those above and below, farther away than the loops of an 8.

    What is wider than high is half of a broken digit.
    """
    if main.width > main.height:
        return 1
    return 1 + sum(
        part.width <= part.height
        and max(part.top - main.bottom, main.top - part.bottom) >= STACKED * main.height
        for part in parts
    )
