"""Find ruled paper: printed lines or squares at any angle, fainter than the writing."""

import math

import numpy as np

from digitnet.arrays import FloatArray
from digitnet.image.ink.components import connected_components
from digitnet.image.ink.ink import (
    DOT_LENGTH,
    MIN_PAGE_SIDE,
    Bools,
    dilate,
    longer_span,
    otsu,
    stroke_width,
    touches_border,
)

BORDER = 4  # px: a line that comes this close to a side of the picture reaches it
MAX_SPLITS = 3  # Otsu splits: edges of lines, then lines, then crossings are split from the writing
MAX_LINE_WIDTH = 1.5  # stroke widths: wider marks are not lines
LINE_QUANTILE = 0.98  # quantile of the lines' strength: up to this, pixels count as paper


def ruling_strength(strength: FloatArray, marked: Bools) -> float | None:
    """Return the strength of the printed lines, at LINE_QUANTILE; None without lines.

    strength: (h, w), of ink, 0 on paper. marked: (h, w), where there is any ink.

    Lines reach two opposite sides of the picture and are hardly wider than strokes. The writing is
    darker than the lines and keeps away from the border.
    """
    if min(marked.shape) < MIN_PAGE_SIDE or not _reaches_opposite_sides(marked):
        return None
    written = marked
    for _ in range(MAX_SPLITS):
        threshold, _, _ = otsu(strength[written])
        written = strength > threshold
        if written.any() and not touches_border(written):
            break
    else:
        return None
    width = stroke_width(written)
    lines = marked & ~dilate(written, math.ceil(width))
    if not _crosses_picture(lines) or stroke_width(lines) > MAX_LINE_WIDTH * width:
        return None
    if longer_span(written) <= DOT_LENGTH * width:
        return None
    return float(np.quantile(strength[lines], LINE_QUANTILE))


def _reaches_opposite_sides(mask: Bools) -> bool:
    """Return whether the mask reaches two opposite sides of the picture."""
    rows = [np.logical_or.reduce(rim, axis=0) for rim in (mask[:BORDER], mask[-BORDER:])]
    columns = [np.logical_or.reduce(rim, axis=1) for rim in (mask[:, :BORDER], mask[:, -BORDER:])]
    return any(bool(first.any() and last.any()) for first, last in (rows, columns))


def _crosses_picture(mask: Bools) -> bool:
    """Return whether one connected component of the mask reaches two opposite sides."""
    height, width = (length - BORDER for length in mask.shape)
    return any(
        (one.left < BORDER and one.right > width) or (one.top < BORDER and one.bottom > height)
        for one in connected_components(mask)
    )
