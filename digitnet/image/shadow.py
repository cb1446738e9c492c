"""Shadows that are taken for ink: fainter than the strokes, and much broader."""

import math

import numpy as np

from digitnet.activations import FloatArray
from digitnet.image.closing import holds_square
from digitnet.image.ink import DOT, Bools, extent, otsu, stroke_width, widened

LEAST_SIDE = 9  # pixels of a square that fits into one
BROADER = 1.5  # times as wide as strokes, at least: a square within a shadow
SHADED, INSIDE = 0.06, 0.14  # of the longer side: the same, from outside and within the picture
DARKER = 1.4  # times as dark as a shadow, at least, is the ink in it
SOFT = 4  # pixels: of strokes, an edge so wide
APART = 0.05  # of what is left of a shadow is farther from them
SHADES = 2  # of a shadow: its soft edge, and all of it


def shadow_in(strength: FloatArray, sure: Bools, dark: bool, *, known: bool) -> Bools | None:
    """Where the fainter part of what is sure, (h, w), is a shadow and no ink; None where it is ink.

    dark: whether that is darker than the paper. known: whether there is a shadow, of which this may
    be a rest.
    """
    shadow = _broad_shadow(strength, sure, dark, known=known)
    if not known:
        return shadow
    rest = _rest(strength, sure if shadow is None else sure & ~shadow)
    return shadow if rest is None else rest if shadow is None else shadow | rest


def _broad_shadow(strength: FloatArray, sure: Bools, dark: bool, *, known: bool) -> Bools | None:
    """What is split off first may be no more than its soft edge."""
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


def _rest(strength: FloatArray, sure: Bools) -> Bools | None:
    """The fainter part, where it is more than the soft edge of strokes."""
    threshold, low, high = otsu(strength[sure])
    if high < DARKER * low:
        return None
    fainter, darker = sure & (strength <= threshold), sure & (strength > threshold)
    apart = np.count_nonzero(fainter & ~widened(darker, SOFT))
    return fainter if apart > APART * np.count_nonzero(fainter) else None


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
