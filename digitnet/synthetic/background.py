"""Make synthetic non-digits, on which a network learns to be unsure.

Source: Hendrycks, Mazeika and Dietterich 2019, Deep Anomaly Detection with Outlier Exposure. A
network that is trained towards equal probabilities on some non-digits is unsure of other non-digits
too. There are four kinds: letters, drawings of a few strokes, textured shapes that imitate objects,
and drawings with a part of a shape. All have the size and position that `image` gives a digit.
"""

import functools
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from digitnet.arrays import PIXELS, SIDE, FloatArray
from digitnet.image.field import BOX
from digitnet.synthetic.strokes import PIXEL_CENTRES, Script, draw, prepare_ink

GROUP = 64  # pictures made together: few enough for the cache
KIND_SHARES = 0.2, 0.1, 0.5, 0.2  # letters, drawings, shapes, drawings with a part of a shape
# strokes of letters, in the notation of `strokes`; letters that can look like a digit are left out
LETTERS = (
    "06 20 46, 14 34",  # A
    "~06 03 10 30 43 46, 04 44",
    "40 00 06 46, 03 33",  # E
    "~41 20 01 02 23, ~23 03 05 26 45",
    "40 00 06, 03 33",  # F
    "00 06, 40 46, 03 43",  # H
    "00 06, 40 03 46",  # K
    "00 06 46",  # L
    "06 00 24, 24 40 46",  # M
    "~06 01 10 21 26, ~21 30 41 46",
    "06 00 46, 46 40",  # N
    "06 00, ~00 30 41 42 33 03",  # P
    "06 00, ~00 30 41 42 33 03, 13 46",  # R
    "00 40, 20 26",  # T
    "~00 04 16 36 44 40",  # U
    "00 26 40",  # V
    "00 16 23, 23 36 40",  # W
    "00 46, 40 06",  # X
    "00 23 40, 23 26",  # Y
    "~43 32 12 03 05 16 36 44, 42 46",  # a
    "~12 32 43 46, ~43 14 05 16 36 44",
    "~43 12 03 05 16 36 44, ~40 44 46",  # d
    "04 44, ~44 43 22 02 04 06 26 45",  # e
    "~40 20 11 13 16, 03 33",  # f
    "~30 10 14 16 06, 03 33",
    "00 06, ~04 12 32 43 46",  # h
    "00 06, 42 04 46",  # k
    "02 06, ~04 12 22 23 26, ~24 32 42 43 46",  # m
    "02 06, ~04 12 32 43 46",  # n
    "02 06, ~04 12 32 43",  # r
    "~10 15 26 36, 02 32",  # t
    "~02 05 16 36 44, 42 46",  # u
    "~00 04 06 26 44 40, 40 46",
    "~02 05 16 26 23, ~23 26 36 44 42",  # w
)
MAX_DRAWING_STROKES = 4  # strokes in a drawing
POINTS_PER_DRAWN_STROKE = 32
SNAP_JITTER = 0.2  # share of a drawing's side: random offset of control points snapped to a grid
START_JOINED = 0.7  # share of later strokes that begin on the first or the previous stroke
END_JOINED = 0.3  # share of later strokes that end on the first or the previous stroke
STRAIGHT_SHARE = 0.5  # share of strokes that are straight, in drawings of several strokes
MIN_TEXTURE_SIGMA, MAX_TEXTURE_SIGMA = 0.3, 6.0  # px: σ of the Gaussian that smooths a texture
MIN_OUTLINE_SIGMA, MAX_OUTLINE_SIGMA = 2.0, 8.0  # px: σ of the Gaussian that smooths an outline
MIN_TEXTURE_CONTRAST, MAX_TEXTURE_CONTRAST = 0.5, 20.0  # ink per standard deviation of the noise
MAX_BULGE = 1.0  # standard deviation of the logarithm of an outline's width
MAX_BEND = 0.6  # standard deviation of an outline's middle, as a share of its half width
MAX_RIM = 0.8  # standard deviations of the outline's noise: width of a rim of full ink
MIN_SIDE_RATIO = 0.25  # shorter side of a shape, as a share of the longer side
SUPERELLIPSE_EXPONENTS = (1.5, 2, 4, 50)  # from a pointed shape to a box; 2 is an ellipse

