"""Lines ruled across the whole picture, as dark as what is written."""

import numpy as np
from numpy.typing import NDArray

from digitnet.image.ink import LEAST_PAGE, Bools

LONG, THIN = 0.85, 0.12  # of the picture's side: what is so long and so thin is a line
BESIDE = 0.6  # of the side, at most, is inked by what crosses a line
FINE = 0.03  # of the picture's side: so thin are lines aslant, for bars of digits are wider
SHORTEST = 10  # pixels of a line that a corner of the picture cuts short
CUT = 0.7  # of the pixels where there would be one are inked, at least
STEEP = 0.2  # rows a column, at most
EVERY = 4  # columns: enough to tell how steep lines are
BARS = 2  # of a digit that is cropped to its ink may lie aslant


def without_lines(marked: Bools) -> Bools:
    """Without what is ruled across the whole picture; strokes that cross such a line stay.

    A single one, in a picture that is inked to all of its borders, is the bar of a digit, and so
    are two that lie aslant.
    """
    borders = marked[0], marked[-1], marked[:, 0], marked[:, -1]
    is_filled = all(bool(side.any()) for side in borders)
    if not (is_filled and len(_lines(marked)) + len(_lines(marked.T)) == 1):
        for _ in range(2):
            marked = _without(marked, _lines(marked)).T
    across, down = (min(ends(m[:, 0]), ends(m[:, -1])) for m in (marked, marked.T))
    if min(marked.shape) < LEAST_PAGE or across + down <= (BARS if is_filled else 0):
        return marked
    level, lines_across = _without_lines_aslant(marked)
    both, lines_down = _without_lines_aslant(level.T)
    return marked if is_filled and lines_across + lines_down <= BARS else both.T


def without_box(marked: Bools) -> Bools:
    """Without a box around, open above or below perhaps; strokes that cross its sides stay."""
    box = np.pad(marked, 1)
    level, upright = _lines(box), _lines(box.T)
    rim = THIN * len(box.T)
    if not level or not upright or upright[0][0] > rim or upright[-1][1] < len(box.T) - rim:
        return marked
    return _without(_without(box, level).T, upright).T[1:-1, 1:-1]


def ends(side: Bools) -> int:
    """How many marks, or rows of them, there are along a side."""
    return int(side[0]) + int(np.count_nonzero(side[1:] & ~side[:-1]))


def _without(marked: Bools, lines: list[tuple[int, int]]) -> Bools:
    """Without rows from and to, but for what goes on above and below."""
    if lines:
        marked = marked.copy()
        for start, end in lines:
            marked[start:end] &= marked[start - 1] & marked[end]
    return marked


def _lines(marked: Bools) -> list[tuple[int, int]]:
    """Rows, from and to, that are inked from side to side, few together and none at the border."""
    shares = np.count_nonzero(marked, axis=1) / marked.shape[1]
    return [
        (start, end)
        for start, end in _ruled(shares, shares)
        if start > 0 and end < len(shares) and end - start < THIN * len(shares)
    ]


def _ruled(
    shares: NDArray[np.float64], beside: NDArray[np.float64], least: float = LONG
) -> list[tuple[int, int]]:
    """From and to of rows of which so large shares are inked, and small ones beside them.

    Beside a row in the midst of a broad bar, they are nearly as large.
    """
    is_ruled = shares > least
    if not is_ruled.any():
        return []
    edges = np.flatnonzero(np.diff(np.concatenate([[False], is_ruled, [False]])))
    beside = np.pad(beside, 2)  # by a row more, where pixels are covered in part
    return [
        (start, end)
        for start, end in edges.reshape(-1, 2).tolist()
        if max(beside[start], beside[end + 3]) < BESIDE
    ]


def _without_lines_aslant(marked: Bools) -> tuple[Bools, int]:
    """Without fine lines that rise or fall a little from left to right; also how many there were.

    The picture is sheared until they are rows.
    """
    height, width = marked.shape
    rise = _rise(marked)
    if not rise:
        return marked, 0
    falls = _falls(np.arange(width), rise, width)
    room = int(np.abs(falls).max()) + 2  # above and below
    rows = np.arange(-room, height + room)[:, np.newaxis] + falls
    is_inside = (rows >= 0) & (rows < height)
    columns = np.broadcast_to(np.arange(width), rows.shape)
    sheared = np.zeros(rows.shape, np.bool_)
    sheared[is_inside] = marked[rows[is_inside], columns[is_inside]]
    inked, lengths = (np.count_nonzero(mask, axis=1) for mask in (sheared, is_inside))
    shares = inked / np.maximum(lengths, width / 2)
    lines = _ruled(shares, shares)
    if lines:  # then also those that a corner cuts short
        lines = _ruled(inked / np.maximum(lengths, SHORTEST), shares, CUT)
    lines = [
        (start - 1, end + 1)  # with the steps along its edges
        for start, end in lines
        if end - start <= max(FINE * height, 2)
    ]
    left = marked.copy()
    left[rows[is_inside], columns[is_inside]] = _without(sheared, lines)[is_inside]
    return left, len(lines)


def _falls(columns: NDArray[np.integer], rise: int, width: int) -> NDArray[np.intp]:
    """How many rows a line of such a rise lies below its middle, at each column."""
    return np.rint(rise * (columns / width - 0.5)).astype(np.intp)


def _rise(marked: Bools) -> int:
    """The rows from side to side by which lines fall, most likely: so pixels fill fewest rows."""
    width = marked.shape[1]
    rows, columns = np.nonzero(marked[:, ::EVERY])
    most = round(STEEP * width)

    def concentration(rise: int) -> int:
        counts = np.bincount(rows - _falls(columns * EVERY, rise, width) + most)
        return int((counts * counts).sum())

    return max(range(-most, most + 1), key=concentration)
