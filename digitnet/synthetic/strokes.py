"""Handwriting made up: strokes of a pen, each character a little another every time.

A character is told as strokes between corners, columns 0 to 4 and rows 0 to 6: "00 40 16, 13 33"
is a crossed 7. Strokes after ~ are bent at their corners.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from digitnet.arrays import PIXELS, SIDE, FloatArray
from digitnet.image.field import BOX, THINNEST, centred, fitted

STROKES = 3  # in a character, at most
POINTS = 64  # along a stroke: closer than it is wide
BENDINGS = 3  # Chaikin's cuts of a corner (1974)
ASIDE = 0.07  # of the height: deviation of a stroke's place, of its end, of its middle
PROPORTIONS = 0.35  # deviation of the logarithm of the power that rows are raised to: what is above
SLANT = 0.25  # deviation of columns a row
WIDER = 0.22  # deviation of the logarithm of a character's width, and of its height
WIDEST = 4.0  # pixels of a stroke

MIDDLES = np.arange(SIDE, dtype=np.float32) - (SIDE - 1) / 2  # of pixels, from the picture's middle


class Script:
    """Characters to be written."""

    def __init__(self, characters: Sequence[str]) -> None:
        self.lines = np.full((len(characters), STROKES, POINTS, 2), np.nan)
        for lines, strokes in zip(self.lines, characters):
            for line, stroke in zip(lines, strokes.split(", ")):
                line[:] = _line(stroke)

    def written(self, which: NDArray[np.integer], rng: np.random.Generator) -> FloatArray:
        """Points along the strokes of characters `which` (n,), rows and columns: (points, n, 2).

        A character with fewer strokes than others has its first one once more.
        """
        n = len(which)
        place, end, middle = rng.normal(0, ASIDE, (3, STROKES, 1, n, 2))
        t = np.linspace(0, 1, POINTS)[:, np.newaxis, np.newaxis]
        strokes = self.lines[which].transpose(1, 2, 0, 3)
        strokes = strokes + place + end * t + middle * 4 * t * (1 - t)
        np.copyto(strokes, strokes[0], where=np.isnan(strokes))
        strokes[..., 0] = np.maximum(strokes[..., 0], 0) ** np.exp(rng.normal(0, PROPORTIONS, n))
        strokes[..., 1] -= rng.normal(0, SLANT, n) * strokes[..., 0]
        points: FloatArray = strokes.reshape(STROKES * POINTS, n, 2).astype(np.float32)
        return points


def _line(stroke: str) -> FloatArray:
    """Points at even distances along a stroke, rows and columns by its height: (points, 2)."""
    places = stroke.removeprefix("~").split()
    corners = np.array([(int(place[1]), int(place[0])) for place in places]) / 6
    if stroke.startswith("~"):
        for _ in range(BENDINGS):
            cuts = [(3 * a + b, a + 3 * b) for a, b in pairwise(corners)]
            corners = np.concatenate([corners[:1], np.reshape(cuts, (-1, 2)) / 4, corners[-1:]])
    lengths = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(corners, axis=0).T))])
    along = np.linspace(0, lengths[-1], POINTS)
    return np.stack([np.interp(along, lengths, axis) for axis in corners.T], axis=1)


def drawn(points: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Points (p, n, 2), widened, fitted into the box and drawn with one pen each: (n, 784)."""
    n = points.shape[1]
    points = points * np.exp(rng.normal(0, WIDER, (n, 2)))
    low, high = points.min(axis=0), points.max(axis=0)
    width = rng.uniform(THINNEST, WIDEST, (n, 1))
    points = (points - (low + high) / 2) * (BOX - width) / (high - low).max(axis=1, keepdims=True)
    points = points.astype(np.float32)
    rows, columns = ((MIDDLES - points[..., axis, np.newaxis]) ** 2 for axis in (0, 1))
    squares, scratch = np.full((2, n, SIDE, SIDE), np.inf, np.float32)
    for row, column in zip(rows[..., np.newaxis], columns[:, :, np.newaxis]):
        np.minimum(squares, np.add(row, column, out=scratch), out=squares)
    distance = np.sqrt(squares, out=squares).reshape(n, PIXELS)
    ink: FloatArray = np.clip(width / 2 + 0.5 - distance, 0, 1).astype(np.float32)
    return ink


def as_prepared(ink: FloatArray) -> NDArray[np.uint8]:
    """Ink (n, 784) in the box and at the place that `image` would give it: (n, 28, 28)."""
    pictures = np.zeros((len(ink), SIDE, SIDE), np.uint8)
    for picture, whole in zip(pictures, ink.reshape(-1, SIDE, SIDE)):
        rows, columns = (np.flatnonzero(whole.any(axis=axis)) for axis in (1, 0))
        if len(rows):  # else there is nothing, and stays nothing
            part = whole[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
            part = fitted(part, THINNEST * max(part.shape) / BOX)
            picture[:] = centred(part / part.max())[0]
    return pictures
