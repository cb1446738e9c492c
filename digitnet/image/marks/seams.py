"""Cut a component that may be several digits along seams of least ink.

LeCun, Bottou, Bengio and Haffner 1998, section V.A: heuristic over-segmentation. A seam goes from
top to bottom and moves at most one column per row. Dynamic programming finds the seam of least ink
to each column of the bottom row.
"""

import math

import numpy as np
from numpy.typing import NDArray

from digitnet.arrays import FloatArray
from digitnet.image.ink.ink import Bools

SIDESTEP_COST = 0.4  # ink: cost of moving one column between two rows
MIN_PIXEL_COST = 0.3  # ink: cost of a marked pixel, however faint
MAX_CUTS = 3.2  # cuts per row height of width
MIN_CUT_DISTANCE = 0.18  # row heights between cuts
UNCUT_RIM = 0.12  # row heights along both sides, without a cut
JOINT_REACH = 0.2  # row heights: how far on both sides of a joint there is more ink
JOINT_RATIO = 1.3  # of that ink to the ink in the joint


def seams_of(mask: Bools, strength: FloatArray, height: float) -> list[NDArray[np.intp]]:
    """Return the cuts from left to right, each as its column in each row, (h,).

    mask, strength: (h, w), of the component. height: of the text row, px.
    """
    rows, columns = mask.shape
    ink = np.where(mask, np.clip(strength, MIN_PIXEL_COST, 1), 0).astype(np.float32)
    costs, steps = ink[0].copy(), np.zeros(mask.shape, np.int8)
    padded = np.full(columns + 2, 1e6, np.float32)
    for y in range(1, rows):
        padded[1:-1] = costs
        from_left, from_right = padded[:-2] + SIDESTEP_COST, padded[2:] + SIDESTEP_COST
        least = np.minimum(np.minimum(from_left, from_right), costs)
        steps[y] = np.where(costs <= least, 0, np.where(from_left <= least, -1, 1))
        costs = least + ink[y]
    rim, distance = max(int(UNCUT_RIM * height), 1), max(int(MIN_CUT_DISTANCE * height), 2)
    is_free = np.ones(columns, np.bool_)
    is_free[:rim] = is_free[columns - rim :] = False
    most = math.ceil(MAX_CUTS * columns / height)
    cuts: list[NDArray[np.intp]] = []
    for x in np.argsort(costs, kind="stable").tolist():
        if len(cuts) == most:
            break
        if is_free[x]:
            is_free[max(x - distance, 0) : x + distance + 1] = False
            cuts.append(_traced(x, steps))
    means = [float(seam.mean()) for seam in cuts]
    for x in _joints(ink.sum(axis=0), max(int(JOINT_REACH * height), 2)):
        distances = [abs(mean - x) for mean in means]
        if rim <= x < columns - rim and min(distances, default=distance) >= distance / 2:
            cuts.append(np.full(rows, x))
    return sorted(cuts, key=lambda seam: float(seam.mean()))


def _joints(profile: FloatArray, reach: int) -> list[int]:
    """Return the columns with less ink than other columns within `reach`, on both sides.

    Two round digits that touch share a wall there, and a seam of least ink would go around it.

    profile: (w,), ink in each column.
    """
    padded = np.pad(profile, reach, constant_values=0)
    windows = np.lib.stride_tricks.sliding_window_view(padded, reach)
    left, right = windows[: len(profile)].max(axis=1), windows[reach + 1 :].max(axis=1)
    is_valley = (profile * JOINT_RATIO < left) & (profile * JOINT_RATIO < right)
    joints = []
    for start, end in _runs(is_valley):
        joints.append(start + int(profile[start:end].argmin()))
    return joints


def _runs(mask: Bools) -> list[tuple[int, int]]:
    """Return start and end of each run of True in a mask (w,)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]])))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]


def _traced(x: int, steps: NDArray[np.int8]) -> NDArray[np.intp]:
    """Return the seam that ends in column x of the last row, (h,).

    steps: (h, w), where the best seam to a pixel comes from in the row above: -1 left to 1 right.
    """
    seam = np.empty(len(steps), np.intp)
    for y in range(len(steps) - 1, -1, -1):
        seam[y] = x
        x += int(steps[y, x])
    return seam
