"""What squares fit into: closing, and how much room there is in a mask (Serra 1982)."""

import numpy as np

from digitnet.arrays import FloatArray
from digitnet.image.ink.ink import Bools


def closed(light: FloatArray, reach: int) -> FloatArray:
    """Closing with a square of `reach` pixels, an odd number, its middle in the picture.

    The picture goes on at its edges as they are.
    """
    return -greatest_around(-greatest_around(light, reach), reach)


def closed_beyond(light: FloatArray, reach: int) -> FloatArray:
    """The same, the square also half out of the picture: so light may fall off to its edges."""
    half = reach // 2
    return closed(np.pad(light, half, mode="edge"), reach)[half:-half, half:-half]


def greatest_around(light: FloatArray, reach: int) -> FloatArray:
    """The greatest in a square of `reach` pixels around each pixel."""
    return greatest(greatest(light, reach).T, reach).T


def greatest(rows: FloatArray, reach: int) -> FloatArray:
    """The greatest within reach along each row, from greatest of 1, 2, 4, … neighbours."""
    most = np.pad(rows, ((0, 0), (reach // 2, reach // 2)), mode="edge")
    width = 1
    while width < reach:
        step = min(width, reach - width)
        most = np.maximum(most[:, :-step], most[:, step:])
        width += step
    return most


def holds_square(mask: Bools, side: int) -> bool:
    """Whether a square of so many pixels, an odd number, fits into a mask."""
    if np.count_nonzero(mask) < side * side:
        return False
    inverse = np.pad(~mask, side // 2, constant_values=True).astype(np.float32)
    return not bool(greatest_around(inverse, side).all())
