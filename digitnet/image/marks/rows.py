"""Put the components of a page into rows, as they are read."""

from dataclasses import dataclass

import numpy as np

from digitnet.image.ink.parts import Part
from digitnet.image.marks.structure import typical_height

LOW = 0.3  # of the page's typical height: lower components are dots and bars, in no row at first
OVERLAP = 0.5  # of the lower of both: a component and the row that it joins have so much in common
RATIO = 3.0  # times as high as the row, or as low, at most
BAND = 5  # components: the last ones of a row, whose band the next one has to overlap
FULL_HEIGHT = 0.5  # of a row's height: components so high say where its middle is
SMALL_AWAY = 0.75  # row heights: a dot or a bar is no farther from the middle of its row


@dataclass(eq=False)
class TextRow:
    """Components side by side. height: typical, in pixels."""

    parts: list[Part]
    height: float

    def __post_init__(self) -> None:
        high = [part for part in self.parts if part.height >= FULL_HEIGHT * self.height]
        self.y = float(np.mean([(part.top + part.bottom) / 2 for part in high]))
        self.left, self.right = min(p.left for p in high), max(p.right for p in high)


def rows_of(parts: list[Part]) -> list[TextRow]:
    """Return parts in rows from top to bottom, the parts of a row from left to right.

    A part joins the row whose last parts it overlaps most; low parts join the row that they lie
    in, or none.
    """
    least = LOW * typical_height(parts)
    high = [part for part in parts if part.height >= least]
    groups: list[list[Part]] = []
    bands: list[tuple[float, float]] = []
    for part in sorted(high, key=lambda part: part.left + part.right):
        shares = [_overlap(part, band) for band in bands]
        best = max(range(len(groups)), key=shares.__getitem__, default=None)
        if best is None or shares[best] <= OVERLAP:
            groups.append([part])
            bands.append((part.top, part.bottom))
        else:
            groups[best].append(part)
            bands[best] = _band(groups[best][-BAND:])
    rows = [TextRow(group, typical_height(group)) for group in groups]
    for part in parts:
        if part.height < least:
            _put_small(part, rows)
    for row in rows:
        row.parts.sort(key=lambda part: part.left + part.right)
    return sorted(rows, key=lambda row: row.y)


def _overlap(part: Part, band: tuple[float, float]) -> float:
    top, bottom = band
    height = bottom - top
    if not height / RATIO < part.height < height * RATIO:
        return 0.0
    return (min(bottom, part.bottom) - max(top, part.top)) / min(height, part.height)


def _band(parts: list[Part]) -> tuple[float, float]:
    """Return the top and the bottom of parts on average, each counted by its height."""
    total = sum(part.height for part in parts)
    top = sum(part.height * part.top for part in parts) / total
    return top, sum(part.height * part.bottom for part in parts) / total


def _put_small(part: Part, rows: list[TextRow]) -> None:
    """Add a low part to the row that it lies in, if there is one."""
    best, least = None, SMALL_AWAY
    for row in rows:
        if row.left - row.height <= part.left and part.right <= row.right + row.height:
            away = abs((part.top + part.bottom) / 2 - row.y) / row.height
            if away < least:
                best, least = row, away
    if best is not None:
        best.parts.append(part)
