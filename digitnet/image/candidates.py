"""What of a row may be one digit: pieces of ink, and neighbouring pieces together."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from digitnet.activations import FloatArray
from digitnet.image.field import to_field
from digitnet.image.ink import Bools, stroke_width
from digitnet.image.parts import Part, Rectangle
from digitnet.image.rows import TextRow
from digitnet.image.seams import seams_of

PIECES = 7  # neighbouring pieces in a candidate, at most
WIDEST = 1.7  # row heights: no candidate is wider, but a whole piece
LOWEST = 0.4  # row heights: no candidate is lower
CUT_FROM = 0.75  # row heights: wider components may be several digits
CUT_HEIGHT = 0.45  # row heights: lower components are not cut


@dataclass(eq=False)
class Piece(Rectangle):
    """Ink that is in one digit or in none: a component, or a part of one that was cut.

    mask: (height, width). cut: strokes that the cut at its left crosses, 0 at the left of a
    component.
    """

    mask: Bools
    cut: float = 0.0

    @property
    def area(self) -> int:
        return int(np.count_nonzero(self.mask))


class Candidate(NamedTuple):
    """Pieces `first` to before `end` of a row as one digit.

    image: uint8 (28, 28). gap: columns without ink in it, in row heights. cut: as of its first
    piece.
    """

    first: int
    end: int
    box: Rectangle
    image: NDArray[np.uint8]
    gap: float
    cut: float


def may_be_several(part: Part, row: TextRow) -> bool:
    """Return whether a component is wide and high enough to be cut."""
    return part.width >= CUT_FROM * row.height and part.height >= CUT_HEIGHT * row.height


def whole(part: Part) -> Piece:
    """Return a component as one piece."""
    return Piece(part.top, part.bottom, part.left, part.right, part.mask())


def pieces_of(part: Part, row: TextRow, strength: FloatArray) -> list[Piece]:
    """Return a component cut along the seams of least ink, from left to right.

    strength: (h, w), of the ink in the picture.
    """
    mask = part.mask()
    rest, pieces, cut = mask.copy(), [], 0.0
    columns = np.arange(mask.shape[1])
    stroke = stroke_width(mask)
    for seam, crossed in seams_of(mask, strength[part.slices], row.height, stroke):
        left = rest & (columns < seam[:, np.newaxis])
        if left.any():
            pieces.append(_piece(left, part, cut))
            rest &= ~left
            cut = max(crossed, 1e-3)
    return [*pieces, _piece(rest, part, cut)] if rest.any() else pieces


def _piece(mask: Bools, part: Part, cut: float) -> Piece:
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
        cut,
    )


def candidates_of(pieces: list[Piece], height: float, strength: FloatArray) -> Iterator[Candidate]:
    """Yield what may be a digit in a row of that height, pieces from left to right."""
    for first, piece in enumerate(pieces):
        box = Rectangle(piece.top, piece.bottom, piece.left, piece.right)
        for end in range(first + 1, min(first + PIECES, len(pieces)) + 1):
            box.include(pieces[end - 1])
            if end > first + 1 and box.width > WIDEST * height:
                break
            if box.height >= LOWEST * height:
                image = _image(pieces[first:end], box, strength)
                if image is not None:
                    own = Rectangle(box.top, box.bottom, box.left, box.right)
                    chosen = pieces[first:end]
                    yield Candidate(first, end, own, image, _gap(chosen) / height, piece.cut)


def _image(pieces: list[Piece], box: Rectangle, strength: FloatArray) -> NDArray[np.uint8] | None:
    mask = np.zeros((box.height, box.width), np.bool_)
    for piece in pieces:
        rows = slice(piece.top - box.top, piece.bottom - box.top)
        mask[rows, piece.left - box.left : piece.right - box.left] |= piece.mask
    inked = strength[box.slices]
    return to_field(inked, mask).image if inked[mask].any() else None


def _gap(pieces: list[Piece]) -> int:
    """Return how many columns between the pieces have no ink."""
    reach, gap = pieces[0].right, 0
    for piece in sorted(pieces, key=lambda piece: piece.left):
        gap += max(piece.left - reach, 0)
        reach = max(reach, piece.right)
    return gap
