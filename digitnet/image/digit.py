"""Find the candidates for the digit in a picture: components, and groups of close components.

Each candidate has a prior, in nats: its cost before the network has scored it.
"""

import math
from typing import NamedTuple

import numpy as np

from digitnet.image.ink.components import (
    FILLING,
    MIN_BAR_RATIO,
    Component,
    Rectangle,
    connected_components,
    joined,
    mask_of,
)
from digitnet.image.ink.ink import MIN_PAGE_SIDE, Bools, Ink, stroke_width
from digitnet.image.marks.box import remove_box
from digitnet.image.marks.groups import Neighbours
from digitnet.image.marks.structure import find_frames, written_components

MAX_GROUPED_COMPONENTS = 120  # components: the largest ones are grouped, the others are ignored
MAX_DIGIT_CANDIDATES = 48  # candidates: the cheapest ones are kept
MIN_CANDIDATE_SIZE = 0.03  # of the picture's longer side: smaller candidates are specks
LEFT_OUT_WEIGHT = 1.0  # times −log(share of the ink that is in the candidate)
BAR_LEFT_OUT_WEIGHT = 2.0  # the same for a bar: beside other ink a bar is a line rather than a 1
REMOVED_WEIGHT = 0.3  # times −log(share of the ink that stays when lines and frames are removed)
BOX_WEIGHT = 5.0  # times −log(share of the ink in the bounding box that is in the candidate)
GAP_WEIGHT = 6.0  # times the largest gap between components / the longer side of the candidate
LINE_COST = 6.0  # nats: for ink that crosses the picture or runs along its border
MIN_BORDER_LINE = 0.8  # of the picture's height or width: a line along the border is longer
MIN_LINE_OFFSET = 0.35  # of half the picture: a line's centre of mass is farther from the middle
RIM_WIDTH, MIN_RIM_SHARE = 0.25, 0.9  # of the shorter side; of a line's ink that is in this rim
DIGIT_HEIGHT_RATIO = 1.5  # ratio of heights: up to this, other ink may be another digit
RIVAL_HEIGHT_RATIO = 2.0  # the same for rivals, which the network takes for digits
MAX_DIGIT_ASPECT = 1.5  # width / height: wider ink is a line
MAX_STROKE_RATIO = 2.5  # of the digit's stroke width: thicker ink is an object
PIECE_GAP = 0.08  # of a digit's longer side: closer components are pieces of one digit


class Candidate(NamedTuple):
    """Ink that may be the digit.

    mask: (height, width), within the box. alone: whether the picture has no other ink and its
    paper has one shade. context_cost: nats, for the ink outside the candidate and for its position.
    gap_cost: nats, for the gaps between its components.
    """

    box: Rectangle
    mask: Bools
    alone: bool
    context_cost: float
    gap_cost: float

    @property
    def prior(self) -> float:
        """The cost before the network has scored the candidate, nats."""
        return self.context_cost + self.gap_cost


def candidates_of(ink: Ink) -> list[Candidate]:
    """Return the candidates for the digit, the lowest prior first.

    A lone component in a small picture is the only candidate. Some candidates are found after
    frames, lines or boxes have been removed.
    """
    shape = ink.marked.shape
    parts = connected_components(ink.marked)
    if not ink.is_even:
        parts = [part for part in parts if part.overlaps(ink.sure)] or parts
    is_alone = len(parts) == 1
    if is_alone and min(shape) < MIN_PAGE_SIDE:
        return [_lone_candidate(parts[0], ink)]
    every = _largest(parts)
    variants = [(every, 0.0)]  # components, and the cost in nats of what was removed
    if min(shape) >= MIN_PAGE_SIDE:
        written = _largest(written_components(ink))
        if {_key([part]) for part in written} != {_key([part]) for part in every}:
            removed = math.log(max(_area(every) / max(_area(written), 1), 1))
            variants.append((written, REMOVED_WEIGHT * removed))
        if frames := find_frames(every):
            variants.append(([part for part in every if part not in frames], 0.0))
        variants += [(inside, 0.0) for part in every if (inside := _inside_box(part, ink.marked))]
    found: dict[tuple[int, ...], Candidate] = {}
    for components, removal_cost in variants:
        total = _area(components)
        inner = _area([part for part in components if not _is_cut_off(part, shape)])
        for group, gap in Neighbours(components, shape).groups():
            key = _key(group)
            if _box(group).longer < MIN_CANDIDATE_SIZE * max(shape) or not _has_ink(group, ink):
                continue
            is_cut_off = any(_is_cut_off(part, shape) for part in group)
            candidate = _candidate(group, gap, total if is_cut_off else inner, ink, is_alone)
            candidate = candidate._replace(context_cost=candidate.context_cost + removal_cost)
            if key not in found or candidate.prior < found[key].prior:
                found[key] = candidate
    candidates = sorted(found.values(), key=lambda candidate: candidate.prior)
    return candidates[:MAX_DIGIT_CANDIDATES] or [_candidate(every, 0, _area(every), ink, is_alone)]