PIXEL_DISTANCES = np.subtract.outer(np.arange(SIDE), np.arange(SIDE)).astype(np.float32)


def make_background(
    count: int, *, rng: np.random.Generator, report: Callable[[int, int], None] | None = None
) -> NDArray[np.uint8]:
    """Return pictures of non-digits: uint8 (count, 28, 28), 0 paper to 255 ink.

    report: called with the number of pictures made so far, and with `count`.
    """
    pictures = np.empty((count, SIDE, SIDE), np.uint8)
    for start in range(0, count, GROUP):
        group = pictures[start : start + GROUP]
        letters, drawings, shapes, both = rng.multinomial(len(group), KIND_SHARES)
        which = rng.integers(0, len(LETTERS), letters)
        strokes = _letter_script().write(which, rng), _random_strokes(drawings + both, rng)
        ink = np.concatenate([*(draw(points, rng) for points in strokes), _shapes(shapes, rng)])
        with_shapes = ink[letters : letters + both]
        np.maximum(with_shapes, _shapes(both, rng) * _half_planes(both, rng), out=with_shapes)
        group[:] = prepare_ink(ink)
        if report:
            report(min(start + GROUP, count), count)
    return pictures


@functools.cache
def _letter_script() -> Script:
    return Script(LETTERS)


def _random_strokes(n: int, rng: np.random.Generator) -> FloatArray:
    """Return points (p, n, 2) along the strokes of n drawings: one to four cubic Bézier curves."""
    controls = rng.random((MAX_DRAWING_STROKES, 4, n, 2), dtype=np.float32)
    snapped = np.rint(2 * controls) / 2 + SNAP_JITTER * controls
    np.copyto(controls, snapped, where=rng.random((n, 1)) < 0.5)
    start_joined, end_joined = (
        rng.random((MAX_DRAWING_STROKES, n, 1)) < share for share in (START_JOINED, END_JOINED)
    )
    count = rng.integers(1, MAX_DRAWING_STROKES + 1, (n, 1))
    # A single straight stroke would be a 1.
    straight = (rng.random((MAX_DRAWING_STROKES, n, 1)) < STRAIGHT_SHARE) & (count > 1)
    t = np.linspace(0, 1, POINTS_PER_DRAWN_STROKE, dtype=np.float32)[:, np.newaxis, np.newaxis]
    strokes = np.empty((MAX_DRAWING_STROKES, POINTS_PER_DRAWN_STROKE, n, 2), np.float32)
    for number, (a, b, c, d) in enumerate(controls):
        if number:
            for end, joined in ((a, start_joined), (d, end_joined)):
                on_first = strokes[0, rng.integers(0, POINTS_PER_DRAWN_STROKE, n), np.arange(n)]
                on_previous = strokes[
                    number - 1, rng.integers(0, POINTS_PER_DRAWN_STROKE, n), np.arange(n)
                ]
                point = np.where(rng.random((n, 1)) < 0.5, on_first, on_previous)
                np.copyto(end, point, where=joined[number])
        np.copyto(b, a + (d - a) / 3, where=straight[number])
        np.copyto(c, d + (a - d) / 3, where=straight[number])
        curve = (1 - t) ** 3 * a + 3 * (1 - t) ** 2 * t * b + 3 * (1 - t) * t**2 * c + t**3 * d
        strokes[number] = np.where(number < count, curve, strokes[0])
    return strokes.reshape(MAX_DRAWING_STROKES * POINTS_PER_DRAWN_STROKE, n, 2)


