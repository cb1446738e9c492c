"""Find the candidates for digits in a row of text: pieces of ink, and groups of adjacent pieces."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from digitnet.arrays import FloatArray
from digitnet.image.field import to_field
from digitnet.image.ink.components import Component, Rectangle
from digitnet.image.ink.ink import Bools
from digitnet.image.marks.rows import TextRow
from digitnet.image.marks.seams import seams_of

MAX_PIECES = 7  # pieces in a candidate
MIN_CANDIDATE_HEIGHT = 0.4  # row heights
MAX_CANDIDATE_WIDTH = 1.7  # row heights: of several pieces; a single piece may be wider
MIN_CUT_WIDTH = 0.75  # row heights: a component this wide may hold several digits


@dataclass(eq=False)
class Piece(Rectangle):
    """A component, or a part of a component that was cut. It belongs to at most one digit.

    mask: (height, width).
    """

    mask: Bools

    @property
    def area(self) -> int:
        return int(np.count_nonzero(self.mask))


class RowCandidate(NamedTuple):
    """The pieces `first` to `end` - 1 of a row, taken as one digit.

    image: uint8 (28, 28).
    """

    first: int
    end: int
    box: Rectangle
    image: NDArray[np.uint8]


def may_hold_several_digits(part: Component, row: TextRow) -> bool:
    """Return whether a component is wide enough to be cut."""
    return part.width >= MIN_CUT_WIDTH * row.height


def as_piece(part: Component) -> Piece:
    """Return a whole component as one piece."""
    return Piece(part.top, part.bottom, part.left, part.right, part.mask())


def cut_into_pieces(part: Component, row: TextRow, strength: FloatArray) -> list[Piece]:
    """Return the pieces of a component from left to right, cut along the seams of least ink.

    strength: (h, w), the strength of the ink in the whole picture.
    """
    mask = part.mask()
    rest, pieces = mask.copy(), []
    columns = np.arange(mask.shape[1])
    for seam in seams_of(mask, strength[part.slices], row.height):
        left = rest & (columns < seam[:, np.newaxis])
        if left.any():
            pieces.append(_piece(left, part))
            rest &= ~left
    return [*pieces, _piece(rest, part)] if rest.any() else pieces


def _piece(mask: Bools, part: Component) -> Piece:
    """Return the piece that a mask marks within the bounding box of a component."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    top, bottom, left, right = (
        int(i) for i in (rows[0], rows[-1] + 1, columns[0], columns[-1] + 1)
    )
    return Piece(
        part.top + top,
        part.top + bottom,
        part.left + left,
        part.left + right,
        mask[top:bottom, left:right],
    )


def row_candidates(
    pieces: list[Piece], height: float, strength: FloatArray
) -> Iterator[RowCandidate]:
    """Yield the candidates for digits in a row of text.

    pieces: from left to right. height: of the row, px.
    """
    for first, piece in enumerate(pieces):
        box = Rectangle(piece.top, piece.bottom, piece.left, piece.right)
        for end in range(first + 1, min(first + MAX_PIECES, len(pieces)) + 1):
            box.include(pieces[end - 1])
            if end > first + 1 and box.width > MAX_CANDIDATE_WIDTH * height:
                break
            if box.height < MIN_CANDIDATE_HEIGHT * height:
                continue
            image = _image(pieces[first:end], box, strength)
            if image is not None:
                box_copy = Rectangle(box.top, box.bottom, box.left, box.right)
                yield RowCandidate(first, end, box_copy, image)


def _image(pieces: list[Piece], box: Rectangle, strength: FloatArray) -> NDArray[np.uint8] | None:
    """Return the prepared pieces, uint8 (28, 28), or None where the strength is 0 everywhere."""
    mask = np.zeros((box.height, box.width), np.bool_)
    for piece in pieces:
        rows = slice(piece.top - box.top, piece.bottom - box.top)
        mask[rows, piece.left - box.left : piece.right - box.left] |= piece.mask
    inked = strength[box.slices]
    return to_field(inked, mask).image if inked[mask].any() else None