def _inside_box(part: Component, marked: Bools) -> list[Component]:
    """Return the strokes inside a component's box of straight lines, which they touch.

    Empty where the component has no such box.
    """
    mask = part.mask()
    inside = remove_box(mask)
    if inside is mask or not inside.any():
        return []
    return [
        stroke.moved(part.top, part.left, marked.shape[1])
        for stroke in _largest(connected_components(inside))
    ]


def _lone_candidate(part: Component, ink: Ink) -> Candidate:
    """Return the candidate that is the only component of the ink."""
    box = _box([part])
    mask = ink.marked[box.slices]
    context_cost = LINE_COST if _is_along_border(box, mask, *ink.marked.shape) else 0.0
    return Candidate(box, mask, ink.is_even, context_cost, 0.0)


def _largest(parts: list[Component]) -> list[Component]:
    return sorted(parts, key=lambda part: -part.area)[:MAX_GROUPED_COMPONENTS]


def _key(group: list[Component]) -> tuple[int, ...]:
    """Return the bounding box and the area of a group: equal groups have equal keys."""
    box = _box(group)
    return box.top, box.bottom, box.left, box.right, _area(group)


def _box(group: list[Component]) -> Rectangle:
    return Rectangle(
        min(part.top for part in group),
        max(part.bottom for part in group),
        min(part.left for part in group),
        max(part.right for part in group),
    )


def _area(parts: list[Component]) -> int:
    return sum(part.area for part in parts)


def _is_cut_off(part: Component, shape: tuple[int, ...]) -> bool:
    """Return whether a component reaches two or more sides of the picture, as the page's edge does.

    Ink that fills the picture does not count: it may be a digit in a tight crop.
    """
    height, width = shape
    sides = part.top == 0, part.left == 0, part.bottom == height, part.right == width
    return min(shape) >= MIN_PAGE_SIDE and sum(sides) > 1 and not part.fills(height, width)


def _has_ink(group: list[Component], ink: Ink) -> bool:
    return any(
        ink.strength[row, start:end].any() for part in group for row, start, end in part.runs
    )


def _candidate(group: list[Component], gap: int, total: int, ink: Ink, is_alone: bool) -> Candidate:
    """Return a group of components as a candidate, with its costs.

    gap: the largest gap between the components, px. total: the area of the ink to compare with, px.
    is_alone: whether the picture has a single component.
    """
    box, shape = _box(group), ink.marked.shape
    mask = mask_of(group, shape)[box.slices]
    area = int(np.count_nonzero(mask))
    share = area / total
    whole = joined(group)
    is_bar = _is_bar(whole)
    inked = np.count_nonzero(ink.marked[box.slices])
    context_cost = (BAR_LEFT_OUT_WEIGHT if is_bar else LEFT_OUT_WEIGHT) * math.log(1 / share)
    context_cost += BOX_WEIGHT * math.log(inked / area)
    spans_one = (box.height == shape[0]) != (box.width == shape[1])
    crosses = not is_alone and (
        (len(group) > 1 and spans_one) or any(_spans_height(part, *shape) for part in group)
    )
    if crosses or _is_along_border(box, mask, *shape):
        context_cost += LINE_COST
    is_whole = is_alone and area == np.count_nonzero(ink.marked)
    gap_cost = GAP_WEIGHT * gap / box.longer
    return Candidate(box, mask, is_whole and ink.is_even, context_cost, gap_cost)


