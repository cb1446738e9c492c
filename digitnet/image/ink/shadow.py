"""Find shadows that were taken for ink: fainter than the strokes, and broader."""

import math

import numpy as np

from digitnet.arrays import FloatArray
from digitnet.image.ink.closing import holds_square
from digitnet.image.ink.ink import (
    DOT_LENGTH,
    Bools,
    longer_span,
    otsu,
    stroke_width,
    touches_border,
)

MIN_INK_TO_SHADOW = 1.4  # ratio of mean strengths: ink on a shadow to the shadow
MIN_SQUARE_WIDTHS = 1.5  # stroke widths: side of a square that fits into a shadow
MIN_SQUARE_SIDE = 9  # px: side of that square
MIN_SQUARE_SHARE = 0.08  # of the picture's longer side: side of that square if no shadow is known


def find_shadow(strength: FloatArray, sure: Bools, dark: bool, *, known: bool) -> Bools:
    """Return the pixels (h, w) of `sure` that are a shadow and not ink; perhaps none.

    Otsu's threshold splits the ink in two. The fainter part is a shadow where it is much broader
    than the darker part, and the darker part is strokes. Where ink is lighter than the paper, the
    fainter part must also touch a side of the picture, unless a shadow is known.

    strength: (h, w), of the ink. sure: (h, w), where there is surely ink. dark: whether ink is
    darker than the paper. known: whether the picture is known to have a shadow, of which the rest
    may be small.
    """
    nowhere = np.zeros_like(sure)
    threshold, low, high = otsu(strength[sure])
    if high < MIN_INK_TO_SHADOW * low:
        return nowhere
    strokes = sure & (strength > threshold)
    fainter = sure & ~strokes
    width = stroke_width(strokes)
    if longer_span(strokes) <= DOT_LENGTH * width:
        return nowhere
    least = 0.0 if known else MIN_SQUARE_SHARE * max(fainter.shape)
    side = math.ceil(max(MIN_SQUARE_WIDTHS * width, MIN_SQUARE_SIDE, least)) | 1
    may_be_shadow = known or dark or touches_border(fainter)
    return fainter if may_be_shadow and holds_square(fainter, side) else nowhere
