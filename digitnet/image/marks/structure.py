"""Remove printed structure: frames, lines of tables, edges of the page.

Digits that touch a frame or a line are separated from it: straight thin runs longer than a digit
are removed, strokes that cross them stay.
"""

import numpy as np

from digitnet.image.ink.components import Component, connected_components, runs_of
from digitnet.image.ink.ink import MIN_PAGE_SIDE, Bools, Ink, stroke_width

MIN_COMPONENT_AREA = 6  # px: smaller components are dirt
MIN_FRAME_SIDE = 20  # px of the shorter side of a frame around other components
MAX_FRAME_FILL = 0.3  # of its bounding box: a frame covers no more
MIN_CONTENT_HEIGHT = 0.1  # of a frame's height: height of a component inside it
MIN_HUGGING_SIDE = 0.3  # of the picture's shorter side: height and width of an empty frame
MIN_EDGE_LENGTH = 0.5  # of the picture's shorter side: a component at the border so long is an edge
MIN_SOLID_FILL = 0.4  # of its bounding box: an edge that covers more is a table or a page
MAX_DIGIT_WIDTH, MAX_DIGIT_HEIGHT = 2.5, 2.2  # typical heights: larger components hold more
MIN_LINE_LENGTH = 1.5  # typical heights: longer straight runs are no strokes
THICKNESS_FACTOR = 1.7  # greatest to usual thickness of a line: slanted lines have steps


def written_components(ink: Ink) -> list[Component]:
    """Return the components of the ink that may be written, without printed structure."""
    marked = ink.marked
    height, width = marked.shape
    components = [one for one in connected_components(marked) if one.area >= MIN_COMPONENT_AREA]
    if not ink.is_even:
        components = [one for one in components if one.overlaps(ink.sure)]
    if not components:
        return []
    structure = _structure(components, height, width)
    others = [one for one in components if one not in structure]
    typical = typical_height([one for one in others if 5 * one.height >= one.width] or components)
    return [
        piece
        for one in components
        for piece in _remove_lines(one, typical, marked.shape, is_structure=one in structure)
    ]


def typical_height(components: list[Component]) -> float:
    """Return the median height, px, weighted by height: specks count little."""
    heights = np.sort([component.height for component in components])
    counted = np.cumsum(heights)
    return float(heights[np.searchsorted(counted, counted[-1] / 2)])


def _structure(components: list[Component], height: int, width: int) -> set[Component]:
    """Return the frames, the components that hug their bounding box, and the edges of the page."""
    shorter = min(height, width)
    if shorter < MIN_PAGE_SIDE:
        return set(find_frames(components))
    hugging = {
        component
        for component in components
        if min(component.height, component.width) > MIN_HUGGING_SIDE * shorter
        and component.area < MAX_FRAME_FILL * component.height * component.width
        and component.hugs_bounding_box()
    }
    edges = {
        component
        for component in components
        if component.longer > MIN_EDGE_LENGTH * shorter and component.is_at_border(height, width)
    }
    return {*find_frames(components), *hugging, *edges}


def find_frames(components: list[Component]) -> list[Component]:
    """Return the components that surround a component of some height: frames."""
    sides = np.array([(one.top, one.left, -one.bottom, -one.right) for one in components])
    heights = np.array([component.height for component in components])
    frames = []
    for component, own in zip(components, sides):
        if component.area > MAX_FRAME_FILL * component.height * component.width:
            continue
        if min(component.height, component.width) < MIN_FRAME_SIDE:
            continue
        surrounded = heights[(sides > own).all(axis=1)]
        if (surrounded >= MIN_CONTENT_HEIGHT * component.height).any():
            frames.append(component)
    return frames


def _remove_lines(
    component: Component, typical: float, shape: tuple[int, ...], *, is_structure: bool
) -> list[Component]:
    """Return what may be written: the component, its pieces without long lines, or nothing.

    typical: height of the page's components, px. shape: of the picture.
    """
    is_wide = component.width > MAX_DIGIT_WIDTH * typical
    is_high = component.height > MAX_DIGIT_HEIGHT * typical
    if not (is_wide or is_high or is_structure):
        return [component]
    is_solid = component.area > MIN_SOLID_FILL * component.height * component.width
    if is_structure and is_solid and (is_high or is_wide) and component.is_at_border(*shape):
        return []
    mask = component.mask()
    least = MIN_LINE_LENGTH * typical
    if not (is_structure or is_high):  # an underline must be longer than the feet of two digits
        least = max(1.2 * component.height, 0.6 * component.width)
    thickest = max(int(THICKNESS_FACTOR * min(stroke_width(mask), 0.3 * typical)) + 1, 3)
    left = mask.copy()
    if is_wide or is_structure:
        left &= ~_long_runs(mask, max(int(least), 10), thickest)
    if is_high or is_structure:
        left &= ~_long_runs(mask.T, max(int(least), 10), thickest).T
    if np.count_nonzero(left) == component.area:
        return [component]
    is_frame = is_structure and min(component.height, component.width) > 2 * typical
    frame = component if is_frame else None
    return [
        piece.moved(component.top, component.left, shape[1])
        for piece in (connected_components(left) if left.any() else [])
        if piece.area >= MIN_COMPONENT_AREA and not (frame and _is_corner(piece, frame, typical))
    ]


def _is_corner(piece: Component, frame: Component, typical: float) -> bool:
    """Return whether a piece left of a frame is one of the frame's corners.

    The position of `piece` is relative to the bounding box of `frame`.
    """
    margin = max(0.04 * frame.longer, typical / 4)
    near = (
        piece.top < margin,
        piece.left < margin,
        piece.bottom > frame.height - margin,
        piece.right > frame.width - margin,
    )
    is_small = piece.height < 0.5 * typical or piece.width < 0.3 * typical
    return any(near) and (is_small or sum(near) > 1)


def _long_runs(mask: Bools, least: int, thickest: int) -> Bools:
    """Return the pixels (h, w) of level runs at least `least` px long and at most `thickest` thick.

    A run may step by one row, as slanted lines do. Where a run is thicker, a stroke crosses it, and
    the pixels of the stroke are not returned.
    """
    height, width = mask.shape
    found = np.zeros(mask.shape, np.bool_)
    if width < least:
        return found
    stepped = mask.copy()
    stepped[1:] |= mask[:-1]
    stepped[:-1] |= mask[1:]
    counts = np.zeros((height, width + 1), np.int32)
    np.cumsum(stepped, axis=1, out=counts[:, 1:])
    starts = counts[:, least:] - counts[:, :-least] == least
    covered = np.zeros((height, width + 1), np.int32)
    covered[:, : starts.shape[1]] += starts
    covered[:, least:] -= starts
    lines = (np.cumsum(covered, axis=1)[:, :-1] > 0) & mask
    above = np.zeros((height + 1, width), np.int32)
    np.cumsum(lines, axis=0, out=above[1:])
    runs = [
        (column, start, end)
        for column, start, end in runs_of(mask.T)
        if end - start <= thickest and above[end, column] > above[start, column]
    ]
    if runs:  # where a line runs along a stroke, both together are thicker than the line elsewhere
        usual = float(np.median([end - start for _, start, end in runs]))
        for column, start, end in runs:
            found[start:end, column] = end - start <= THICKNESS_FACTOR * usual + 1
    return found