def _spans_height(box: Rectangle, height: int, width: int) -> bool:
    """Return whether ink runs from top to bottom, as a line or an edge does, but is not wide."""
    return box.height == height and box.width < FILLING * width


def _is_bar(part: Component) -> bool:
    length, thickness = part.as_bar()
    return length > MIN_BAR_RATIO * thickness


def _is_along_border(box: Rectangle, mask: Bools, height: int, width: int) -> bool:
    """Return whether ink runs along one or two sides of the picture, as edges and corners do."""
    if box.height < MIN_BORDER_LINE * height and box.width < MIN_BORDER_LINE * width:
        return False
    rows, columns = np.nonzero(mask)
    y, x = rows + box.top + 0.5, columns + box.left + 0.5
    offset = max(abs(2 * y.mean() / height - 1), abs(2 * x.mean() / width - 1))
    distance = np.minimum(np.minimum(y, height - y), np.minimum(x, width - x))
    is_near = distance < RIM_WIDTH * min(height, width)
    return bool(offset > MIN_LINE_OFFSET and np.count_nonzero(is_near) > MIN_RIM_SHARE * len(y))


def count_digits(ink: Ink, chosen: Candidate, rivals: list[Candidate]) -> int:
    """Return the number of digits that the picture seems to hold, the chosen one included.

    The larger of two counts, both with the chosen candidate: other components, or groups of
    components, of about its height; and rivals that lie apart from it and from each other.
    rivals: candidates that the network takes for digits.
    """
    if chosen.alone:
        return 1
    box, shape = chosen.box, ink.marked.shape
    own = np.zeros(shape, np.bool_)
    own[box.slices] = chosen.mask
    others = [part for part in _largest(connected_components(ink.marked)) if not part.overlaps(own)]
    others = [part for part in others if not part.surrounds(box)]
    if min(shape) >= MIN_PAGE_SIDE:  # in a smaller picture, digits may reach the border
        others = [part for part in others if not part.is_at_border(*shape)]
    if not others:
        return 1
    near = Neighbours(others, shape)
    reach = max(round(PIECE_GAP / 2 * box.longer / near.step), 1)
    width = stroke_width(own)
    similar = max(
        sum(_may_be_digit(joined(group), chosen, width) for group in near.within(reach)),
        sum(_may_be_digit(part, chosen, width) and not _is_bar(part) for part in others),
    )
    separate = [box]
    for rival in sorted(rivals, key=lambda rival: -rival.box.height):
        scaled = RIVAL_HEIGHT_RATIO * rival.box.height
        is_high = box.height <= scaled <= RIVAL_HEIGHT_RATIO**2 * box.height
        is_digit = is_high and MIN_BAR_RATIO * rival.box.width > rival.box.height
        if is_digit and all(rival.box.gap(other) >= 0 for other in separate):
            separate.append(rival.box)
    return max(1 + similar, len(separate))


def _may_be_digit(part: Component, chosen: Candidate, width: float) -> bool:
    """Return whether a component is about as high as the digit and as thick as the same pen writes.

    width: the digit's stroke width, px.
    """
    height = chosen.box.height
    has_height = height <= DIGIT_HEIGHT_RATIO * part.height <= DIGIT_HEIGHT_RATIO**2 * height
    has_area = 2 * DIGIT_HEIGHT_RATIO * part.area >= np.count_nonzero(chosen.mask)
    if not (has_height and has_area and part.width <= MAX_DIGIT_ASPECT * part.height):
        return False
    return stroke_width(part.mask()) <= MAX_STROKE_RATIO * width
