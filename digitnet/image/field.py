"""Put a digit on a field of 28×28 pixels, the way MNIST did.

LeCun and others 1998, section III.A: the digit is "size normalized to fit in a 20x20 pixel box
while preserving the aspect ratio", grey from antialiasing, and "centered in a 28x28 image by
computing the center of mass of the pixels, and translating the image so as to position this point
at the center of the 28x28 field". In MNIST's files, this point is the middle of pixel 14. The ink
is white and the paper black: 0 is paper, 255 is full ink.

Many pens are thinner or thicker than those of MNIST's writers. Thin strokes are therefore made
thicker, and thick strokes thinner.
"""

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from digitnet.arrays import SIDE, FloatArray
from digitnet.image.ink.ink import Bools, bounding_box, dilate, stroke_width

BOX = 20  # px: longer side of the digit on the field
CENTRE = 14.5  # px from the edge: the middle of pixel 14, where MNIST puts the centre of mass
OVERSAMPLING = 4  # fine pixels per pixel of the box: strokes are made thicker or thinner in these
MIN_DILATION = 0.25  # fine pixels on each side of a stroke: a smaller change is not made
EDGE_INK = 0.3  # strength of the ink at the edge of a stroke
THINNEST = 1.3  # px of the box: nearly all of MNIST's strokes are at least this wide
THICKEST = 3.3  # px of the box: most of MNIST's strokes are at most this wide
MAX_STROKE = 6  # px of the box: anything wider is not a stroke and keeps its width
THIN_STROKE = 2  # px of the box: narrower strokes, and tiny digits, reach full ink in few places
FULL_QUANTILE = 0.9  # quantile of the inked pixels of thin strokes: this strength is full ink
SOFT_EDGE = 2  # px: pixels this close to a digit may be partly covered by its ink
MOMENTS = np.stack([np.ones(SIDE), np.arange(SIDE) + 0.5], axis=1)  # 1 and the middle of each pixel


class Field(NamedTuple):
    """A digit on its field.

    image: uint8 (28, 28). corner: row and column of the box's top left corner on the field.
    width: mean stroke width, in pixels of the picture.
    """

    image: NDArray[np.uint8]
    corner: tuple[int, int]
    width: float


def to_field(strength: FloatArray, mask: Bools, *, alone: bool = False) -> Field:
    """Return the digit on its field.

    strength: (h, w), 0 to 1, of the ink in the digit's box. mask: (h, w), the digit's pixels.
    alone: whether all ink in the box belongs to the digit; otherwise only ink near `mask` does.
    """
    if not alone:
        strength = np.where(dilate(mask, SOFT_EDGE), strength, 0)
    width = stroke_width(mask, float(np.add.reduce(strength, axis=None)))
    size = max(strength.shape)
    if size < BOX:
        fit = fit_to_box(enlarge(strength), width * OVERSAMPLING)
    else:
        fit = fit_to_box(strength, width)
    full = np.maximum.reduce(fit, axis=None)
    if width * BOX / size < THIN_STROKE or size < BOX:
        full = _full_ink(fit[fit > full / 4])
    fit = np.minimum(fit / full, 1)
    if size < BOX:
        fit = sharpen(fit, size)
    image, corner = centre_on_field(fit)
    return Field(image, corner, width)


def _full_ink(ink: FloatArray) -> float:
    """Return the strength of full ink among (n,): a quantile, as crossing strokes are darker."""
    return float(np.sort(ink)[int(FULL_QUANTILE * len(ink))])


def fit_to_box(ink: FloatArray, width: float) -> FloatArray:
    """Return ink (h, w), 0 to 1, scaled to a longer side of 20 pixels, float32.

    width: mean stroke width, px. Strokes are brought to a width from THINNEST to THICKEST.
    """
    pixel = max(ink.shape) / (BOX * OVERSAMPLING)
    if width < pixel:  # scaling would fade the stroke
        radius = (pixel - width) / 2
        ink, width = _dilate(_pad(ink, math.ceil(radius)), radius), pixel
    width *= BOX / max(ink.shape)
    target = min(max(width, THINNEST), THICKEST)
    radius = (target - width) / (1 - target / BOX) * OVERSAMPLING / 2  # dilation widens the box too
    if abs(radius) < MIN_DILATION or width > MAX_STROKE:
        return _resize(ink, BOX)
    ink = _pad(_resize(ink, BOX * OVERSAMPLING), max(math.ceil(radius), 1))
    ink = _dilate(ink, radius) if radius > 0 else 1 - _dilate(1 - ink, -radius)
    inked = ink > EDGE_INK
    return _resize(ink[bounding_box(inked)] if inked.any() else ink, BOX)


def enlarge(ink: FloatArray) -> FloatArray:
    """Return ink (h, w), 0 to 1, four times as large, float32.

    Cubic convolution (Keys 1981) keeps edges sharper than linear interpolation.
    """
    height, width = ink.shape
    larger = _cubic_matrix(height) @ ink @ _cubic_matrix(width).T
    return np.clip(larger, 0, 1).astype(np.float32)


