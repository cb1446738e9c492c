"""Grey-scale closing and max filter with squares, and the test whether a square fits into a mask.

Serra 1982, Image Analysis and Mathematical Morphology.
"""

import numpy as np

from digitnet.arrays import FloatArray
from digitnet.image.ink.ink import Bools


def grey_closing(light: FloatArray, size: int) -> FloatArray:
    """Return the closing of `light` (h, w) with a square of `size` pixels, an odd number.

    The centre of the square stays inside the picture. The picture is padded with its edge pixels.
    """
    return -max_filter(-max_filter(light, size), size)


def padded_grey_closing(light: FloatArray, size: int) -> FloatArray:
    """Return the closing, the centre of the square also up to half its size outside the picture.

    Without that, paper that gets darker towards an edge of the picture would be made lighter there.
    """
    half = size // 2
    return grey_closing(np.pad(light, half, mode="edge"), size)[half:-half, half:-half]


def max_filter(light: FloatArray, size: int) -> FloatArray:
    """Return the maximum in a square of `size` pixels, an odd number, around each pixel, (h, w)."""
    return max_filter_rows(max_filter_rows(light, size).T, size).T


def max_filter_rows(rows: FloatArray, size: int) -> FloatArray:
    """Return the maximum of `size` neighbours, an odd number, around each pixel in its row, (h, w).

    Maxima of 1, 2, 4, … neighbours are combined, so the cost grows with log(size).
    """
    maxima = np.pad(rows, ((0, 0), (size // 2, size // 2)), mode="edge")
    width = 1
    while width < size:
        step = min(width, size - width)
        maxima = np.maximum(maxima[:, :-step], maxima[:, step:])
        width += step
    return maxima


def holds_square(mask: Bools, side: int) -> bool:
    """Return whether a square of `side` pixels, an odd number, fits into the mask (h, w)."""
    if np.count_nonzero(mask) < side * side:
        return False
    inverse = np.pad(~mask, side // 2, constant_values=True).astype(np.float32)
    return not bool(max_filter(inverse, side).all())
