"""Edges that are taken for ink: of a table, where it is lit, or where a shadow lies across it."""

import numpy as np

from digitnet.activations import FloatArray
from digitnet.image.broken import TEXTURE
from digitnet.image.ink import LEAST_PAGE, Ink, widened
from digitnet.image.parts import Part, mask_of, parts_of

BESIDE = 3  # pixels: what is beside a part, but for the next to it, where its own edge is
AS_DARK = 0.15  # of what is beside a part: strokes are darker than all around them
CONTRAST = 0.15  # of the most that it could differ by: less does a pen, where light falls off
LEAST = 5  # pixels of its longer side: less is a speck
LARGEST = 0.2  # of the picture's longer side: what is larger may be a sheet


def without_edges(ink: Ink, light: FloatArray) -> Ink:
    """Without parts beside which much of the light (h, w) is as dark, where there are others."""
    if ink.is_even or min(light.shape) < LEAST_PAGE:
        return ink
    parts = parts_of(ink.marked)
    if not 1 < len(parts) <= TEXTURE:
        return ink
    darkness = 1 - light if ink.dark else light
    edges = [part for part in parts if _is_edge(part, ink, darkness)]
    marked = ink.marked & ~mask_of(edges, light.shape)
    sure = ink.sure & marked
    return ink._replace(marked=marked, sure=sure) if edges and sure.any() else ink


def _is_edge(part: Part, ink: Ink, darkness: FloatArray) -> bool:
    if not LEAST <= max(part.height, part.width) <= LARGEST * max(darkness.shape):
        return False
    rows, columns = (slice(max(side.start - BESIDE, 0), side.stop + BESIDE) for side in part.slices)
    mask = np.pad(part.mask(), BESIDE)
    top, left = (max(BESIDE - side.start, 0) for side in part.slices)
    near = darkness[rows, columns]
    mask = mask[top : top + near.shape[0], left : left + near.shape[1]]
    beside = near[widened(mask, BESIDE) & ~widened(mask, 1) & ~ink.marked[rows, columns]]
    if not len(beside):
        return False
    inked, around = float(np.median(near[mask])), float(np.median(beside))
    as_dark = np.count_nonzero(beside >= inked) > AS_DARK * len(beside)
    return bool(as_dark) and inked - around > CONTRAST * (1 - around)
