"""Shadows that are taken for ink: fainter than the strokes, and broader, or much longer."""

import math

import numpy as np

from digitnet.activations import FloatArray
from digitnet.image.closing import holds_square
from digitnet.image.ink import DOT, Bools, extent, otsu, stroke_width, widened
from digitnet.image.parts import parts_of

DARKER = 1.4  # times as dark as a shadow, at least, is the ink on it
SPLITS = 2  # of ink, until a shadow is split off: its soft edge, and all of it
BROADER = 1.5  # times as wide as strokes, at least: a square within a shadow
LEAST_SQUARE = 9  # pixels of the side of that square
NARROW, BROAD, WITHIN = 0.06, 0.1, 0.14  # of the picture's longer side: the same; see `_least`
COMPACT = 0.3  # of its own extent, at least: a square within one that comes from nowhere
THINNER = 0.5  # of a stroke's width, at least, is a shadow from side to side
SOFT = 4  # pixels: so far from strokes, their edge may be soft
FAR, FAR_REST = 0.3, 0.05  # of a shadow from side to side, of a rest: farther from strokes
AROUND = 0.8  # of what is as close to strokes: they are all on what is fainter


def shadow_in(strength: FloatArray, sure: Bools, dark: bool, *, known: bool) -> Bools:
    """Where the fainter part of what is surely ink, (h, w), is a shadow instead: perhaps nowhere.

    dark: whether ink is darker than the paper. known: whether there is known to be a shadow, of
    which this may be a rest.
    """
    shadow = _broad_shadow(strength, sure, dark, known=known)
    return shadow | _rest(strength, sure & ~shadow) if known else shadow


def _broad_shadow(strength: FloatArray, sure: Bools, dark: bool, *, known: bool) -> Bools:
    """The first of the fainter parts that may be one: the very first may be but its soft edge."""
    darker = sure
    for _ in range(SPLITS):
        threshold, low, high = otsu(strength[darker])
        if high < DARKER * low:
            break
        darker = darker & (strength > threshold)
        fainter = sure & ~darker
        if _is_shadow(fainter, darker, dark, known=known):
            return fainter
    return np.zeros_like(sure)


def _rest(strength: FloatArray, sure: Bools) -> Bools:
    """The fainter part, where it is more than the soft edge of strokes."""
    threshold, low, high = otsu(strength[sure])
    fainter, darker = sure & (strength <= threshold), sure & (strength > threshold)
    is_rest = high >= DARKER * low and _share(fainter, ~widened(darker, SOFT)) > FAR_REST
    return fainter if is_rest else np.zeros_like(sure)


def _share(mask: Bools, other: Bools) -> float:
    """How much of a mask is in another."""
    return int(np.count_nonzero(mask & other)) / max(int(np.count_nonzero(mask)), 1)


def _is_shadow(fainter: Bools, darker: Bools, dark: bool, *, known: bool) -> bool:
    """Whether what is fainter is much broader than what is darker, strokes and no mere dots, as
    where a pen rested; or goes from side to side, where those reach none and are not all on it.

    One that comes from no side is darker than the paper, and itself no strokes.
    """
    width = stroke_width(darker)
    if extent(darker) <= DOT * width:
        return False
    top, bottom, left, right = _sides(fainter)
    through = (top and bottom) or (left and right)
    if through and not any(_sides(darker)) and _is_crossed(darker, fainter, width):
        return True
    touched = top + bottom + left + right
    least = 0.0 if known else _least(touched, darker) * max(fainter.shape)
    if not holds_square(fainter, _odd(max(BROADER * width, LEAST_SQUARE, least))):
        return False
    if touched or known:
        return True
    return dark and holds_square(fainter | darker, _odd(COMPACT * extent(fainter)))


def _is_crossed(strokes: Bools, fainter: Bools, width: float) -> bool:
    """Whether one of the strokes is no dot, they are not all on what is fainter, and that is no
    soft edge of theirs, nor much thinner. width: of the strokes.
    """
    near = widened(strokes, SOFT)
    if _share(near & ~strokes, fainter) > AROUND or _share(fainter, ~near) <= FAR:
        return False
    is_thin = stroke_width(fainter) < THINNER * width
    is_stroke = (part.longer > DOT * width for part in parts_of(strokes))
    return not is_thin and any(is_stroke)


def _least(touched: int, strokes: Bools) -> float:
    """How broad a shadow is that comes from so many sides, of the picture's longer side.

    From all four comes a digit that is cropped to its ink, and no shadow; where strokes reach a
    side, that may be a digit, too.
    """
    if touched == 4:
        return 1.0
    if touched == 0:
        return WITHIN
    return BROAD if any(_sides(strokes)) else NARROW


def _sides(mask: Bools) -> list[bool]:
    """Whether it reaches the picture's top, bottom, left and right."""
    return [bool(side.any()) for side in (mask[0], mask[-1], mask[:, 0], mask[:, -1])]


def _odd(side: float) -> int:
    return math.ceil(side) | 1
