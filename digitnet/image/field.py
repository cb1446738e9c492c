"""A digit's ink to 28×28 pixels the way MNIST made its own.

LeCun and others 1998, section III.A: the digit is "size normalized to fit in a 20x20 pixel box
while preserving the aspect ratio", grey from antialiasing, and "centered in a 28x28 image by
computing the center of mass of the pixels, and translating the image so as to position this point
at the center of the 28x28 field", which in its files is the middle of pixel 14. White ink on black
paper: 0 is paper, 255 is full ink.

Many pens are thinner than those MNIST was written with, and markers are thicker: their strokes are
made wider, or narrower.
"""

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from digitnet.arrays import SIDE, FloatArray
from digitnet.image.ink.ink import Bools, bounding_box, dilate, stroke_width

BOX = 20  # pixels of the digit's longer side
CENTRE = 14.5  # pixels from the edge: the middle of pixel 14, where MNIST's digits have theirs
FINE = 4  # times finer than the box, where strokes are made wider or narrower
LEAST_STEP = 0.25  # of those finer pixels, to either side of a stroke: less is not worth it
OUTLINE = 0.3  # ink at the edge of a stroke
THINNEST = 1.3  # pixels of the box: as wide as nearly all of MNIST's are
THICKEST = 3.3  # pixels of the box: as narrow as most of MNIST's are
BROADEST = 6  # pixels of the box: what is wider is no stroke, and stays
THIN = 2  # pixels of the box: such strokes, as those of tiny pictures, are full ink at few places
FULL = 0.9  # of what is inked by them is fainter than what counts as full
EDGE = 2  # pixels beside a digit, of which ink covers some
POWERS = np.stack([np.ones(SIDE), np.arange(SIDE) + 0.5], axis=1)  # of the middles of pixels


class Field(NamedTuple):
    """image: uint8 (28, 28). corner: row and column where the box came to. width: of the strokes,
    in pixels of the picture.
    """

    image: NDArray[np.uint8]
    corner: tuple[int, int]
    width: float


def to_field(strength: FloatArray, mask: Bools, *, alone: bool = False) -> Field:
    """Return ink `strength` (h, w), 0 to 1, of the digit that `mask` (h, w) marks, on the field.

    alone: whether all ink in the box is the digit's, not only what is close to its marks.
    """
    if not alone:
        strength = np.where(dilate(mask, EDGE), strength, 0)
    width = stroke_width(mask, float(np.add.reduce(strength, axis=None)))
    size = max(strength.shape)
    fit = fitted(enlarged(strength), width * FINE) if size < BOX else fitted(strength, width)
    full = np.maximum.reduce(fit, axis=None)
    if width * BOX / size < THIN or size < BOX:
        full = _full(fit[fit > full / 4])
    fit = np.minimum(fit / full, 1)
    if size < BOX:
        fit = sharpened(fit, size)
    image, corner = centred(fit)
    return Field(image, corner, width)


def _full(ink: FloatArray) -> float:
    """Return what full ink is, (n,): the darkest pixels are where thin strokes cross."""
    return float(np.sort(ink)[int(FULL * len(ink))])


def fitted(ink: FloatArray, width: float) -> FloatArray:
    """Ink (h, w), 0 to 1, scaled so that the longer side has 20 pixels, float32.

    width: of its strokes, in pixels; thin ones are made as wide as MNIST's, thick ones as narrow.
    """
    pixel = max(ink.shape) / (BOX * FINE)
    if width < pixel:  # it would be washed out
        wider = (pixel - width) / 2
        ink, width = _thicker(_framed(ink, math.ceil(wider)), wider), pixel
    width *= BOX / max(ink.shape)
    suitable = min(max(width, THINNEST), THICKEST)
    wider = (suitable - width) / (1 - suitable / BOX) * FINE / 2  # for the box will be wider, too
    if abs(wider) < LEAST_STEP or width > BROADEST:
        return _scaled(ink, BOX)
    ink = _framed(_scaled(ink, BOX * FINE), max(math.ceil(wider), 1))
    ink = _thicker(ink, wider) if wider > 0 else 1 - _thicker(1 - ink, -wider)
    inked = ink > OUTLINE
    return _scaled(ink[bounding_box(inked)] if inked.any() else ink, BOX)


def enlarged(ink: FloatArray) -> FloatArray:
    """Ink (h, w), 0 to 1, four times as large, along Keys' cubic (1981): its edges stay sharper
    than along straight lines between pixels.
    """
    height, width = ink.shape
    larger = _cubic(height) @ ink @ _cubic(width).T
    return np.clip(larger, 0, 1).astype(np.float32)


