"""Cut a component that may be several digits along seams of least ink.

LeCun, Bottou, Bengio and Haffner 1998, section V.A: heuristic over-segmentation. A seam goes from
top to bottom, a step aside at most from row to row; the one of least ink to each column of the
bottom is found by dynamic programming.
"""

import math

import numpy as np
from numpy.typing import NDArray

from digitnet.arrays import FloatArray
from digitnet.image.ink.ink import Bools

ASIDE = 0.4  # ink: what a step aside costs
FAINTEST = 0.3  # ink: of a marked pixel, at least
PER_HEIGHT = 3.2  # cuts per row height of width, at most
APART = 0.18  # row heights between cuts
RIM = 0.12  # row heights along both sides, without a cut
JOINT = 0.2  # row heights: how far on both sides of a joint there is more ink
VALLEY = 1.3  # times as much ink, at least


def seams_of(mask: Bools, strength: FloatArray, height: float) -> list[NDArray[np.intp]]:
    """Return cuts from left to right: the column in each row, (h,).

    mask, strength: (h, w), of the component. height: of the row, px.
    """
    rows, columns = mask.shape
    ink = np.where(mask, np.clip(strength, FAINTEST, 1), 0).astype(np.float32)
    costs, steps = ink[0].copy(), np.zeros(mask.shape, np.int8)
    beside = np.full(columns + 2, 1e6, np.float32)
    for y in range(1, rows):
        beside[1:-1] = costs
        from_left, from_right = beside[:-2] + ASIDE, beside[2:] + ASIDE
        least = np.minimum(np.minimum(from_left, from_right), costs)
        steps[y] = np.where(costs <= least, 0, np.where(from_left <= least, -1, 1))
        costs = least + ink[y]
    rim, apart = max(int(RIM * height), 1), max(int(APART * height), 2)
    is_free = np.ones(columns, np.bool_)
    is_free[:rim] = is_free[columns - rim :] = False
    most = math.ceil(PER_HEIGHT * columns / height)
    cuts: list[NDArray[np.intp]] = []
    for x in np.argsort(costs, kind="stable").tolist():
        if len(cuts) == most:
            break
        if is_free[x]:
            is_free[max(x - apart, 0) : x + apart + 1] = False
            cuts.append(_traced(x, steps))
    middles = [float(seam.mean()) for seam in cuts]
    for x in _joints(ink.sum(axis=0), max(int(JOINT * height), 2)):
        away = [abs(middle - x) for middle in middles]
        if rim <= x < columns - rim and min(away, default=apart) >= apart / 2:
            cuts.append(np.full(rows, x))
    return sorted(cuts, key=lambda seam: float(seam.mean()))


def _joints(profile: FloatArray, reach: int) -> list[int]:
    """Return the columns with less ink than within `reach` on both sides: where rings touch.

    Two round digits share a wall there, which a seam of least ink goes around.
    """
    padded = np.pad(profile, reach, constant_values=0)
    windows = np.lib.stride_tricks.sliding_window_view(padded, reach)
    left, right = windows[: len(profile)].max(axis=1), windows[reach + 1 :].max(axis=1)
    is_valley = (profile * VALLEY < left) & (profile * VALLEY < right)
    joints = []
    for start, end in _runs(is_valley):
        joints.append(start + int(profile[start:end].argmin()))
    return joints


def _runs(mask: Bools) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]])))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]


def _traced(x: int, steps: NDArray[np.int8]) -> NDArray[np.intp]:
    """Return the seam that ends in column x of the last row, (h,)."""
    seam = np.empty(len(steps), np.intp)
    for y in range(len(steps) - 1, -1, -1):
        seam[y] = x
        x += int(steps[y, x])
    return seam