def _shapes(n: int, rng: np.random.Generator) -> FloatArray:
    """Return ink (n, 784) of textured shapes; half of the shapes are symmetric."""

    def uniform(low: float, high: float) -> FloatArray:
        return rng.uniform(low, high, (n, 1, 1)).astype(np.float32)

    texture = _smooth_noise(
        np.exp(uniform(np.log(MIN_TEXTURE_SIGMA), np.log(MAX_TEXTURE_SIGMA))), rng
    )
    contrast = np.exp(uniform(np.log(MIN_TEXTURE_CONTRAST), np.log(MAX_TEXTURE_CONTRAST)))
    ink = np.clip((texture - uniform(-2, 1)) * contrast, uniform(0, 1) * uniform(0, 1), 1)
    depth = _smooth_noise(uniform(MIN_OUTLINE_SIGMA, MAX_OUTLINE_SIGMA), rng) - uniform(-3, 0)
    rim = uniform(0, MAX_RIM) * (rng.random((n, 1, 1)) < 0.5)
    ink = np.where(depth < rim, 1, ink) * (depth > 0)
    symmetric = rng.random(n) < 0.5
    ink[symmetric, :, : SIDE // 2] = ink[symmetric, :, : SIDE // 2 - 1 : -1]
    sides = BOX / 2 * MIN_SIDE_RATIO ** rng.random((2, n, 1))
    sides[rng.integers(0, 2, n), np.arange(n)] = BOX / 2
    exponent = rng.choice(SUPERELLIPSE_EXPONENTS, (n, 1))
    rows = np.abs(PIXEL_CENTRES / sides[0]) ** exponent
    inside = (
        rows[:, :, np.newaxis] + np.abs(_outline_columns(sides[1], rng)) ** exponent[..., None] <= 1
    )
    shapes: FloatArray = (ink * inside).reshape(n, PIXELS)
    return shapes


def _half_planes(n: int, rng: np.random.Generator) -> FloatArray:
    """Return masks (n, 784): 1 on one side of a random line, 0 on the other side."""
    angle, offset = rng.uniform(-np.pi, np.pi, (n, 1, 1)), rng.uniform(-BOX / 2, BOX / 2, (n, 1, 1))
    masks: NDArray[np.bool_] = (
        np.sin(angle) * PIXEL_CENTRES[:, np.newaxis] > offset - np.cos(angle) * PIXEL_CENTRES
    )
    return masks.reshape(n, PIXELS).astype(np.float32)


def _outline_columns(half_width: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return x coordinates (n, 28, 28) of pixels, relative to an outline: -1 to 1 is inside.

    half_width: (n, 1), px. It varies randomly from row to row, and so does the outline's middle.
    """
    n = len(half_width)
    sigma = rng.uniform(MIN_OUTLINE_SIGMA, MAX_OUTLINE_SIGMA, (2 * n, 1, 1)).astype(np.float32)
    bulge, bend = _smooth_noise(sigma, rng)[:, :1].reshape(2, n, SIDE)
    bulge *= rng.uniform(0, MAX_BULGE, (n, 1)) * (rng.random((n, 1)) < 0.5)
    bend *= rng.uniform(0, MAX_BEND, (n, 1)) * (rng.random((n, 1)) < 0.5)
    half_widths = half_width * np.exp(bulge)
    columns: FloatArray = PIXEL_CENTRES / half_widths[:, :, np.newaxis] - bend[:, :, np.newaxis]
    return columns


def _smooth_noise(sigma: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return noise (n, 28, 28) smoothed by Gaussians of σ (n, 1, 1), standard deviation 1."""
    smooth = np.exp(-0.5 * (PIXEL_DISTANCES / sigma) ** 2)
    noise: FloatArray = smooth @ rng.standard_normal((len(sigma), SIDE, SIDE), np.float32) @ smooth
    noise /= noise.std(axis=(1, 2), keepdims=True)
    return noise
