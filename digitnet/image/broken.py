"""Strokes that are broken: dots and dashes, and which of them go on from one to the next."""

from collections import defaultdict

import numpy as np

from digitnet.image.ink import widened
from digitnet.image.parts import Part, joined, mask_of, parts_of

GAP = 0.08  # of a digit's longer side: what is closer is a part of it
DOT_GAP = 0.04  # of that side: so far apart are dots of a stroke
SHORTEST, LONGEST = 0.12, 0.7  # of that side: a row of dots; longer ones are ruled, or a frame
TEXTURE = 500  # parts: more are neither dots nor letters, and would take long


def pieces(parts: list[Part], longer: int, shape: tuple[int, ...]) -> list[list[Part]]:
    """Parts, those together from one to the next of which a stroke of a digit may go on.

    longer: how many pixels the digit's longer side has.
    """
    return _close(parts, max(round(GAP / 2 * longer), 1), shape)


def dotted_strokes(
    dots: list[Part], larger: list[Part], longer: int, shape: tuple[int, ...]
) -> list[Part]:
    """The strokes that dots make up which lie close together, and close to larger parts.

    So they are where a pen ran dry, or a scan lost the rest.
    """
    if not 2 <= len(dots) <= TEXTURE:
        return []
    by = max(round(DOT_GAP / 2 * longer), 1)
    near = widened(mask_of(larger, shape), 2 * by + 1)
    return [
        stroke
        for stroke in map(joined, _close(dots, by, shape))
        if SHORTEST * longer <= stroke.longer <= LONGEST * longer and stroke.touches(near)
    ]


def _close(parts: list[Part], by: int, shape: tuple[int, ...]) -> list[list[Part]]:
    """Parts of a picture of that shape, those together that touch when all are so much wider."""
    if len(parts) == 1:
        return [parts]
    numbers = np.zeros(shape, np.intp)
    for number, around in enumerate(parts_of(widened(mask_of(parts, shape), by))):
        for row, start, end in around.runs:
            numbers[row, start:end] = number
    groups: defaultdict[int, list[Part]] = defaultdict(list)
    for part in parts:
        row, column, _ = part.runs[0]
        groups[int(numbers[row, column])].append(part)
    return list(groups.values())
