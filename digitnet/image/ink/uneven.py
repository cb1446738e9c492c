"""Find ink on unevenly lit paper.

Strokes are thinner than the paper around them is wide. So the paper under dark strokes is found by
a grey-scale closing (Serra 1982): a max filter, then a min filter. The closing follows the light
and the edge of a shadow, but bridges every stroke. Light strokes are found in the same way on the
negative. Ink is what differs from the paper by more than the noise of the paper.
"""

import numpy as np

from digitnet.arrays import FloatArray
from digitnet.image.ink.closing import grey_closing, padded_grey_closing
from digitnet.image.ink.ink import MIN_INK_STRENGTH, Ink, otsu, stroke_width
from digitnet.image.ink.ruling import ruling_strength
from digitnet.image.ink.shadow import find_shadow

CLOSING_SHARE = 0.35  # of the shorter side: size of the closing while stroke width is unknown
CLOSING_WIDTHS = 3  # stroke widths: size of the closing once they are known
MIN_CLOSING_SIZE = 9  # px
MAX_UNSMOOTHED_SIDE = 60  # px of the shorter side: larger pictures are smoothed first
MIN_DARKENING = 0.06  # fraction of the light that ink takes away on uneven paper
MIN_RARE_DARKENING = 0.2  # the same for ink on fewer pixels than grain or fine lines have
MAX_SPLITS = 3  # Otsu splits: grain from fine lines, fine lines from writing
MIN_DEVIATIONS = 4  # standard deviations of the paper, between ink and paper
FULL_INK_QUANTILE = 0.7  # of the strength of sure ink: counts as full ink
LOW_THRESHOLD = 0.6  # of the high threshold: pixels above it are ink if connected to sure ink
DARKEST_PAPER = 0.15  # brightness: darker paper counts as this, or noise in deep shadow becomes ink


def find_ink_on_uneven_paper(
    light: FloatArray, *, shadowed: bool, dark: bool | None = None
) -> Ink | None:
    """Return the ink in a picture of brightness 0 to 1, float32 (h, w); None without ink.

    shadowed: whether the picture is known to have a shadow. dark: whether ink is darker than the
    paper, if known; if not, the likelier of the two is tried first, then the other.
    """
    light = smooth(light)
    size = max(int(min(light.shape) * CLOSING_SHARE) | 1, MIN_CLOSING_SIZE)
    if dark is None:
        dark = _is_ink_dark(light, size)
        ink = _find_in_two_passes(light, size, dark, shadowed=shadowed)
        return ink or _find_in_two_passes(light, size, not dark, shadowed=shadowed)
    return _find_in_two_passes(light, size, dark, shadowed=shadowed)


def _is_ink_dark(light: FloatArray, size: int) -> bool:
    """Return whether ink is darker than the paper.

    A closing bridges dark strokes and so removes their edges; it keeps the edges of light strokes.
    """
    return _edges(grey_closing(light, size)) <= _edges(grey_closing(-light, size))


def _find_in_two_passes(light: FloatArray, size: int, dark: bool, *, shadowed: bool) -> Ink | None:
    """Return ink found with a closing of `size` pixels, then with the size that its strokes need.

    A smaller closing follows the light more closely. Strokes must be thinner than `size` pixels.
    """
    ink = _find_with_closing(light, size, dark, shadowed=shadowed)
    if ink is None:
        return None
    suitable = max(int(CLOSING_WIDTHS * stroke_width(ink.marked)) | 1, MIN_CLOSING_SIZE)
    if suitable >= size:
        return ink
    return _find_with_closing(light, suitable, dark, shadowed=ink.shadowed)


def _find_with_closing(light: FloatArray, size: int, dark: bool, *, shadowed: bool) -> Ink | None:
    """Return ink, dark or light, whose strokes are thinner than `size` pixels; None without ink.

    shadowed: whether the picture is known to have a shadow.
    """
    if not dark:
        light = 1 - light
    background = padded_grey_closing(light, size)
    strength = (background - light) / np.maximum(background, DARKEST_PAPER)
    np.maximum(strength, 0, out=strength)
    if np.maximum.reduce(strength, axis=None) < MIN_DARKENING:
        return None
    split = _split(strength)
    if split is None:
        return None
    threshold, paper, noise = split
    threshold = max(threshold, paper + MIN_DEVIATIONS * noise)
    sure = strength > threshold
    if not sure.any():
        return None
    shadow = find_shadow(strength, sure, dark, known=shadowed)
    if shadow.any():
        shadowed = True
        sure &= ~shadow
        shades = strength[shadow]
        threshold, paper, noise = map(float, (shades.max(), shades.mean(), shades.std()))
    low_threshold = max(LOW_THRESHOLD * threshold, paper + MIN_DEVIATIONS / 2 * noise)
    marked = strength > low_threshold
    lines = ruling_strength(strength, marked)
    if lines is not None:
        written = float(np.quantile(strength[strength > lines], FULL_INK_QUANTILE))
        threshold, paper = lines + MIN_INK_STRENGTH * (written - lines), lines
        marked = strength > threshold
        sure = sure & marked
        if not sure.any():
            return None
    full = float(np.quantile(strength[sure], FULL_INK_QUANTILE))
    strength = np.clip((strength - paper) / max(full - paper, 1e-6), 0, 1)
    return Ink(strength, sure, marked, dark, threshold, is_even=False, shadowed=shadowed)


def _split(strength: FloatArray) -> tuple[float, float, float] | None:
    """Return the threshold of ink, and the mean and standard deviation below it; None without ink.

    If the pixels above Otsu's threshold are hardly darker than the paper, they are grain or fine
    lines. The writing, on few pixels of a large page, is then the darker part of them: they are
    split again.
    """
    darker, least, spread = strength, MIN_DARKENING, 0.0
    for _ in range(MAX_SPLITS):
        if not darker.size or not np.ptp(darker):
            break
        threshold, _, ink = otsu(darker)
        below = strength[strength <= threshold]
        paper, noise = float(below.mean()), float(below.std())
        if ink - paper >= max(least, MIN_DEVIATIONS * max(noise, spread)):
            return threshold, paper, noise
        darker, least = darker[darker > threshold], MIN_RARE_DARKENING
        spread = float(strength.std())
    return None


def _edges(light: FloatArray) -> float:
    """Return the strength of a picture's edges: mean square of the steps between neighbours."""
    down, across = np.diff(light, axis=0), np.diff(light, axis=1)
    squares = (np.square(steps, dtype=np.float64) for steps in (down, across))
    return float(sum(square.sum() for square in squares)) / light.size


def smooth(light: FloatArray) -> FloatArray:
    """Return a large picture (h, w) smoothed by a 3×3 mean filter against noise; others unchanged.

    Large: more than MAX_UNSMOOTHED_SIDE pixels on the shorter side.
    """
    if min(light.shape) <= MAX_UNSMOOTHED_SIDE:
        return light
    for _ in range(2):
        padded = np.pad(light, ((0, 0), (1, 1)), mode="edge")
        windows = np.lib.stride_tricks.sliding_window_view(padded, 3, axis=1)
        light = windows.mean(axis=2, dtype=np.float32).T
    return light
