"""Edges that are taken for ink: of a table, where it is lit, or where a shadow lies across it."""

import numpy as np

from digitnet.activations import FloatArray
from digitnet.image.broken import TEXTURE
from digitnet.image.ink import LEAST_PAGE, Ink, widened
from digitnet.image.parts import Part, mask_of, parts_of

BESIDE = 3  # pixels: what is beside a part, without the first of them, where its own edge is
SHARE = 0.15  # of what is beside an edge is as dark, at least: strokes are the darkest
FAINTEST = 0.15  # of the light beside an edge is missing in it: of strokes in fading light, less
LEAST = 5  # pixels of its longer side: less is a speck
LARGEST = 0.2  # of the picture's longer side: what is larger may be a sheet, or the digit


def without_edges(ink: Ink, light: FloatArray) -> Ink:
    """Without parts that have something as dark along a side of them, in light (h, w).

    The same where all paper is of one shade, in little pictures, where there are very many parts,
    and where nothing sure would be left.
    """
    if ink.is_even or min(light.shape) < LEAST_PAGE:
        return ink
    parts = parts_of(ink.marked)
    if len(parts) > TEXTURE:
        return ink
    darkness = 1 - light if ink.dark else light
    edges = [part for part in parts if _is_edge(part, ink, darkness)]
    without = ink.without(mask_of(edges, light.shape))
    return without if edges and without.sure.any() else ink


def _is_edge(part: Part, ink: Ink, darkness: FloatArray) -> bool:
    """Whether some of what is near a part is as dark as it is, though most is much lighter."""
    if not LEAST <= part.longer <= LARGEST * max(darkness.shape):
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
    is_much_darker = inked - around > FAINTEST * (1 - around)
    return is_much_darker and int(np.count_nonzero(beside >= inked)) > SHARE * len(beside)
