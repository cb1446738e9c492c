"""Connected parts, held against a flood."""

import numpy as np
from hypothesis import given
from hypothesis.extra.numpy import array_shapes, arrays

from digitnet.image.parts import join, runs_of

Masks = arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=12))


def flooded(marked: np.ndarray) -> set[frozenset[tuple[int, int]]]:
    """The pixels of each part, found by going from neighbour to neighbour."""
    left = {(int(y), int(x)) for y, x in np.argwhere(marked)}
    parts = set()
    while left:
        part, border = set(), [left.pop()]
        while border:
            y, x = border.pop()
            part.add((y, x))
            near = {(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)} & left
            left -= near
            border += near
        parts.add(frozenset(part))
    return parts


@given(Masks)
def test_parts_are_what_a_flood_reaches(marked: np.ndarray) -> None:
    found = set()
    for part in join(runs_of(marked)):
        pixels = {(y, x) for y, start, end in part.runs for x in range(start, end)}
        assert part.area == len(pixels)
        rows, columns = zip(*pixels)
        assert (part.top, part.bottom) == (min(rows), max(rows) + 1)
        assert (part.left, part.right) == (min(columns), max(columns) + 1)
        found.add(frozenset(pixels))
    assert found == flooded(marked)
