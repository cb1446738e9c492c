"""Ink on paper: where it is and how strong, what splits it in two, and how wide its strokes are."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from digitnet.arrays import FloatArray

Bools = NDArray[np.bool_]

DOT = 4  # times as long as wide, at most: no stroke
FAINT = 0.2  # of the contrast of ink: fainter is paper
LEAST_PAGE = 60  # pixels: smaller pictures show nothing but the digit, no shadow, line or box


class Ink(NamedTuple):
    """Where ink is on paper.

    strength: (h, w), 0 on paper, 1 where ink covers it. sure, marked: (h, w), where there is
    ink for sure, and where at all. dark: darker than the paper. threshold: above which it is ink,
    of the contrast, or on uneven paper of the light that ink takes away. is_even: whether the paper
    has one shade; all ink is sure then. shadowed: whether a shadow lies there that is fainter than
    the ink.
    """

    strength: FloatArray
    sure: Bools
    marked: Bools
    dark: bool
    threshold: float
    is_even: bool
    shadowed: bool = False


def otsu(values: FloatArray) -> tuple[float, float, float]:
    """The threshold that splits values best into two, and the mean of each: Otsu 1979, eq. 14."""
    # In float32, bins of values that are all but equal would have no width.
    counts, edges = np.histogram(values.astype(np.float64), bins=256)
    middles = (edges[1:] + edges[:-1]) / 2
    below, total = np.cumsum(counts), np.cumsum(counts * middles)
    above = below[-1] - below
    low = total / np.maximum(below, 1)
    high = (total[-1] - total) / np.maximum(above, 1)
    best = int((below * above * (high - low) ** 2).argmax())
    return float(edges[best + 1]), float(low[best]), float(high[best])


def stroke_width(mask: Bools, area: float | None = None) -> float:
    """How wide strokes are on average, in pixels: twice their area over their outline's length.

    The outline is counted in steps between pixels, π/4 of which are its length on average over all
    directions. area: of the ink, where the mask tells it too roughly.
    """
    height, width = mask.shape
    padded = np.zeros((height + 2, width + 2), np.bool_)
    padded[1:-1, 1:-1] = mask
    down, across = padded[1:] != padded[:-1], padded[:, 1:] != padded[:, :-1]
    steps = int(np.count_nonzero(down)) + int(np.count_nonzero(across))
    covered = float(np.count_nonzero(mask)) if area is None else area
    return 2 * covered / (max(steps, 1) * math.pi / 4)


def box_of(mask: Bools) -> tuple[slice, slice]:
    """Rows and columns from the first with marks to after the last; not empty."""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def reaches_side(mask: Bools) -> bool:
    """Return whether a mask reaches a side of the picture."""
    return any(bool(side.any()) for side in (mask[0], mask[-1], mask[:, 0], mask[:, -1]))


def extent(mask: Bools) -> int:
    """From the first to the last of its rows or columns, whichever is more; not empty."""
    return int(max(np.ptp(np.flatnonzero(mask.any(axis=axis))) for axis in (0, 1)))


def widened(mask: Bools, by: int) -> Bools:
    """The mask and what is up to so many steps from it."""
    for _ in range(by):
        wider = mask.copy()
        wider[1:] |= mask[:-1]
        wider[:-1] |= mask[1:]
        wider[:, 1:] |= mask[:, :-1]
        wider[:, :-1] |= mask[:, 1:]
        mask = wider
    return mask


def narrowed(mask: Bools, by: int) -> Bools:
    """The mask without what is up to so many steps from its rim, or from a side of the picture."""
    return ~widened(np.pad(~mask, 1, constant_values=True), by)[1:-1, 1:-1]