@lru_cache(maxsize=128)
def _cubic(n: int) -> FloatArray:
    """The matrix (FINE n, n) that enlarges a line of pixels."""
    centres = (np.arange(FINE * n) + 0.5) / FINE
    d = np.abs(np.arange(n) + 0.5 - centres[:, np.newaxis])
    beyond = np.where(d < 2, ((5 - d) * d - 8) * d + 4, 0)
    weights: FloatArray = np.where(d < 1, (3 * d - 5) * d * d + 2, beyond)
    weights /= weights.sum(axis=1, keepdims=True)
    return weights


def sharpened(ink: FloatArray, size: int) -> FloatArray:
    """Ink (h, w), 0 to 1, of a digit of `size` pixels that was made larger, with steeper edges.

    Enlarging has made them flatter; the square root of how many times is taken back, as contrast,
    which leaves narrow gaps open.
    """
    contrast = math.sqrt(BOX / size)
    steeper: FloatArray = np.clip((ink - 0.5) * contrast + 0.5, 0, 1)
    return steeper


def _framed(ink: FloatArray, by: int, value: float = 0) -> FloatArray:
    """With so many pixels of one value on all sides: in a sixth of the time of `np.pad`."""
    height, width = ink.shape
    framed = np.full((height + 2 * by, width + 2 * by), value, ink.dtype)
    framed[by:-by, by:-by] = ink
    return framed


def _thicker(ink: FloatArray, by: float) -> FloatArray:
    """The greatest ink within a disc around each pixel, (h, w); between whole radii, a mixture.

    Along its sides, and beyond them, ink is as in the corner.
    """
    radius, part = int(by), by - int(by)
    margin, width = radius + 1, ink.shape[1]
    padded = _framed(ink, margin, float(ink[0, 0]))
    beside = [padded[:, margin:-margin]]  # the greatest within 0, 1, … columns to either side
    for dx in range(1, margin + 1):
        left, right = (padded[:, x : x + width] for x in (margin - dx, margin + dx))
        beside.append(np.maximum(np.maximum(left, right), beside[-1]))
    mixed: FloatArray = (1 - part) * _within(beside, radius) + part * _within(beside, margin)
    return mixed


def _within(beside: list[FloatArray], radius: int) -> FloatArray:
    """The greatest within a whole radius, (h, w), of rows whose greatest within columns are known.

    beside: for 0, 1, … columns, (h + 2 m, w) with a margin of m rows, m one less than the length.
    """
    margin = len(beside) - 1
    height = len(beside[0]) - 2 * margin
    greatest = beside[radius][margin : margin + height].copy()
    for dy in range(1, radius + 1):
        rows = beside[math.isqrt(radius * radius - dy * dy)]
        for y in (margin - dy, margin + dy):
            np.maximum(greatest, rows[y : y + height], out=greatest)
    return greatest


def _scaled(ink: FloatArray, longest: int) -> FloatArray:
    """Resampled, antialiased, to a longer side of so many pixels."""
    scale = longest / max(ink.shape)
    if scale == 1:
        return ink
    height, width = (max(round(length * scale), 1) for length in ink.shape)
    rows, columns = _resampling(ink.shape[0], height), _resampling(ink.shape[1], width)
    scaled = rows @ ink @ columns.T  # (height, h) @ (h, w) @ (w, width)
    return scaled.astype(np.float32)


@lru_cache(maxsize=128)  # small digits are of few sizes; the largest are 200 kB
def _resampling(n_in: int, n_out: int) -> FloatArray:
    """The matrix (n_out, n_in) that scales a line of pixels: each row a triangle of weights.

    In float64, for in float32 what comes out would depend on the order in which a BLAS sums.

    The triangle is as wide as two pixels of the coarser line, so that scaling down averages all
    that a pixel covers, scaling up interpolates, and the same size changes nothing.
    """
    scale = n_in / n_out
    centres = (np.arange(n_out) + 0.5) * scale
    distances = np.abs(np.arange(n_in) + 0.5 - centres[:, None]) / max(scale, 1)
    weights: FloatArray = np.maximum(1 - distances, 0)
    weights /= weights.sum(axis=1, keepdims=True)
    return weights


def centred(digit: FloatArray) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    """A digit (h, w), 0 to 1, on the 28×28 field, as uint8; also where its corner came to.

    Its centre of mass is in the middle, as far as the digit stays inside.
    """
    height, width = digit.shape
    moments = POWERS[:height].T @ digit.astype(np.float64) @ POWERS[:width]
    (mass, across), (down, _) = moments.tolist()
    top = min(max(round(CENTRE - down / mass), 0), SIDE - height)
    left = min(max(round(CENTRE - across / mass), 0), SIDE - width)
    field = np.zeros((SIDE, SIDE), np.uint8)
    field[top : top + height, left : left + width] = np.rint(digit * 255)
    return field, (top, left)
