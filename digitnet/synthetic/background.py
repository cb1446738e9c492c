"""Pictures of no digit, made up, for a network to learn what it does not know.

Hendrycks, Mazeika and Dietterich 2019, Deep Anomaly Detection with Outlier Exposure: a network that
was taught to call some pictures of none of its classes each class alike is unsure of others too.
Some are letters, some drawings of a few strokes, some shapes with more or less texture, as things
are, some a drawing with a part of such a shape; all as large as `image` makes a digit, and where it
puts one.
"""

import functools

import numpy as np
from numpy.typing import NDArray

from digitnet.arrays import PIXELS, SIDE, FloatArray
from digitnet.image.field import BOX
from digitnet.synthetic.strokes import MIDDLES, Script, as_prepared, drawn

GROUP = 64  # pictures made together: that fit the cache
KINDS = 0.2, 0.1, 0.5, 0.2  # shares of letters, drawings, shapes, and drawings with a part of one
# As `strokes` tells them. Left out are those that somebody writes as others write a digit.
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
STROKES = 4  # in a drawing, at most
POINTS = 32  # along a stroke
ASIDE = 0.2  # of a drawing: off its ends and middle, where every second one has all its points
LINKED, CLOSED = 0.7, 0.3  # of the strokes begin, and end, on the first or the last one before
STRAIGHT = 0.5  # of them are
FINEST, COARSEST = 0.3, 6.0  # pixels: σ of a texture's Gaussian
ROUGHEST, SMOOTHEST = 2.0, 8.0  # of that of an outline's
SOFTEST, HARDEST = 0.5, 20.0  # edges in a texture: ink per deviation
BULGING, BENT = 1.0, 0.6  # outlines, at most: deviations of their width's logarithm, their middle
RIM = 0.8  # deviations within an outline that have full ink, at most, in every second one
NARROWEST = 0.25  # of a shape's longer side: the shorter one, at least
CORNERS = (1.5, 2, 4, 50)  # exponents of a superellipse: from a star to a box

DISTANCES = np.subtract.outer(np.arange(SIDE), np.arange(SIDE)).astype(np.float32)


def make_background(count: int, *, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Pictures of no digit: uint8 (count, 28, 28), 0 paper to 255 ink."""
    pictures = np.empty((count, SIDE, SIDE), np.uint8)
    for start in range(0, count, GROUP):
        group = pictures[start : start + GROUP]
        letters, drawings, shapes, both = rng.multinomial(len(group), KINDS)
        which = rng.integers(0, len(LETTERS), letters)
        strokes = _alphabet().written(which, rng), _strokes(drawings + both, rng)
        ink = np.concatenate([*(drawn(points, rng) for points in strokes), _shapes(shapes, rng)])
        some = ink[letters : letters + both]
        np.maximum(some, _shapes(both, rng) * _halves(both, rng), out=some)
        group[:] = as_prepared(ink)
    return pictures


@functools.cache
def _alphabet() -> Script:
    return Script(LETTERS)


def _strokes(n: int, rng: np.random.Generator) -> FloatArray:
    """Points (p, n, 2) along a bent stroke, or two to four, each a cubic Bézier curve."""
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
    return strokes.reshape(STROKES * POINTS, n, 2)


def _shapes(n: int, rng: np.random.Generator) -> FloatArray:
    """Textures, soft or hard, every second one symmetric, within outlines: (n, 784)."""

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
    sides = BOX / 2 * NARROWEST ** rng.random((2, n, 1))
    sides[rng.integers(0, 2, n), np.arange(n)] = BOX / 2
    exponent = rng.choice(CORNERS, (n, 1))
    rows = np.abs(MIDDLES / sides[0]) ** exponent
    inside = rows[:, :, np.newaxis] + np.abs(_columns(sides[1], rng)) ** exponent[..., None] <= 1
    shapes: FloatArray = (ink * inside).reshape(n, PIXELS)
    return shapes


def _halves(n: int, rng: np.random.Generator) -> FloatArray:
    """1 on one side of a line anywhere, 0 on the other: (n, 784)."""
    angle, place = rng.uniform(-np.pi, np.pi, (n, 1, 1)), rng.uniform(-BOX / 2, BOX / 2, (n, 1, 1))
    halves: NDArray[np.bool_] = (
        np.sin(angle) * MIDDLES[:, np.newaxis] > place - np.cos(angle) * MIDDLES
    )
    return halves.reshape(n, PIXELS).astype(np.float32)


def _columns(side: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Columns (n, 28, 28) as shares of how far an outline reaches to either side, in each row.

    It reaches `side` (n, 1), more or less from row to row, and its middle moves.
    """
    n = len(side)
    sigma = rng.uniform(ROUGHEST, SMOOTHEST, (2 * n, 1, 1)).astype(np.float32)
    bulge, bend = _noise(sigma, rng)[:, :1].reshape(2, n, SIDE)
    bulge *= rng.uniform(0, BULGING, (n, 1)) * (rng.random((n, 1)) < 0.5)
    bend *= rng.uniform(0, BENT, (n, 1)) * (rng.random((n, 1)) < 0.5)
    reach = side * np.exp(bulge)
    columns: FloatArray = MIDDLES / reach[:, :, np.newaxis] - bend[:, :, np.newaxis]
    return columns


def _noise(sigma: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Noise smoothed by Gaussians of σ (n, 1, 1), each with deviation 1: (n, 28, 28)."""
    smooth = np.exp(-0.5 * (DISTANCES / sigma) ** 2)
    noise: FloatArray = smooth @ rng.standard_normal((len(sigma), SIDE, SIDE), np.float32) @ smooth
    noise /= noise.std(axis=(1, 2), keepdims=True)
    return noise
