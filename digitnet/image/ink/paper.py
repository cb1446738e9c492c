"""Separate ink from paper, whatever the light and the colours.

Where the border has one shade, or the picture has only two, paper and ink have one shade each.
Other pictures are left to `uneven`.
"""

import numpy as np

from digitnet.arrays import FloatArray
from digitnet.image.ink.closing import holds_square, max_filter
from digitnet.image.ink.ink import MIN_INK_STRENGTH, MIN_PAGE_SIDE, Ink
from digitnet.image.ink.ruling import ruling_strength
from digitnet.image.ink.shadow import find_shadow
from digitnet.image.ink.uneven import find_ink_on_uneven_paper

EVEN_SPREAD = 0.15  # fraction of the contrast: if the border varies by at most this, paper is even
SAMPLED_SIDES = 80, 30  # px of the longer side of the sampled picture: 30 against soft edges
SHADE_DISTANCE = 0.2  # fraction of the contrast: flat pixels farther from both are a third shade
INK_QUANTILE = 0.85  # quantile of the ink's side of the middle: the ink's shade; edges are fainter
MAX_BETWEEN = 0.03  # fraction of the pixels: more between both shades are not faint strokes
MAX_BEYOND_INK = 0.01  # fraction of the pixels: if more are darker than ink, ink is a shadow
MAX_BEYOND_PAPER = 0.002  # fraction of the pixels: if more are lighter than paper, it is a shadow
MAX_INK_SQUARE = 0.3  # of the longer side: ink that holds so large a square is a sheet or a table
MIN_UNEVEN_SIDE = 20  # px of the shorter side: smaller pictures are taken to be evenly lit
MIN_CONTRAST = 0.1  # fraction of black to white: with less between paper and ink there is no ink
GRAIN = 0.06  # of the contrast: strength of grain or JPEG noise, set to 0; kept from twice that


def find_ink(light: FloatArray, *, shadowed: bool = False, dark: bool | None = None) -> Ink | None:
    """Return the ink in a picture of brightness 0 to 1, float32 (h, w); None without ink.

    shadowed: whether the picture is known to have a shadow; ignored on even paper in pictures
    smaller than MIN_PAGE_SIDE. dark: whether ink is darker than the paper, if known; the paper is
    then taken to be uneven.
    """
    if dark is not None:
        return find_ink_on_uneven_paper(light, shadowed=shadowed, dark=dark)
    border = _border(light)
    border.sort()
    n = len(border)
    low, paper, high = float(border[n // 10]), float(border[n // 2]), float(border[-1 - n // 10])
    extremes = np.minimum.reduce(light, axis=None), np.maximum.reduce(light, axis=None)
    ink = float(max(extremes, key=lambda extreme: abs(paper - extreme)))
    contrast = abs(paper - ink)
    if contrast < MIN_CONTRAST:
        return None
    found = _find_ink_on_even_paper(light, paper, ink)
    if high - low <= EVEN_SPREAD * contrast:
        if min(light.shape) < MIN_PAGE_SIDE:
            return found
        if not shadowed:
            shadow = find_shadow(found.strength, found.marked, found.dark, known=False)
            shadowed = bool(shadow.any())
        return (shadowed and find_ink_on_uneven_paper(light, shadowed=True)) or found
    shades = None if shadowed else _two_shades(light, paper)
    if shades:
        return _find_ink_on_even_paper(light, *shades)
    is_small = min(light.shape) < MIN_UNEVEN_SIDE
    return found if is_small else find_ink_on_uneven_paper(light, shadowed=shadowed)


def _border(light: FloatArray) -> FloatArray:
    """Return the pixels along the four sides, (2 (h + w),)."""
    return np.concatenate([light[0], light[-1], light[:, 0], light[:, -1]])


def _find_ink_on_even_paper(light: FloatArray, paper: float, ink: float) -> Ink:
    """Return the ink where `paper` and `ink` are the only two shades, brightness 0 to 1."""
    strength = np.minimum((light - paper) / (ink - paper), 1)
    covered = strength / GRAIN - 1
    strength *= np.minimum(np.maximum(covered, 0, out=covered), 1, out=covered)
    marked = strength >= MIN_INK_STRENGTH
    threshold, lines = MIN_INK_STRENGTH, ruling_strength(strength, marked)
    if lines is None:  # pale lines may exceed MIN_INK_STRENGTH only in the darker part of the page
        lines = ruling_strength(strength, strength > 2 * GRAIN)
    if lines is not None:
        threshold = lines + MIN_INK_STRENGTH * (1 - lines)
        marked = strength >= threshold
        strength = np.maximum((strength - lines) / (1 - lines), 0)
    return Ink(strength, marked, marked, ink < paper, threshold, is_even=True)


def _two_shades(light: FloatArray, border: float) -> tuple[float, float] | None:
    """Return the brightness of paper and of ink if the picture has only two shades, else None.

    A digit that fills its picture has ink along the border. Then the paper is the shade closer to
    `border`, the median brightness along the border.
    """
    for side in SAMPLED_SIDES:
        step = -(-max(light.shape) // side)
        shades = _two_shades_of_sample(light[::step, ::step], border)
        if shades:
            return shades
    return None


def _two_shades_of_sample(light: FloatArray, border: float) -> tuple[float, float] | None:
    low, high = np.minimum.reduce(light, axis=None), np.maximum.reduce(light, axis=None)
    if high - low < MIN_CONTRAST:
        return None
    is_light = light > (low + high) / 2
    dark, bright = float(np.median(light[~is_light])), float(np.median(light[is_light]))
    if border - dark < bright - border:
        paper, ink = dark, float(np.quantile(light[is_light], INK_QUANTILE))
    else:
        paper, ink = bright, float(np.quantile(light[~is_light], 1 - INK_QUANTILE))
    strength = (light - paper) / (ink - paper)
    is_flat = max_filter(strength, 3) + max_filter(-strength, 3) < SHADE_DISTANCE
    is_between = is_flat & (strength > SHADE_DISTANCE) & (strength < 1 - SHADE_DISTANCE)
    for is_third, most in (
        (is_between, MAX_BETWEEN),
        (strength > 1 + SHADE_DISTANCE, MAX_BEYOND_INK),
        (strength < -SHADE_DISTANCE, MAX_BEYOND_PAPER),
    ):
        if np.count_nonzero(is_third) > most * light.size:
            return None
    is_broad = holds_square(strength > 0.5, int(MAX_INK_SQUARE * max(light.shape)) | 1)
    return None if is_broad else (paper, ink)
