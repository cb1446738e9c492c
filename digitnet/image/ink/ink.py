"""The ink in a picture, and basic operations on masks: dilate, erode, bounding box."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from digitnet.arrays import FloatArray

Bools = NDArray[np.bool_]

DOT_LENGTH = 4  # stroke widths: ink whose height and width are at most this is a dot, not a stroke
MIN_INK_STRENGTH = 0.2  # fraction of the contrast between paper and ink: fainter pixels are paper
MIN_PAGE_SIDE = 60  # px of the shorter side: smaller pictures show a digit, but no shadow or line


class Ink(NamedTuple):
    """The ink in a picture of h×w pixels.

    strength: (h, w), float32, 0 on paper to 1 under full ink. marked: (h, w), the pixels above the
    low threshold. sure: (h, w), the pixels above the high threshold (hysteresis thresholding).
    dark: whether ink is darker than the paper. threshold: between paper and ink, as a fraction of
    the contrast; on uneven paper, as a fraction of the light that ink takes away. is_even: whether
    the paper has one shade; then `sure` equals `marked`. shadowed: whether a shadow, fainter than
    the ink, was found.
    """

    strength: FloatArray
    sure: Bools
    marked: Bools
    dark: bool
    threshold: float
    is_even: bool
    shadowed: bool = False


def otsu(values: FloatArray) -> tuple[float, float, float]:
    """Return Otsu's threshold and the means of the values below and above: Otsu 1979, eq. 14."""
    # In float32, the bins of nearly equal values would have no width.
    counts, edges = np.histogram(values.astype(np.float64), bins=256)
    middles = (edges[1:] + edges[:-1]) / 2
    below, total = np.cumsum(counts), np.cumsum(counts * middles)
    above = below[-1] - below
    low = total / np.maximum(below, 1)
    high = (total[-1] - total) / np.maximum(above, 1)
    best = int((below * above * (high - low) ** 2).argmax())
    return float(edges[best + 1]), float(low[best]), float(high[best])


def stroke_width(mask: Bools, area: float | None = None) -> float:
    """Return the mean stroke width, px: twice the area divided by the length of the outline.

    The outline is counted in edges between pixels. Averaged over all directions, its true length
    is π/4 of that count. area: of the ink, px, where it is known better than from the mask.
    """
    height, width = mask.shape
    padded = np.zeros((height + 2, width + 2), np.bool_)
    padded[1:-1, 1:-1] = mask
    down, across = padded[1:] != padded[:-1], padded[:, 1:] != padded[:, :-1]
    steps = int(np.count_nonzero(down)) + int(np.count_nonzero(across))
    covered = float(np.count_nonzero(mask)) if area is None else area
    return 2 * covered / (max(steps, 1) * math.pi / 4)


def bounding_box(mask: Bools) -> tuple[slice, slice]:
    """Return the rows and columns of the bounding box; the mask must not be empty."""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def touches_border(mask: Bools) -> bool:
    """Return whether the mask touches a side of the picture."""
    return any(bool(side.any()) for side in (mask[0], mask[-1], mask[:, 0], mask[:, -1]))


def longer_span(mask: Bools) -> int:
    """Return last − first row or last − first column, whichever is larger; not for empty masks."""
    return int(max(np.ptp(np.flatnonzero(mask.any(axis=axis))) for axis in (0, 1)))


def dilate(mask: Bools, steps: int) -> Bools:
    """Return the mask dilated `steps` times with a cross of 3×3 pixels."""
    for _ in range(steps):
        dilated = mask.copy()
        dilated[1:] |= mask[:-1]
        dilated[:-1] |= mask[1:]
        dilated[:, 1:] |= mask[:, :-1]
        dilated[:, :-1] |= mask[:, 1:]
        mask = dilated
    return mask


def erode(mask: Bools, steps: int) -> Bools:
    """Return the mask eroded `steps` times; pixels outside the picture count as background."""
    return ~dilate(np.pad(~mask, 1, constant_values=True), steps)[1:-1, 1:-1]