@lru_cache(maxsize=128)
def _cubic_matrix(n: int) -> FloatArray:
    """Return the matrix (OVERSAMPLING n, n) that enlarges a line of n pixels."""
    centres = (np.arange(OVERSAMPLING * n) + 0.5) / OVERSAMPLING
    d = np.abs(np.arange(n) + 0.5 - centres[:, np.newaxis])
    outer = np.where(d < 2, ((5 - d) * d - 8) * d + 4, 0)
    weights: FloatArray = np.where(d < 1, (3 * d - 5) * d * d + 2, outer)
    weights /= weights.sum(axis=1, keepdims=True)
    return weights


def sharpen(ink: FloatArray, size: int) -> FloatArray:
    """Return ink (h, w), 0 to 1, of an enlarged digit, with steeper edges.

    size: the digit's longer side before it was enlarged, px. Enlarging flattens edges by 20 / size;
    the contrast is raised by the square root of this factor only, so that narrow gaps stay open.
    """
    contrast = math.sqrt(BOX / size)
    steeper: FloatArray = np.clip((ink - 0.5) * contrast + 0.5, 0, 1)
    return steeper


def _pad(ink: FloatArray, margin: int, value: float = 0) -> FloatArray:
    """Return ink with a margin of one value on all sides: a sixth of the time of `np.pad`."""
    height, width = ink.shape
    padded = np.full((height + 2 * margin, width + 2 * margin), value, ink.dtype)
    padded[margin:-margin, margin:-margin] = ink
    return padded


def _dilate(ink: FloatArray, radius: float) -> FloatArray:
    """Return the maximum of the ink within a disc around each pixel, (h, w): greyscale dilation.

    Between two whole radii, interpolates linearly. Outside the array, ink is as in its corner.
    """
    whole, part = int(radius), radius - int(radius)
    margin, width = whole + 1, ink.shape[1]
    padded = _pad(ink, margin, float(ink[0, 0]))
    row_maxima = [padded[:, margin:-margin]]  # [n]: the maximum within n columns on either side
    for dx in range(1, margin + 1):
        left, right = (padded[:, x : x + width] for x in (margin - dx, margin + dx))
        row_maxima.append(np.maximum(np.maximum(left, right), row_maxima[-1]))
    inner, outer = (_disc_maximum(row_maxima, r) for r in (whole, margin))
    mixed: FloatArray = (1 - part) * inner + part * outer
    return mixed


def _disc_maximum(row_maxima: list[FloatArray], radius: int) -> FloatArray:
    """Return the maximum within a disc of a whole radius around each pixel, (h, w).

    row_maxima: [n] is the maximum within n columns on either side, (h + 2 m, w), with a margin of
    m = len(row_maxima) - 1 rows above and below.
    """
    margin = len(row_maxima) - 1
    height = len(row_maxima[0]) - 2 * margin
    greatest = row_maxima[radius][margin : margin + height].copy()
    for dy in range(1, radius + 1):
        rows = row_maxima[math.isqrt(radius * radius - dy * dy)]
        for y in (margin - dy, margin + dy):
            np.maximum(greatest, rows[y : y + height], out=greatest)
    return greatest


def _resize(ink: FloatArray, longer: int) -> FloatArray:
    """Return ink resampled with antialiasing, so that its longer side has `longer` pixels."""
    scale = longer / max(ink.shape)
    if scale == 1:
        return ink
    height, width = (max(round(length * scale), 1) for length in ink.shape)
    rows = _resampling_matrix(ink.shape[0], height)
    columns = _resampling_matrix(ink.shape[1], width)
    scaled = rows @ ink @ columns.T  # (height, h) @ (h, w) @ (w, width)
    return scaled.astype(np.float32)


@lru_cache(maxsize=128)  # small digits have few different sizes; the largest matrices take 200 kB
def _resampling_matrix(n_in: int, n_out: int) -> FloatArray:
    """Return the matrix (n_out, n_in) that scales a line of pixels: triangular weights in each row.

    float64: in float32, the result would depend on the order in which a BLAS sums.

    The triangle is two pixels of the coarser line wide. Scaling down thus averages all pixels
    that an output pixel covers, scaling up interpolates, and the same size changes nothing.
    """
    scale = n_in / n_out
    centres = (np.arange(n_out) + 0.5) * scale
    distances = np.abs(np.arange(n_in) + 0.5 - centres[:, None]) / max(scale, 1)
    weights: FloatArray = np.maximum(1 - distances, 0)
    weights /= weights.sum(axis=1, keepdims=True)
    return weights


def centre_on_field(digit: FloatArray) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    """Return a digit (h, w), 0 to 1, on the field, uint8 (28, 28), and its corner (row, column).

    The centre of mass is put in the middle, as far as the whole digit stays inside the field.
    """
    height, width = digit.shape
    moments = MOMENTS[:height].T @ digit.astype(np.float64) @ MOMENTS[:width]
    (mass, across), (down, _) = moments.tolist()
    top = min(max(round(CENTRE - down / mass), 0), SIDE - height)
    left = min(max(round(CENTRE - across / mass), 0), SIDE - width)
    field = np.zeros((SIDE, SIDE), np.uint8)
    field[top : top + height, left : left + width] = np.rint(digit * 255)
    return field, (top, left)
