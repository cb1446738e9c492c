"""Shadows that are taken for ink: fainter than the strokes, and much broader."""

import math

from digitnet.activations import FloatArray
from digitnet.image.closing import holds_square
from digitnet.image.ink import DOT, Bools, extent, otsu, stroke_width

LEAST_SIDE = 9  # pixels of a square that fits into one
BROADER = 1.5  # times as wide as strokes, at least: a square within a shadow
SHADED, INSIDE = 0.06, 0.14  # of the longer side: the same, from outside and within the picture
DARKER = 1.4  # times as dark as a shadow, at least, is the ink in it
SHADES = 2  # of a shadow: its soft edge, and all of it


def shadow_in(strength: FloatArray, sure: Bools, dark: bool, *, known: bool) -> Bools | None:
    """Where the fainter part of what is sure, (h, w), is a shadow and no ink; None where it is ink.

    What is split off first may be no more than its soft edge. known: whether there is a shadow, of
    which this may be a rest.
    """
    rest = sure
    for _ in range(SHADES):
        threshold, low, high = otsu(strength[rest])
        if high < DARKER * low:
            return None
        rest = strength > threshold
        fainter = sure & ~rest
        if _is_shadow(fainter, rest, dark, known=known):
            return fainter
    return None


def written_over(strength: FloatArray, sure: Bools) -> Bools:
    """What of sure ink (h, w) is no rest of a shadow, where that has been taken away."""
    threshold, low, high = otsu(strength[sure])
    return sure if high < DARKER * low else sure & (strength > threshold)


def _is_shadow(fainter: Bools, darker: Bools, dark: bool, *, known: bool) -> bool:
    """Whether it is much broader than the darker part, the strokes, and does not come from all
    sides, as a digit that is cropped to its ink. Those strokes are no mere dots, as where a pen
    rested. What comes from no side is no shadow if it is lighter than the paper.
    """
    longer = max(fainter.shape)
    sides = fainter[0], fainter[-1], fainter[:, 0], fainter[:, -1]
    touched = sum(bool(side.any()) for side in sides)
    if known:
        least = 0.0
    elif touched in (1, 2, 3):
        least = SHADED * longer
    elif touched == 0 and dark:
        least = INSIDE * longer
    else:
        return False
    width = stroke_width(darker)
    broader = math.ceil(max(BROADER * width, LEAST_SIDE, least)) | 1
    return extent(darker) > DOT * width and holds_square(fainter, broader)
