"""What of a picture is paper and what is ink, however it is lit and whatever its colours.

Where the border is of one shade, or there are but two, all paper is; elsewhere see `uneven`.
"""

import numpy as np

from digitnet.arrays import FloatArray
from digitnet.image.ink.closing import greatest_around, holds_square
from digitnet.image.ink.ink import FAINT, LEAST_PAGE, Ink
from digitnet.image.ink.ruling import ruling
from digitnet.image.ink.shadow import shadow_in
from digitnet.image.ink.uneven import on_uneven_paper

EVEN = 0.15  # of the contrast: how much paper may vary that counts as one shade
COARSEST = 80, 30  # pixels: enough to tell whether there are but two shades, with soft edges fewer
APART = 0.2  # of the contrast: what is farther from both, and no part of an edge, is a third shade
INKED = 0.85  # of the pixels on the ink's side are fainter than its shade, as at soft edges
FEW = 0.03  # of the pixels may be of a third shade between both, as where a stroke is faint
FEWER = 0.01  # of them may go beyond the ink's shade: if more do, it is a shadow's and they are ink
FEWEST = 0.002  # of them may go beyond the paper's: if more do, it is a shadow's and they are ink
BROAD = 0.3  # of the longer side: a square so large within what would be ink is a sheet or a table
SMALL = 20  # pixels: of a side so short, light is taken to be even
LEAST_CONTRAST = 0.1  # of black to white, between the border and what differs most from it
GRAIN = 0.06  # of it: fainter is the grain of the paper or of JPEG; up to twice that it fades out


def find_ink(light: FloatArray, *, shadowed: bool = False, dark: bool | None = None) -> Ink | None:
    """The ink in a picture of brightness 0 to 1, float32 (h, w); None where there is none.

    shadowed: whether there is known to be a shadow; it counts from LEAST_PAGE pixels on. dark:
    whether ink is darker than paper that is of several shades, if that is known.
    """
    if dark is not None:
        return on_uneven_paper(light, shadowed=shadowed, dark=dark)
    border = _border(light)
    border.sort()
    n = len(border)
    low, paper, high = float(border[n // 10]), float(border[n // 2]), float(border[-1 - n // 10])
    ends = np.minimum.reduce(light, axis=None), np.maximum.reduce(light, axis=None)
    ink = float(max(ends, key=lambda end: abs(paper - end)))
    most = abs(paper - ink)
    if most < LEAST_CONTRAST:
        return None
    found = _on_even_paper(light, paper, ink)
    if high - low <= EVEN * most:
        if min(light.shape) < LEAST_PAGE:
            return found
        if not shadowed:
            shadowed = bool(shadow_in(found.strength, found.marked, found.dark, known=False).any())
        return (shadowed and on_uneven_paper(light, shadowed=True)) or found
    shades = None if shadowed else _two_shades(light, paper)
    if shades:
        return _on_even_paper(light, *shades)
    return found if min(light.shape) < SMALL else on_uneven_paper(light, shadowed=shadowed)


def _border(light: FloatArray) -> FloatArray:
    """What lies along the four sides, (2 (h + w),)."""
    return np.concatenate([light[0], light[-1], light[:, 0], light[:, -1]])


def _on_even_paper(light: FloatArray, paper: float, ink: float) -> Ink:
    """Where the paper and the ink are of one shade each."""
    strength = np.minimum((light - paper) / (ink - paper), 1)
    covered = strength / GRAIN - 1
    strength *= np.minimum(np.maximum(covered, 0, out=covered), 1, out=covered)
    marked = strength >= FAINT
    threshold, lines = FAINT, ruling(strength, marked)
    if lines is None:  # they may be marked where there is less light alone
        lines = ruling(strength, strength > 2 * GRAIN)
    if lines is not None:
        threshold = lines + FAINT * (1 - lines)
        marked = strength >= threshold
        strength = np.maximum((strength - lines) / (1 - lines), 0)
    return Ink(strength, marked, marked, ink < paper, threshold, is_even=True)


def _two_shades(light: FloatArray, border: float) -> tuple[float, float] | None:
    """The paper's and the ink's, if there are no others: so it is where a digit fills a picture.

    Both may lie along the border then, the paper along more of it.
    """
    for side in COARSEST:
        every = -(-max(light.shape) // side)
        shades = _only_two_shades(light[::every, ::every], border)
        if shades:
            return shades
    return None


def _only_two_shades(light: FloatArray, border: float) -> tuple[float, float] | None:
    low, high = np.minimum.reduce(light, axis=None), np.maximum.reduce(light, axis=None)
    if high - low < LEAST_CONTRAST:
        return None
    is_light = light > (low + high) / 2
    dark, bright = float(np.median(light[~is_light])), float(np.median(light[is_light]))
    if border - dark < bright - border:
        paper, ink = dark, float(np.quantile(light[is_light], INKED))
    else:
        paper, ink = bright, float(np.quantile(light[~is_light], 1 - INKED))
    share = (light - paper) / (ink - paper)
    is_flat = greatest_around(share, 3) + greatest_around(-share, 3) < APART
    between = is_flat & (share > APART) & (share < 1 - APART)
    for third, few in ((between, FEW), (share > 1 + APART, FEWER), (share < -APART, FEWEST)):
        if np.count_nonzero(third) > few * light.size:
            return None
    is_broad = holds_square(share > 0.5, int(BROAD * max(light.shape)) | 1)
    return None if is_broad else (paper, ink)
