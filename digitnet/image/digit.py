"""What in a picture may be its digit: components of the ink, and components close together.

Each candidate has a prior, in nats: what speaks against it before the network has seen it.
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

MOST_PARTS = 120  # components that are grouped, at most: the largest
MOST_CANDIDATES = 48  # the likeliest
SMALLEST = 0.03  # of the picture's longer side: smaller candidates are specks
LEFT_OUT = 1.0  # of the share of the ink that is in the candidate, its negative logarithm
BAR_LEFT_OUT = 2.0  # the same for a bar: beside other ink it is a line, not a 1
REMOVED = 0.3  # of the share of the ink that is no structure, likewise
INSIDE = 5.0  # of the share of the ink in the box that is in the candidate, likewise
GAP = 6.0  # nats, times the distance between its parts over its longer side
LINE = 6.0  # nats of ink from side to side of the picture, or along a side
SIDE_LENGTH = 0.8  # of the picture's height or width: least length of a line along a side
ASIDE = 0.35  # of half the picture: least distance of its centre of mass from the middle
RIM, IN_RIM = 0.25, 0.9  # of the picture's shorter side: a rim; of the ink: least share in it
ALIKE = 1.5  # times as high, at most, is ink that may be another digit
LOWER = 2.0  # times as high, at most, is another candidate that the network takes for a digit
LYING, THICKER = 1.5, 2.5  # times as wide as high, as thick as the digit's strokes: a line, a thing
PIECE_GAP = 0.08  # of a digit's longer side: closer parts are pieces of one digit


class Candidate(NamedTuple):
    """Ink that may be the digit.

    mask: (height, width), in the box. alone: whether nothing else is inked, on paper of one shade.
    against: nats for the ink that is not in it, and for its place. gaps: nats for gaps between its
    parts.
    """

    box: Rectangle
    mask: Bools
    alone: bool
    against: float
    gaps: float

    @property
    def prior(self) -> float:
        """Nats, before the network has seen it."""
        return self.against + self.gaps


def candidates_of(ink: Ink) -> list[Candidate]:
    """Return what may be the digit, likeliest first by the prior; a lone component is the only one.

    Frames, lines and boxes around are left away in some of them.
    """
    shape = ink.marked.shape
    parts = connected_components(ink.marked)
    if not ink.is_even:
        parts = [part for part in parts if part.overlaps(ink.sure)] or parts
    is_alone = len(parts) == 1
    if is_alone and min(shape) < MIN_PAGE_SIDE:
        return [_alone(parts[0], ink)]
    every = _largest(parts)
    sets = [(every, 0.0)]  # components, and nats for what was taken away
    if min(shape) >= MIN_PAGE_SIDE:
        written = _largest(written_components(ink))
        if {_key([part]) for part in written} != {_key([part]) for part in every}:
            removed = math.log(max(_area(every) / max(_area(written), 1), 1))
            sets.append((written, REMOVED * removed))
        if frames := find_frames(every):
            sets.append(([part for part in every if part not in frames], 0.0))
        sets += [(inside, 0.0) for part in every if (inside := _inside_box(part, ink.marked))]
    found: dict[tuple[int, ...], Candidate] = {}
    for some, dearer in sets:
        total = _area(some)
        inner = _area([part for part in some if not _goes_on(part, shape)])
        for group, gap in Neighbours(some, shape).groups():
            key = _key(group)
            if _box(group).longer < SMALLEST * max(shape) or not _has_ink(group, ink):
                continue
            goes_on = any(_goes_on(part, shape) for part in group)
            candidate = _candidate(group, gap, total if goes_on else inner, ink, is_alone)
            candidate = candidate._replace(against=candidate.against + dearer)
            if key not in found or candidate.prior < found[key].prior:
                found[key] = candidate
    candidates = sorted(found.values(), key=lambda one: one.prior)[:MOST_CANDIDATES]
    return candidates or [_candidate(every, 0, _area(every), ink, is_alone)]


def _inside_box(part: Component, marked: Bools) -> list[Component]:
    """Return the strokes in a box of straight lines whose sides they touch; none without a box."""
    mask = part.mask()
    inside = remove_box(mask)
    if inside is mask or not inside.any():
        return []
    return [
        one.moved(part.top, part.left, marked.shape[1])
        for one in _largest(connected_components(inside))
    ]


def _alone(part: Component, ink: Ink) -> Candidate:
    """Return the candidate that is all of the ink."""
    box = _box([part])
    mask = ink.marked[box.slices]
    against = LINE if _is_along_a_side(box, mask, *ink.marked.shape) else 0.0
    return Candidate(box, mask, ink.is_even, against, 0.0)


def _largest(parts: list[Component]) -> list[Component]:
    return sorted(parts, key=lambda part: -part.area)[:MOST_PARTS]


def _key(group: list[Component]) -> tuple[int, ...]:
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


def _goes_on(part: Component, shape: tuple[int, ...]) -> bool:
    """Return whether a part goes on beyond two sides, as the edge of a page does.

    Ink that fills the picture may be a digit that is cropped to its ink.
    """
    height, width = shape
    sides = part.top == 0, part.left == 0, part.bottom == height, part.right == width
    return min(shape) >= MIN_PAGE_SIDE and sum(sides) > 1 and not part.fills(height, width)


def _has_ink(group: list[Component], ink: Ink) -> bool:
    return any(
        ink.strength[row, start:end].any() for part in group for row, start, end in part.runs
    )


def _candidate(group: list[Component], gap: int, total: int, ink: Ink, is_alone: bool) -> Candidate:
    box, shape = _box(group), ink.marked.shape
    mask = mask_of(group, shape)[box.slices]
    area = int(np.count_nonzero(mask))
    share = area / total
    whole = joined(group)
    is_bar = _is_bar(whole)
    inked = np.count_nonzero(ink.marked[box.slices])
    against = (BAR_LEFT_OUT if is_bar else LEFT_OUT) * math.log(1 / share)
    against += INSIDE * math.log(inked / area)
    spans_one = (box.height == shape[0]) != (box.width == shape[1])
    is_through = not is_alone and (
        (len(group) > 1 and spans_one) or any(_goes_down(part, *shape) for part in group)
    )
    if is_through or _is_along_a_side(box, mask, *shape):
        against += LINE
    is_whole = is_alone and area == np.count_nonzero(ink.marked)
    return Candidate(box, mask, is_whole and ink.is_even, against, GAP * gap / box.longer)


def _goes_down(box: Rectangle, height: int, width: int) -> bool:
    """Return whether ink goes from top to bottom as a line or an edge, and fills no picture."""
    return box.height == height and box.width < FILLING * width


def _is_bar(part: Component) -> bool:
    length, thickness = part.as_bar()
    return length > MIN_BAR_RATIO * thickness


def _is_along_a_side(box: Rectangle, mask: Bools, height: int, width: int) -> bool:
    """Return whether ink runs along one or two sides of the picture, as edges and corners do."""
    if box.height < SIDE_LENGTH * height and box.width < SIDE_LENGTH * width:
        return False
    rows, columns = np.nonzero(mask)
    y, x = rows + box.top + 0.5, columns + box.left + 0.5
    aside = max(abs(2 * y.mean() / height - 1), abs(2 * x.mean() / width - 1))
    away = np.minimum(np.minimum(y, height - y), np.minimum(x, width - x))
    is_near = away < RIM * min(height, width)
    return bool(aside > ASIDE and np.count_nonzero(is_near) > IN_RIM * len(y))


def digits_beside(ink: Ink, chosen: Candidate, rivals: list[Candidate]) -> int:
    """Return how many digits there seem to be, the chosen one among them.

    As many as groups of components, or components that are no bars, have about its height, or as
    rivals lie apart from it and from each other. rivals: what the network takes for digits.
    """
    if chosen.alone:
        return 1
    box, shape = chosen.box, ink.marked.shape
    own = np.zeros(shape, np.bool_)
    own[box.slices] = chosen.mask
    others = [part for part in _largest(connected_components(ink.marked)) if not part.overlaps(own)]
    others = [part for part in others if not part.surrounds(box)]
    if min(shape) >= MIN_PAGE_SIDE:  # else the digits may be cropped to their ink
        others = [part for part in others if not part.is_at_border(*shape)]
    if not others:
        return 1
    near = Neighbours(others, shape)
    reach = max(round(PIECE_GAP / 2 * box.longer / near.step), 1)
    width = stroke_width(own)
    alike = max(
        sum(_is_alike(joined(group), chosen, width) for group in near.within(reach)),
        sum(_is_alike(part, chosen, width) and not _is_bar(part) for part in others),
    )
    apart = [box]
    for rival in sorted(rivals, key=lambda one: -one.box.height):
        is_high = box.height <= LOWER * rival.box.height <= LOWER**2 * box.height
        is_digit = is_high and MIN_BAR_RATIO * rival.box.width > rival.box.height
        if is_digit and all(rival.box.gap(one) >= 0 for one in apart):
            apart.append(rival.box)
    return max(1 + alike, len(apart))


def _is_alike(part: Component, chosen: Candidate, width: float) -> bool:
    """Return whether a part is about as high as a digit and may be written with the same pen.

    width: of the digit's strokes, px.
    """
    height = chosen.box.height
    is_as_high = height <= ALIKE * part.height <= ALIKE**2 * height
    is_as_large = 2 * ALIKE * part.area >= np.count_nonzero(chosen.mask)
    if not (is_as_high and is_as_large and part.width <= LYING * part.height):
        return False
    return stroke_width(part.mask()) <= THICKER * width
