"""Paper with lines or squares printed on it, fainter than what is written, however it lies."""

import math

import numpy as np
from numpy.typing import NDArray

from digitnet.activations import FloatArray
from digitnet.image.ink import DOT, otsu, stroke_width

LEAST_RULED = 60  # pixels: in smaller pictures, lines are no thinner than strokes
LEVELS = 3  # of ink: that of the edges of lines, of lines, of crossings or what is written
BROADEST = 1.5  # times as wide as strokes, at most: a line
LONG = 0.6  # of the shorter side: how long lines are together, at least
SELDOM = 0.01  # of the border may be inked by what is written
MOST = 0.98  # of the lines' pixels are fainter than what is taken for paper


def ruling(strength: FloatArray, marked: NDArray[np.bool_]) -> float | None:
    """How strong lines are among what is marked, (h, w); None where there are none.

    They go on outside at opposite sides and are hardly wider than the strokes, which are darker
    and keep away from the border.
    """
    if min(marked.shape) < LEAST_RULED or not _crosses(marked):
        return None
    written = marked
    for _ in range(LEVELS):
        threshold, _, _ = otsu(strength[written])
        written = strength > threshold
        if _is_inside(written):
            break
    else:
        return None
    width = stroke_width(written)
    lines = marked & ~_widened(written, math.ceil(width))
    if not (_crosses(lines) and written.any()):
        return None
    line_width = stroke_width(lines)
    extent = max(np.ptp(np.flatnonzero(written.any(axis=axis))) for axis in (0, 1))
    length = np.count_nonzero(lines) / line_width
    if line_width > BROADEST * width or extent <= DOT * width or length < LONG * min(lines.shape):
        return None
    return float(np.quantile(strength[lines], MOST))


def _crosses(mask: NDArray[np.bool_]) -> bool:
    """Whether it reaches opposite sides."""
    rows, columns = (mask[0], mask[-1]), (mask[:, 0], mask[:, -1])
    return any(bool(one.any() and other.any()) for one, other in (rows, columns))


def _is_inside(mask: NDArray[np.bool_]) -> bool:
    sides = mask[0], mask[-1], mask[:, 0], mask[:, -1]
    covered = sum(int(np.count_nonzero(side)) for side in sides)
    return covered <= SELDOM * 2 * sum(mask.shape)


def _widened(mask: NDArray[np.bool_], by: int) -> NDArray[np.bool_]:
    """The mask and what is up to so many steps from it."""
    for _ in range(by):
        wider = mask.copy()
        wider[1:] |= mask[:-1]
        wider[:-1] |= mask[1:]
        wider[:, 1:] |= mask[:, :-1]
        wider[:, :-1] |= mask[:, 1:]
        mask = wider
    return mask
