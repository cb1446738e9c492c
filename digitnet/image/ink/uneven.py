"""Ink where light falls off, or a shadow lies.

Strokes are thinner than the paper around them is wide. So the paper under dark strokes is found by
closing (Serra 1982): the lightest within reach of each pixel, and of that the darkest within reach.
It follows the light and the edge of a shadow, but bridges every stroke. Light strokes are found by
the same on the negative. What differs from the paper by more than its noise is ink.
"""

import numpy as np

from digitnet.arrays import FloatArray
from digitnet.image.ink.closing import closed, closed_beyond
from digitnet.image.ink.ink import FAINT, Ink, otsu, stroke_width
from digitnet.image.ink.ruling import ruling
from digitnet.image.ink.shadow import shadow_in

REACH = 0.35  # of the shorter side: how thick strokes may be, where nothing else is known
LEAST_REACH = 9  # pixels
STROKES = 3  # times the width of strokes, where that is known
ROUGH = 60  # pixels: larger pictures are averaged first
LEAST_SHARE = 0.06  # of the light that ink has to take away, where light is uneven
LEAST_RARE = 0.2  # the same, of ink on so few pixels that grain or fine lines are more
SPLITS = 3  # of what differs from the paper: grain, lines, what is written
LEAST_DEVIATIONS = 4  # of the paper's own spread, between ink and paper
FULL = 0.7  # of what is surely ink is fainter than what counts as full
HYSTERESIS = 0.6  # of the threshold: what is darker, and hangs together with ink, is ink too
DARKEST = 0.15  # paper is taken to be no darker than this, or noise in deep shadow would be ink


def on_uneven_paper(light: FloatArray, *, shadowed: bool, dark: bool | None = None) -> Ink | None:
    """The ink in a picture of brightness 0 to 1, float32 (h, w); None where there is none.

    shadowed: whether there is known to be a shadow. dark: whether ink is darker than the paper, if
    that is known; else, where there is none of what is likelier, it may be the other.
    """
    light = smoothed(light)
    reach = max(int(min(light.shape) * REACH) | 1, LEAST_REACH)
    if dark is None:
        dark = _is_dark(light, reach)
        ink = _with_suitable_reach(light, reach, dark, shadowed=shadowed)
        return ink or _with_suitable_reach(light, reach, not dark, shadowed=shadowed)
    return _with_suitable_reach(light, reach, dark, shadowed=shadowed)


def _is_dark(light: FloatArray, reach: int) -> bool:
    """Whether ink is darker than the paper: strokes leave edges in what does not bridge them."""
    return _edges(closed(light, reach)) <= _edges(closed(-light, reach))


def _with_suitable_reach(
    light: FloatArray, reach: int, dark: bool, *, shadowed: bool
) -> Ink | None:
    """Where strokes are thinner than `reach` pixels, and again with what they need."""
    ink = _with_reach(light, reach, dark, shadowed=shadowed)
    if ink is None:
        return None
    suitable = max(int(STROKES * stroke_width(ink.marked)) | 1, LEAST_REACH)
    if suitable >= reach:
        return ink
    return _with_reach(light, suitable, dark, shadowed=ink.shadowed)


def _with_reach(light: FloatArray, reach: int, dark: bool, *, shadowed: bool) -> Ink | None:
    """Where strokes, dark or light, are thinner than `reach` pixels.

    shadowed: whether there is known to be a shadow.
    """
    if not dark:
        light = 1 - light
    under = closed_beyond(light, reach)
    strength = (under - light) / np.maximum(under, DARKEST)
    np.maximum(strength, 0, out=strength)
    if np.maximum.reduce(strength, axis=None) < LEAST_SHARE:
        return None
    split = _split(strength)
    if split is None:
        return None
    threshold, paper, noise = split
    threshold = max(threshold, paper + LEAST_DEVIATIONS * noise)
    sure = strength > threshold
    if not sure.any():
        return None
    shadow = shadow_in(strength, sure, dark, known=shadowed)
    if shadow.any():
        shadowed = True
        sure &= ~shadow
        shades = strength[shadow]
        threshold, paper, noise = map(float, (shades.max(), shades.mean(), shades.std()))
    faint = max(HYSTERESIS * threshold, paper + LEAST_DEVIATIONS / 2 * noise)
    marked = strength > faint
    lines = ruling(strength, marked)
    if lines is not None:
        written = float(np.quantile(strength[strength > lines], FULL))
        threshold, paper = lines + FAINT * (written - lines), lines
        marked = strength > threshold
        sure = sure & marked
        if not sure.any():
            return None
    full = float(np.quantile(strength[sure], FULL))
    strength = np.clip((strength - paper) / max(full - paper, 1e-6), 0, 1)
    return Ink(strength, sure, marked, dark, threshold, is_even=False, shadowed=shadowed)


def _split(strength: FloatArray) -> tuple[float, float, float] | None:
    """The threshold above which there is ink, and the mean and the deviation below; None for none.

    Where so split ink would be hardly darker than paper, it is grain, or fine lines, and what is
    written, on few pixels of a large page, is the darker part of it.
    """
    darker, least, spread = strength, LEAST_SHARE, 0.0
    for _ in range(SPLITS):
        if not darker.size or not np.ptp(darker):
            break
        threshold, _, ink = otsu(darker)
        below = strength[strength <= threshold]
        paper, noise = float(below.mean()), float(below.std())
        if ink - paper >= max(least, LEAST_DEVIATIONS * max(noise, spread)):
            return threshold, paper, noise
        darker, least, spread = darker[darker > threshold], LEAST_RARE, float(strength.std())
    return None


def _edges(light: FloatArray) -> float:
    """How steep a picture is: the mean square of the steps between neighbours."""
    down, across = np.diff(light, axis=0), np.diff(light, axis=1)
    squares = (np.square(steps, dtype=np.float64) for steps in (down, across))
    return float(sum(square.sum() for square in squares)) / light.size


def smoothed(light: FloatArray) -> FloatArray:
    """As uneven paper is looked at: in large pictures, the mean over 3×3, for their noise."""
    if min(light.shape) <= ROUGH:
        return light
    for _ in range(2):
        padded = np.pad(light, ((0, 0), (1, 1)), mode="edge")
        windows = np.lib.stride_tricks.sliding_window_view(padded, 3, axis=1)
        light = windows.mean(axis=2, dtype=np.float32).T
    return light
