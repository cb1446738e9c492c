"""Numbers as a network reads them in a picture: their digits, text, confidence and places."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitnet.image.marks.sheet import Box
from digitnet.image.numbers import FoundNumber


@dataclass(frozen=True, eq=False, repr=False)
class NumberDigit:
    """A digit of a number.

    image: uint8 (28, 28), what the network saw. probabilities: (10,), sum 1. evidence: nats; see
    `calibration.evidence`. box: top, left, bottom and right in the upright picture, px. is_sure:
    whether both thresholds of the model are met.
    """

    image: NDArray[np.uint8]
    probabilities: NDArray[np.float64]
    evidence: float
    box: Box
    is_sure: bool

    @property
    def digit(self) -> int | None:
        """The likeliest digit, None where it is doubtful."""
        return int(self.probabilities.argmax()) if self.is_sure else None

    @property
    def confidence(self) -> float:
        return float(self.probabilities.max())

    def __repr__(self) -> str:
        return f"NumberDigit(digit={self.digit!r}, confidence={self.confidence:.4f})"


@dataclass(frozen=True, eq=False, repr=False)
class Number:
    """Digits side by side, from left to right. row: of the page, from 0, counted from the top."""

    digits: tuple[NumberDigit, ...]
    row: int

    @property
    def text(self) -> str:
        """The digits as they are written, leading zeros too; `?` for each doubtful one."""
        return "".join("?" if one.digit is None else str(one.digit) for one in self.digits)

    @property
    def confidence(self) -> float:
        """The product of the digits' confidences."""
        return math.prod(one.confidence for one in self.digits)

    @property
    def box(self) -> Box:
        """The box around the digits: top, left, bottom and right, px."""
        tops, lefts, bottoms, rights = zip(*(one.box for one in self.digits))
        return min(tops), min(lefts), max(bottoms), max(rights)

    def __repr__(self) -> str:
        return f"Number({self.text!r}, confidence={self.confidence:.4f})"


@dataclass(frozen=True, eq=False, repr=False)
class Numbers:
    """All numbers that were asked for in a picture, in reading order. doubt: why there is none."""

    numbers: tuple[Number, ...]
    doubt: str | None = None

    @property
    def text(self) -> str:
        """The numbers with a space between two; `?` where there is none."""
        return " ".join(number.text for number in self.numbers) or "?"

    @property
    def confidence(self) -> float:
        """The least of the numbers' confidences; 0 where there is none."""
        return min((number.confidence for number in self.numbers), default=0.0)

    def __repr__(self) -> str:
        return f"Numbers({self.text!r}, confidence={self.confidence:.4f})"


def as_numbers(found: list[FoundNumber], digits: int | None) -> Numbers:
    """Return what `image.find_numbers` found, asked for so many digits, with rows from 0."""
    if not found:
        wanted = "digits" if digits is None else f"a number of {digits} digits"
        return Numbers((), f"expected {wanted}, found none")
    rows = {row: place for place, row in enumerate(sorted({one.row for one in found}))}
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
                    for glyph in one.glyphs
                ),
                rows[one.row],
            )
            for one in found
        )
    )
