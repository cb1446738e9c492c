"""Put the components of a page into rows, in reading order."""

from dataclasses import dataclass

import numpy as np

from digitnet.image.ink.components import Component
from digitnet.image.marks.structure import typical_height

MIN_HEIGHT = 0.3  # typical heights of the page: lower components are dots and bars, placed last
MIN_OVERLAP = 0.5  # of the lower of both: overlap of a component and the row that it joins
MAX_HEIGHT_RATIO = 3.0  # between a component and the row that it joins
BAND_LENGTH = 5  # components: the last ones of a row, whose band the next one must overlap
FULL_HEIGHT = 0.5  # row heights: only components at least so high give the position of the row
MAX_SMALL_DISTANCE = 0.75  # row heights: from a dot or bar to the middle of its row


@dataclass(eq=False)
class TextRow:
    """Components side by side.

    height: typical height. y: mean middle of the high components; left, right: their ends. All in
    px of the page.
    """

    components: list[Component]
    height: float

    def __post_init__(self) -> None:
        high = [one for one in self.components if one.height >= FULL_HEIGHT * self.height]
        self.y = float(np.mean([(one.top + one.bottom) / 2 for one in high]))
        self.left, self.right = min(one.left for one in high), max(one.right for one in high)


def rows_of(components: list[Component]) -> list[TextRow]:
    """Return the rows from top to bottom, the components of each row from left to right.

    A component joins the row whose last components it overlaps most. Low components join the row
    that they lie in, or none.
    """
    least = MIN_HEIGHT * typical_height(components)
    high = [component for component in components if component.height >= least]
    groups: list[list[Component]] = []
    bands: list[tuple[float, float]] = []
    for component in sorted(high, key=lambda one: one.left + one.right):
        shares = [_overlap(component, band) for band in bands]
        best = max(range(len(groups)), key=shares.__getitem__, default=None)
        if best is None or shares[best] <= MIN_OVERLAP:
            groups.append([component])
            bands.append((component.top, component.bottom))
        else:
            groups[best].append(component)
            bands[best] = _band(groups[best][-BAND_LENGTH:])
    rows = [TextRow(group, typical_height(group)) for group in groups]
    for component in components:
        if component.height < least:
            _add_low_component(component, rows)
    for row in rows:
        row.components.sort(key=lambda one: one.left + one.right)
    return sorted(rows, key=lambda row: row.y)


def _overlap(component: Component, band: tuple[float, float]) -> float:
    """Return the vertical overlap as a fraction of the lower height; 0 for unlike heights."""
    top, bottom = band
    height = bottom - top
    if not height / MAX_HEIGHT_RATIO < component.height < height * MAX_HEIGHT_RATIO:
        return 0.0
    common = min(bottom, component.bottom) - max(top, component.top)
    return common / min(height, component.height)


def _band(components: list[Component]) -> tuple[float, float]:
    """Return the mean top and the mean bottom of components, weighted by their heights."""
    total = sum(one.height for one in components)
    top = sum(one.height * one.top for one in components) / total
    return top, sum(one.height * one.bottom for one in components) / total


def _add_low_component(component: Component, rows: list[TextRow]) -> None:
    """Add a low component to the row that it lies in, if there is one."""
    best, least = None, MAX_SMALL_DISTANCE
    for row in rows:
        if row.left - row.height <= component.left and component.right <= row.right + row.height:
            distance = abs((component.top + component.bottom) / 2 - row.y) / row.height
            if distance < least:
                best, least = row, distance
    if best is not None:
        best.components.append(component)
