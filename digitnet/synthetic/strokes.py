"""Draw characters as pen strokes with random variation.

A character is described by strokes between corners, columns 0 to 4 and rows 0 to 6: "00 40 16, 13
33" is a crossed 7. A stroke that begins with ~ is a curve: its corners are rounded.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from digitnet.arrays import PIXELS, SIDE, FloatArray
from digitnet.image.field import BOX, THINNEST, centred, fitted

# The deviations are standard deviations of normal distributions.
MAX_STROKES = 3  # strokes in a character
POINTS_PER_STROKE = 64  # enough that the pen leaves no gaps
CHAIKIN_STEPS = 3  # corner-cutting steps of Chaikin's algorithm (1974)
STROKE_DEVIATION = 0.07  # share of the height: of a stroke's position, of its end, of its middle
PROPORTION_DEVIATION = 0.35  # of the log of the exponent of rows: how high the upper part is
SLANT_DEVIATION = 0.25  # columns per row
SCALE_DEVIATION = 0.22  # of the log of a character's width, and of its height
MAX_PEN_WIDTH = 4.0  # px

PIXEL_CENTRES = np.arange(SIDE, dtype=np.float32) - (SIDE - 1) / 2  # px from the picture's centre


class Script:
    """Characters, described by strokes, that are written with random variation."""

    def __init__(self, characters: Sequence[str]) -> None:
        self.lines = np.full((len(characters), MAX_STROKES, POINTS_PER_STROKE, 2), np.nan)
        for lines, strokes in zip(self.lines, characters):
            for line, stroke in zip(lines, strokes.split(", ")):
                line[:] = _stroke_points(stroke)

    def write(self, which: NDArray[np.integer], rng: np.random.Generator) -> FloatArray:
        """Return points along the strokes of characters `which` (n,): (points, n, 2), row, column.

        If a character has fewer than MAX_STROKES strokes, its first stroke is repeated.
        """
        n = len(which)
        position, end, middle = rng.normal(0, STROKE_DEVIATION, (3, MAX_STROKES, 1, n, 2))
        t = np.linspace(0, 1, POINTS_PER_STROKE)[:, np.newaxis, np.newaxis]
        strokes = self.lines[which].transpose(1, 2, 0, 3)
        strokes = strokes + position + end * t + middle * 4 * t * (1 - t)
        np.copyto(strokes, strokes[0], where=np.isnan(strokes))
        strokes[..., 0] = np.maximum(strokes[..., 0], 0) ** np.exp(
            rng.normal(0, PROPORTION_DEVIATION, n)
        )
        strokes[..., 1] -= rng.normal(0, SLANT_DEVIATION, n) * strokes[..., 0]
        points: FloatArray = strokes.reshape(MAX_STROKES * POINTS_PER_STROKE, n, 2).astype(
            np.float32
        )
        return points


def _stroke_points(stroke: str) -> FloatArray:
    """Return evenly spaced points (points, 2), row and column, in units of a character's height."""
    pairs = stroke.removeprefix("~").split()
    corners = np.array([(int(pair[1]), int(pair[0])) for pair in pairs]) / 6
    if stroke.startswith("~"):
        for _ in range(CHAIKIN_STEPS):
            cuts = [(3 * a + b, a + 3 * b) for a, b in pairwise(corners)]
            corners = np.concatenate([corners[:1], np.reshape(cuts, (-1, 2)) / 4, corners[-1:]])
    lengths = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(corners, axis=0).T))])
    along = np.linspace(0, lengths[-1], POINTS_PER_STROKE)
    return np.stack([np.interp(along, lengths, axis) for axis in corners.T], axis=1)


def draw(points: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return ink (n, 784) of n characters whose strokes have the points (p, n, 2).

    Each character is scaled randomly, fitted into the box and drawn with a pen of random width.
    """
    n = points.shape[1]
    points = points * np.exp(rng.normal(0, SCALE_DEVIATION, (n, 2)))
    low, high = points.min(axis=0), points.max(axis=0)
    width = rng.uniform(THINNEST, MAX_PEN_WIDTH, (n, 1))
    points = (points - (low + high) / 2) * (BOX - width) / (high - low).max(axis=1, keepdims=True)
    points = points.astype(np.float32)
    rows, columns = ((PIXEL_CENTRES - points[..., axis, np.newaxis]) ** 2 for axis in (0, 1))
    squares, scratch = np.full((2, n, SIDE, SIDE), np.inf, np.float32)
    for row, column in zip(rows[..., np.newaxis], columns[:, :, np.newaxis]):
        np.minimum(squares, np.add(row, column, out=scratch), out=squares)
    distance = np.sqrt(squares, out=squares).reshape(n, PIXELS)
    ink: FloatArray = np.clip(width / 2 + 0.5 - distance, 0, 1).astype(np.float32)
    return ink


def prepare_ink(ink: FloatArray) -> NDArray[np.uint8]:
    """Return pictures, uint8 (n, 28, 28), of ink (n, 784) as `image` would prepare it."""
    pictures = np.zeros((len(ink), SIDE, SIDE), np.uint8)
    for picture, whole in zip(pictures, ink.reshape(-1, SIDE, SIDE)):
        rows, columns = (np.flatnonzero(whole.any(axis=axis)) for axis in (1, 0))
        if len(rows):  # a picture without ink stays empty
            part = whole[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
            part = fitted(part, THINNEST * max(part.shape) / BOX)
            picture[:] = centred(part / part.max())[0]
    return pictures
