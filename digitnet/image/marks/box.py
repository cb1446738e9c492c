"""Take away a box of straight lines; strokes that touch or cross its sides stay."""

import numpy as np

from digitnet.image.ink.ink import Bools
from digitnet.image.ink.parts import THIN, runs_of

LONG = 0.85  # of its length: so much of a side is inked
BESIDE = 0.6  # of its length: more beside a side is a broad bar's


def without_box(marked: Bools) -> Bools:
    """Return marks (h, w) without the box around them, perhaps open above or below; else all.

    marked: from the first marked row and column to the last.
    """
    box = np.pad(marked, 1)
    level, upright = _sides(box), _sides(box.T)
    rim = THIN * len(box.T)
    if not level or not upright or upright[0][0] > rim or upright[-1][1] < len(box.T) - rim:
        return marked
    return _without(_without(box, level).T, upright).T[1:-1, 1:-1]


def _sides(marked: Bools) -> list[tuple[int, int]]:
    """Return rows, from and to, that are inked from side to side, few together and much more than
    the rows beside them, but for a row of soft edge.
    """
    shares = np.count_nonzero(marked, axis=1) / marked.shape[1]
    beside = np.pad(shares, 2)
    return [
        (start, end)
        for _, start, end in runs_of((shares > LONG)[np.newaxis])
        if max(beside[start], beside[end + 3]) < BESIDE
        and start > 0
        and end < len(shares)
        and end - start < THIN * len(shares)
    ]


def _without(marked: Bools, lines: list[tuple[int, int]]) -> Bools:
    """Return marks without rows from and to, but for what goes on above and below."""
    marked = marked.copy()
    for start, end in lines:
        marked[start:end] &= marked[start - 1] & marked[end]
    return marked
