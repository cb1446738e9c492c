"""Numbers found in a picture: their digits, text, confidence and bounding boxes."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitnet.image.marks.sheet import Box
from digitnet.image.numbers import FoundNumber


@dataclass(frozen=True, eq=False, repr=False)
class NumberDigit:
    """A digit of a number.

    image: uint8 (28, 28), the network's input. probabilities: (10,), sum 1. evidence: nats; see
    `calibration.evidence`. box: top, left, bottom and right in the upright picture, px. is_sure:
    whether confidence and evidence reach the model's thresholds.
    """

    image: NDArray[np.uint8]
    probabilities: NDArray[np.float64]
    evidence: float
    box: Box
    is_sure: bool

    @property
    def digit(self) -> int | None:
        """The likeliest digit; None if `is_sure` is False."""
        return int(self.probabilities.argmax()) if self.is_sure else None

    @property
    def confidence(self) -> float:
        return float(self.probabilities.max())

    def __repr__(self) -> str:
        return f"NumberDigit(digit={self.digit!r}, confidence={self.confidence:.4f})"


@dataclass(frozen=True, eq=False, repr=False)
class Number:
    """Digits side by side, from left to right. row: counted from the top of the page, from 0."""

    digits: tuple[NumberDigit, ...]
    row: int

    @property
    def text(self) -> str:
        """The digits as text, with leading zeros; `?` for each digit below the thresholds."""
        return "".join("?" if each.digit is None else str(each.digit) for each in self.digits)

    @property
    def confidence(self) -> float:
        """The product of the digits' confidences."""
        return math.prod(digit.confidence for digit in self.digits)

    @property
    def box(self) -> Box:
        """The bounding box of the digits: top, left, bottom and right, px."""
        tops, lefts, bottoms, rights = zip(*(digit.box for digit in self.digits))
        return min(tops), min(lefts), max(bottoms), max(rights)

    def __repr__(self) -> str:
        return f"Number({self.text!r}, confidence={self.confidence:.4f})"


@dataclass(frozen=True, eq=False, repr=False)
class Numbers:
    """The requested numbers of a picture, in reading order. doubt: why no number was found."""

    numbers: tuple[Number, ...]
    doubt: str | None = None

    @property
    def text(self) -> str:
        """The numbers, separated by spaces; `?` if no number was found."""
        return " ".join(number.text for number in self.numbers) or "?"

    @property
    def confidence(self) -> float:
        """The lowest confidence of the numbers; 0 if no number was found."""
        return min((number.confidence for number in self.numbers), default=0.0)

    def __repr__(self) -> str:
        return f"Numbers({self.text!r}, confidence={self.confidence:.4f})"


def as_numbers(found: list[FoundNumber], digits: int | None) -> Numbers:
    """Return the numbers that `image.find_numbers` found, with rows renumbered from 0.

    digits: how many digits a number was expected to have; None for any number of digits.
    """
    if not found:
        wanted = "digits" if digits is None else f"a number of {digits} digits"
        return Numbers((), f"expected {wanted}, found none")
    rows = {row: place for place, row in enumerate(sorted({number.row for number in found}))}
    return Numbers(
        tuple(
            Number(
                tuple(
                    NumberDigit(
                        glyph.image,
                        glyph.probabilities,
                        glyph.evidence,
                        (glyph.box.top, glyph.box.left, glyph.box.bottom, glyph.box.right),
                        glyph.sure,
                    )
                    for glyph in number.glyphs
                ),
                rows[number.row],
            )
            for number in found
        )
    )
