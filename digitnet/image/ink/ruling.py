"""Paper with lines or squares printed on it, fainter than what is written, however it lies."""

import math

import numpy as np

from digitnet.arrays import FloatArray
from digitnet.image.ink.ink import (
    DOT,
    LEAST_PAGE,
    Bools,
    extent,
    otsu,
    reaches_side,
    stroke_width,
    widened,
)
from digitnet.image.ink.parts import parts_of

RIM = 4  # pixels: so near, a line reaches the border
LEVELS = 3  # of ink: that of the edges of lines, of lines, of crossings or what is written
BROADEST = 1.5  # times as wide as strokes, at most: a line
MOST = 0.98  # of the lines' pixels are fainter than what is taken for paper


def ruling(strength: FloatArray, marked: Bools) -> float | None:
    """How strong lines are among what is marked, at most; None where there are none.

    strength: (h, w), of ink, 0 on paper. marked: (h, w), where there is ink at all.

    They go on outside at opposite sides and are hardly wider than the strokes, which are darker
    and keep away from the border.
    """
    if min(marked.shape) < LEAST_PAGE or not _reaches_opposite_sides(marked):
        return None
    written = marked
    for _ in range(LEVELS):
        threshold, _, _ = otsu(strength[written])
        written = strength > threshold
        if written.any() and not reaches_side(written):
            break
    else:
        return None
    width = stroke_width(written)
    lines = marked & ~widened(written, math.ceil(width))
    if not _crosses(lines) or stroke_width(lines) > BROADEST * width:
        return None
    if extent(written) <= DOT * width:
        return None
    return float(np.quantile(strength[lines], MOST))


def _reaches_opposite_sides(mask: Bools) -> bool:
    """Return whether it reaches two opposite sides."""
    tips = [np.logical_or.reduce(rim, axis=0) for rim in (mask[:RIM], mask[-RIM:])]
    sides = [np.logical_or.reduce(rim, axis=1) for rim in (mask[:, :RIM], mask[:, -RIM:])]
    return any(bool(one.any() and other.any()) for one, other in (tips, sides))


def _crosses(mask: Bools) -> bool:
    """Return whether a part of it reaches opposite sides."""
    height, width = (length - RIM for length in mask.shape)
    return any(
        (part.left < RIM and part.right > width) or (part.top < RIM and part.bottom > height)
        for part in parts_of(mask)
    )
