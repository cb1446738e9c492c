"""What of a picture is paper and what is ink, however it is lit and whatever its colours.

Where the border is of one shade, that is the paper. Elsewhere light falls off, or a shadow lies;
but strokes are thinner than the paper around them is wide. So the paper under dark strokes is found
by closing (Serra 1982): the lightest within reach of each pixel, and of that the darkest within
reach. It follows the light and the edge of a shadow, but bridges every stroke. Light strokes are
found by the same on the negative. What differs from the paper by more than its noise is ink.
"""

import math

import numpy as np

from digitnet.activations import FloatArray
from digitnet.image.closing import closed, closed_beyond, greatest, holds_square
from digitnet.image.ink import LEAST_PAGE, Bools, Ink, otsu, stroke_width
from digitnet.image.ruling import ruling
from digitnet.image.shadow import shadow_in

REACH = 0.35  # of the shorter side: how thick strokes may be, where nothing else is known
LEAST_REACH = 9  # pixels
STROKES = 3  # times the width of strokes, where that is known
ROUGH = 60  # pixels: larger pictures are averaged first
EVEN = 0.15  # of the contrast: how much paper may vary that counts as one shade
COARSEST = 80, 30  # pixels: enough to tell whether there are but two shades, with soft edges fewer
APART = 0.2  # of the contrast: what is farther from both, and no part of an edge, is a third shade
INKED = 0.85  # of the pixels on the ink's side are fainter than its shade, as at soft edges
FEW = 0.03  # of the pixels may be of a third shade between both, as where a stroke is faint
FEWER = 0.01  # of them may go beyond the ink's shade: it was a shadow else, and they are the ink
FEWEST = 0.002  # of them may go beyond the paper's: it was a shadow else, and they are the ink
ALL_ALONG = 0.75  # of a side: so much of it is covered where something goes on outside
BROAD = 0.3  # of the longer side: a square so large within what would be ink is a sheet or a table
THICK = 0.3  # of the longer side: wider is no stroke, but a shadow or a table
SMALL = 20  # pixels: of a side so short, light is taken to be even
MOST_INK = 0.5  # of an evenly lit picture; where there is more, it is a frame or a shadow
RIM = 3  # pixels along the border, where the edge of a scan or of a cut may be
DARK_CORNER = 0.5  # of the ink's strength: fainter near the border is where there is less light
LEAST_CONTRAST = 0.1  # of black to white, between the border and what differs most from it
LEAST_SHARE = 0.06  # of the light that ink has to take away, where light is uneven
LEAST_RARE = 0.2  # the same, of ink on so few pixels that grain or fine lines are more
SPLITS = 3  # of what differs from the paper: grain, lines, what is written
LEAST_DEVIATIONS = 4  # of the paper's own spread, between ink and paper
FAINT = 0.2  # of the contrast of evenly lit ink: fainter is paper
GRAIN = 0.06  # of it: fainter is the grain of the paper or of JPEG; up to twice that it fades out
FULL = 0.7  # of what is surely ink is fainter than what counts as full
HYSTERESIS = 0.6  # of the threshold: what is darker, and hangs together with ink, is ink too
SAMPLE = 4096  # pixels that tell the slope of the light
DARKEST = 0.15  # paper is taken to be no darker than this, or noise in deep shadow would be ink


def find_ink(light: FloatArray, *, shadowed: bool = False, dark: bool | None = None) -> Ink | None:
    """The ink in a picture of brightness 0 to 1, float32 (h, w); None where there is none.

    shadowed: whether there is known to be a shadow; it counts from LEAST_PAGE pixels on. dark:
    whether ink is darker than paper that is of several shades, if that is known.
    """
    if dark is not None:
        return _on_uneven_paper(light, shadowed=shadowed, dark=dark)
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
    if high - low <= EVEN * most and (
        min(light.shape) < SMALL or np.count_nonzero(found.marked) <= MOST_INK * light.size
    ):
        if min(light.shape) < LEAST_PAGE:
            return found
        if not shadowed:
            shadowed = bool(shadow_in(found.strength, found.marked, found.dark, known=False).any())
        return (shadowed and _on_uneven_paper(light, shadowed=True)) or found
    shades = None if shadowed else _two_shades(light, paper)
    if shades:
        of_two = _on_even_paper(light, *shades)
        if min(light.shape) < LEAST_PAGE or not _has_dark_corner(of_two):
            return of_two
    return found if min(light.shape) < SMALL else _on_uneven_paper(light, shadowed=shadowed)


def _border(light: FloatArray) -> FloatArray:
    """What lies along the four sides, (2 (h + w),)."""
    return np.concatenate([light[0], light[-1], light[:, 0], light[:, -1]])


def _has_dark_corner(ink: Ink) -> bool:
    """Whether what is inked near the border is faint, as where light falls off."""
    border = _border(np.where(ink.marked, ink.strength, 0)[RIM:-RIM, RIM:-RIM])
    inked = border[border > 0]
    return len(inked) > 0 and float(np.median(inked)) < DARK_CORNER


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
    return Ink(strength, marked, marked, ink < paper, threshold)


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
    is_flat = _within_a_pixel(share) + _within_a_pixel(-share) < APART
    between = is_flat & (share > APART) & (share < 1 - APART)
    for third, few in ((between, FEW), (share > 1 + APART, FEWER), (share < -APART, FEWEST)):
        if np.count_nonzero(third) > few * light.size:
            return None
    is_broad = holds_square(share > 0.5, int(BROAD * max(light.shape)) | 1)
    return (paper, ink) if _may_be_strokes(share > APART) and not is_broad else None


