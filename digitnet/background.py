"""Pictures of no digit, made up, for a network to learn what it does not know.

Hendrycks, Mazeika and Dietterich 2019, Deep Anomaly Detection with Outlier Exposure: a network that
was taught to call some pictures of none of its classes each class alike is unsure of others too.
More are drawings of a few strokes, as letters are, than shapes with more or less texture, as
things are; all as large as `image` makes a digit, and where it puts one.
"""

import numpy as np
from numpy.typing import NDArray

from digitnet.activations import FloatArray
from digitnet.dataset.definition import SIDE
from digitnet.image.field import BOX, THINNEST, centred, fitted

GROUP = 64  # pictures made together: that fit the cache
DRAWINGS = 0.6
STROKES = 4  # in a drawing, at most
POINTS = 32  # along a stroke
ASIDE = 0.2  # of a drawing: off its ends and middle, where every second one has all its points
LINKED, CLOSED = 0.7, 0.3  # of the strokes begin, and end, on the first or the last one before
STRAIGHT = 0.5  # of them are
WIDEST = 4.0  # pixels of a stroke
WIDER = 0.3  # deviation of the logarithm of a drawing's width, and of its height
FINEST, COARSEST = 0.3, 6.0  # pixels: σ of a texture's Gaussian
ROUGHEST, SMOOTHEST = 2.0, 8.0  # of that of an outline's
SOFTEST, HARDEST = 0.5, 20.0  # edges in a texture: ink per deviation
RIM = 0.8  # deviations within an outline that have full ink, at most, in every second one
CORNERS = (1.5, 2, 4, 50)  # exponents of a superellipse: from a star to a box

y, x = np.mgrid[:SIDE, :SIDE].reshape(2, 1, SIDE * SIDE).astype(np.float32) - (SIDE - 1) / 2
DISTANCES = np.subtract.outer(np.arange(SIDE), np.arange(SIDE)).astype(np.float32)


def make_background(count: int, *, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Pictures of no digit: uint8 (count, 28, 28), 0 paper to 255 ink."""
    pictures = np.empty((count, SIDE, SIDE), np.uint8)
    for start in range(0, count, GROUP):
        group = pictures[start : start + GROUP]
        drawn = rng.random((len(group), 1)) < DRAWINGS
        ink = np.where(drawn, _drawings(len(group), rng), _shapes(len(group), rng))
        group[:] = [_as_prepared(each) for each in ink.reshape(-1, SIDE, SIDE)]
    return pictures


def _as_prepared(ink: FloatArray) -> NDArray[np.uint8]:
    """Ink (28, 28) in the box and at the place that a digit would have; nothing stays nothing."""
    rows, columns = (np.flatnonzero(ink.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return np.zeros((SIDE, SIDE), np.uint8)
    ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    ink = fitted(ink, THINNEST * max(ink.shape) / BOX)
    return centred(ink / ink.max())[0]


def _drawings(n: int, rng: np.random.Generator) -> FloatArray:
    """Strokes of one pen, (n, 784): a bent one, or two to four, each a cubic Bézier curve."""
    controls = rng.random((STROKES, 4, n, 2), dtype=np.float32)
    placed = np.rint(2 * controls) / 2 + ASIDE * controls
    np.copyto(controls, placed, where=rng.random((n, 1)) < 0.5)
    linked, closed = (rng.random((STROKES, n, 1)) < share for share in (LINKED, CLOSED))
    count = rng.integers(1, STROKES + 1, (n, 1))
    straight = (rng.random((STROKES, n, 1)) < STRAIGHT) & (count > 1)  # a single one would be a 1
    t = np.linspace(0, 1, POINTS, dtype=np.float32)[:, np.newaxis, np.newaxis]
    strokes = np.empty((STROKES, POINTS, n, 2), np.float32)
    for number, (a, b, c, d) in enumerate(controls):
        if number:
            for end, there in ((a, linked), (d, closed)):
                on_the_first = strokes[0, rng.integers(0, POINTS, n), np.arange(n)]
                on_the_last = strokes[number - 1, rng.integers(0, POINTS, n), np.arange(n)]
                on_one = np.where(rng.random((n, 1)) < 0.5, on_the_first, on_the_last)
                np.copyto(end, on_one, where=there[number])
        np.copyto(b, a + (d - a) / 3, where=straight[number])
        np.copyto(c, d + (a - d) / 3, where=straight[number])
        curve = (1 - t) ** 3 * a + 3 * (1 - t) ** 2 * t * b + 3 * (1 - t) * t**2 * c + t**3 * d
        strokes[number] = np.where(number < count, curve, strokes[0])
    return _drawn(strokes.reshape(-1, n, 2) * np.exp(rng.normal(0, WIDER, (n, 2))), rng)


def _drawn(points: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Points (p, n, 2) fitted into the box and drawn with pens of any width: (n, 784)."""
    n = points.shape[1]
    low, high = points.min(axis=0), points.max(axis=0)
    width = rng.uniform(THINNEST, WIDEST, (n, 1))
    points = (points - (low + high) / 2) * (BOX - width) / (high - low).max(axis=1, keepdims=True)
    squares = np.full((n, SIDE * SIDE), np.inf, np.float32)
    for point in points.astype(np.float32):
        np.minimum(squares, (y - point[:, :1]) ** 2 + (x - point[:, 1:]) ** 2, out=squares)
    ink: FloatArray = np.clip(width / 2 + 0.5 - np.sqrt(squares), 0, 1).astype(np.float32)
    return ink


def _shapes(n: int, rng: np.random.Generator) -> FloatArray:
    """Textures, soft or hard, within outlines, every second one symmetric: (n, 784)."""

    def uniform(low: float, high: float) -> FloatArray:
        return rng.uniform(low, high, (n, 1, 1)).astype(np.float32)

    texture = _noise(np.exp(uniform(np.log(FINEST), np.log(COARSEST))), rng)
    hardness = np.exp(uniform(np.log(SOFTEST), np.log(HARDEST)))
    ink = np.clip((texture - uniform(-2, 1)) * hardness, uniform(0, 1) * uniform(0, 1), 1)
    height = _noise(uniform(ROUGHEST, SMOOTHEST), rng) - uniform(-3, 0)
    rim = uniform(0, RIM) * (rng.random((n, 1, 1)) < 0.5)
    ink = np.where(height < rim, 1, ink) * (height > 0)
    symmetric = rng.random(n) < 0.5
    ink[symmetric, :, : SIDE // 2] = ink[symmetric, :, : SIDE // 2 - 1 : -1]
    sides = rng.uniform(BOX / 6, BOX / 2, (2, n, 1))
    sides[rng.integers(0, 2, n), np.arange(n)] = BOX / 2
    exponent = rng.choice(CORNERS, (n, 1))
    inside = np.abs(y / sides[0]) ** exponent + np.abs(x / sides[1]) ** exponent <= 1
    shapes: FloatArray = ink.reshape(n, -1) * inside
    return shapes


def _noise(sigma: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Noise smoothed by Gaussians of σ (n, 1, 1), each with deviation 1: (n, 28, 28)."""
    smooth = np.exp(-0.5 * (DISTANCES / sigma) ** 2)
    noise: FloatArray = smooth @ rng.standard_normal((len(sigma), SIDE, SIDE), np.float32) @ smooth
    noise /= noise.std(axis=(1, 2), keepdims=True)
    return noise
