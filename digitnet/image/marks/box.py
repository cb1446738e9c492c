"""Remove a printed box of straight lines; strokes that touch or cross its sides stay."""

import numpy as np

from digitnet.image.ink.components import MAX_FRAME_THICKNESS, runs_of
from digitnet.image.ink.ink import Bools

MIN_INKED = 0.85  # fraction of a row: less ink is not a side of a box
MAX_INKED_BESIDE = 0.6  # fraction of a row beside a side: more ink belongs to a broad bar


def remove_box(marked: Bools) -> Bools:
    """Return marks (h, w) without the box around them, which may be open above or below.

    Without a box, return `marked` itself. marked: cropped to its bounding box.
    """
    padded = np.pad(marked, 1)
    level, upright = _sides(padded), _sides(padded.T)
    rim = MAX_FRAME_THICKNESS * len(padded.T)
    if not level or not upright or upright[0][0] > rim or upright[-1][1] < len(padded.T) - rim:
        return marked
    return _remove_rows(_remove_rows(padded, level).T, upright).T[1:-1, 1:-1]


def _sides(marked: Bools) -> list[tuple[int, int]]:
    """Return the level sides of a box, each as its first row and the row after its last.

    A side is a thin group of rows that are inked nearly from end to end. The rows beside it have
    much less ink; the row next to it may be a soft edge and is not counted.
    """
    shares = np.count_nonzero(marked, axis=1) / marked.shape[1]
    beside = np.pad(shares, 2)
    return [
        (start, end)
        for _, start, end in runs_of((shares > MIN_INKED)[np.newaxis])
        if max(beside[start], beside[end + 3]) < MAX_INKED_BESIDE
        and start > 0
        and end < len(shares)
        and end - start < MAX_FRAME_THICKNESS * len(shares)
    ]


def _remove_rows(marked: Bools, sides: list[tuple[int, int]]) -> Bools:
    """Return marks without the rows of `sides`; strokes that continue above and below stay."""
    marked = marked.copy()
    for start, end in sides:
        marked[start:end] &= marked[start - 1] & marked[end]
    return marked