def _may_be_strokes(ink: Bools) -> bool:
    """Whether it is thin, and not all along a side and one beside it, but the short one of a 1."""
    longer = max(ink.shape)
    if stroke_width(ink) > THICK * longer:
        return False
    sides = (ink[0], ink[-1]), (ink[:, 0], ink[:, -1])
    return not all(any(_is_covered(side, longer) for side in pair) for pair in sides)


def _within_a_pixel(light: FloatArray) -> FloatArray:
    return greatest(greatest(light, 3).T, 3).T


def _is_covered(side: Bools, longer: int) -> bool:
    return 2 * len(side) > longer and bool(np.count_nonzero(side) > ALL_ALONG * len(side))


def _on_uneven_paper(light: FloatArray, *, shadowed: bool, dark: bool | None = None) -> Ink | None:
    """Where light falls off, or a shadow lies: with a reach that suits the strokes it finds.

    Where there is no ink that is lighter than the paper, or darker, it may be the other.
    """
    light = smoothed(light)
    reach = max(int(min(light.shape) * REACH) | 1, LEAST_REACH)
    plane = slope_of_light(light)
    if dark is not None:
        return _with_suitable_reach(light, plane, reach, dark, shadowed=shadowed)
    dark = _is_dark(light, plane, reach)
    return _with_suitable_reach(
        light, plane, reach, dark, shadowed=shadowed
    ) or _with_suitable_reach(light, plane, reach, not dark, shadowed=shadowed)


def _is_dark(light: FloatArray, plane: FloatArray, reach: int) -> bool:
    """Whether ink is darker than the paper: strokes leave edges in what does not bridge them."""
    under_dark, under_light = closed(light - plane, reach), closed(plane - light, reach)
    return _edges(under_dark + plane) <= _edges(plane - under_light)


def _with_suitable_reach(
    light: FloatArray, plane: FloatArray, reach: int, dark: bool, *, shadowed: bool
) -> Ink | None:
    """Where strokes are thinner than `reach` pixels, and again with what they need."""
    ink = _with_reach(light, plane, reach, dark, shadowed=shadowed)
    if ink is None:
        return None
    suitable = max(int(STROKES * stroke_width(ink.marked)) | 1, LEAST_REACH)
    if suitable >= reach:
        return ink
    return _with_reach(light, plane, suitable, dark, shadowed=ink.shadowed)


def _with_reach(
    light: FloatArray,
    plane: FloatArray,
    reach: int,
    dark: bool,
    *,
    shadowed: bool,
) -> Ink | None:
    """Where strokes, dark or light, are thinner than `reach` pixels.

    shadowed: whether there is known to be a shadow.
    """
    if not dark:
        light, plane = 1 - light, 1 - plane
    # The plane follows light that falls off, and makes a slope of what lies flat in a shadow.
    under = np.minimum(closed_beyond(light - plane, reach) + plane, closed_beyond(light, reach))
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
        threshold, paper, noise = (
            float(shade) for shade in (shades.max(), shades.mean(), shades.std())
        )
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
    return Ink(strength, sure, marked, dark, threshold, shadowed)


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


def slope_of_light(light: FloatArray) -> FloatArray:
    """The plane that most of a picture lies on, (h, w); strokes and shadows count little.

    Least squares, four times, a pixel counting the less the farther it lay from the plane before:
    with Cauchy's weights 1 / (1 + (r / s)²), s the median distance.
    """
    height, width = light.shape
    every = max(math.isqrt(light.size // SAMPLE), 1)
    some = light[::every, ::every]
    y, x = (np.linspace(-1, 1, n) for n in (height, width))
    columns = np.stack(
        [
            np.ones(some.size),
            np.repeat(y[::every], some.shape[1]),
            np.tile(x[::every], some.shape[0]),
        ]
    )
    values, weights = some.ravel(), np.ones(some.size)
    for _ in range(4):
        weighted = columns * weights
        level, down, right = np.linalg.lstsq(weighted @ columns.T, weighted @ values, rcond=None)[0]
        distances = np.abs(values - level - columns[1] * down - columns[2] * right)
        weights = 1 / (1 + (distances / max(float(np.median(distances)), 1e-3)) ** 2)
    plane: FloatArray = level + down * y[:, np.newaxis] + right * x
    return plane.astype(np.float32)


def smoothed(light: FloatArray) -> FloatArray:
    """As uneven paper is looked at: in large pictures, the mean over 3×3, for their noise."""
    if min(light.shape) <= ROUGH:
        return light
    for _ in range(2):
        padded = np.pad(light, ((0, 0), (1, 1)), mode="edge")
        windows = np.lib.stride_tricks.sliding_window_view(padded, 3, axis=1)
        light = windows.mean(axis=2, dtype=np.float32).T
    return light
