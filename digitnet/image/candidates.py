"""What of a row may be one digit: pieces of ink, and neighbouring pieces together."""

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

PIECES = 7  # neighbouring pieces in a candidate, at most
LOWEST = 0.4  # row heights: no candidate is lower
WIDEST = 1.7  # row heights: no candidate is wider, but a whole piece
CUT_FROM = 0.75  # row heights: wider components may be several digits


@dataclass(eq=False)
class Piece(Rectangle):
    """Ink that is in one digit or in none: a component, or a part of one that was cut.

    mask: (height, width).
    """

    mask: Bools

    @property
    def area(self) -> int:
        return int(np.count_nonzero(self.mask))


class Candidate(NamedTuple):
    """Pieces `first` to before `end` of a row as one digit.

    image: uint8 (28, 28).
    """

    first: int
    end: int
    box: Rectangle
    image: NDArray[np.uint8]


def may_be_several(part: Component, row: TextRow) -> bool:
    """Return whether a component is wide enough to be cut."""
    return part.width >= CUT_FROM * row.height


def whole(part: Component) -> Piece:
    """Return a component as one piece."""
    return Piece(part.top, part.bottom, part.left, part.right, part.mask())


def pieces_of(part: Component, row: TextRow, strength: FloatArray) -> list[Piece]:
    """Return a component cut along the seams of least ink, from left to right.

    strength: (h, w), of the ink in the picture.
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


def candidates_of(pieces: list[Piece], height: float, strength: FloatArray) -> Iterator[Candidate]:
    """Yield what may be a digit in a row of that height, pieces from left to right."""
    for first, piece in enumerate(pieces):
        box = Rectangle(piece.top, piece.bottom, piece.left, piece.right)
        for end in range(first + 1, min(first + PIECES, len(pieces)) + 1):
            box.include(pieces[end - 1])
            if end > first + 1 and box.width > WIDEST * height:
                break
            if box.height < LOWEST * height:
                continue
            image = _image(pieces[first:end], box, strength)
            if image is not None:
                own = Rectangle(box.top, box.bottom, box.left, box.right)
                yield Candidate(first, end, own, image)


def _image(pieces: list[Piece], box: Rectangle, strength: FloatArray) -> NDArray[np.uint8] | None:
    mask = np.zeros((box.height, box.width), np.bool_)
    for piece in pieces:
        rows = slice(piece.top - box.top, piece.bottom - box.top)
        mask[rows, piece.left - box.left : piece.right - box.left] |= piece.mask
    inked = strength[box.slices]
    return to_field(inked, mask).image if inked[mask].any() else None
