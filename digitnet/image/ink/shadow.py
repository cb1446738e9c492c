"""Shadows that were taken for ink: fainter than the strokes, and broader."""

import math

import numpy as np

from digitnet.arrays import FloatArray
from digitnet.image.ink.closing import holds_square
from digitnet.image.ink.ink import DOT, Bools, extent, otsu, reaches_side, stroke_width

DARKER = 1.4  # times as dark as a shadow: the least strength of the ink on it
BROADER = 1.5  # stroke widths: least side of a square within a shadow
LEAST_SQUARE = 9  # px: least side of that square
LEAST_SHARE = 0.08  # of the picture's longer side: the same, where no shadow is known


def shadow_in(strength: FloatArray, sure: Bools, dark: bool, *, known: bool) -> Bools:
    """Return where ink is a shadow instead, (h, w): perhaps nowhere.

    Otsu's threshold splits the ink in two; the fainter part is a shadow where it is much broader
    than the darker one, and that is strokes. A shadow that reaches no side of the picture is darker
    than the paper.

    sure: (h, w), where there is ink for sure. dark: whether ink is darker than the paper. known:
    whether there is known to be a shadow, of which this may be a rest.
    """
    nowhere = np.zeros_like(sure)
    threshold, low, high = otsu(strength[sure])
    if high < DARKER * low:
        return nowhere
    strokes = sure & (strength > threshold)
    fainter = sure & ~strokes
    width = stroke_width(strokes)
    if extent(strokes) <= DOT * width:
        return nowhere
    least = 0.0 if known else LEAST_SHARE * max(fainter.shape)
    side = math.ceil(max(BROADER * width, LEAST_SQUARE, least)) | 1
    may_be_shadow = known or dark or reaches_side(fainter)
    return fainter if may_be_shadow and holds_square(fainter, side) else nowhere
