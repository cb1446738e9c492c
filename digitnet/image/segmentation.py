"""Choose the digits of a row: the cheapest path through its segmentation graph.

Each candidate has a cost in nats, and so has each piece that is skipped because it belongs to no
chosen candidate. Dynamic programming finds the cheapest path from left to right (Viterbi; LeCun,
Bottou, Bengio and Haffner 1998, section IV). A given number of digits adds a dimension.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitnet.image.candidates import Piece
from digitnet.image.ink.components import Rectangle

HEIGHT_DEVIATION = 0.35  # standard deviation of log(height of a digit / height of its row)
WIDER_DEVIATION = 0.29  # standard deviation of log(width / height) above the digit's median
NARROWER_DEVIATION = 0.6  # the same below the median
SKIPPED_INK_COST = 4.0  # nats: for skipping as much ink as a digit has
SKIPPED_HEIGHT_COST = 0.7  # times SKIPPED_INK_COST: per row height above FREE_HEIGHT
SKIPPED_INSIDE = 3  # times as expensive: a piece skipped between the digits of a number
FREE_HEIGHT = 0.3  # row heights: up to this, a skipped piece costs nothing for its height
# Median log(width / height) of the digits 0 to 9 in MNIST and in fonts.
MEDIAN_LOG_ASPECTS = (-0.2, -0.8, -0.17, -0.29, -0.26, -0.15, -0.36, -0.29, -0.29, -0.4)


@dataclass(frozen=True, eq=False)
class Glyph:
    """A candidate that the network has scored.

    box: in the picture that was looked at. image: uint8 (28, 28). probabilities: (10,).
    evidence: nats. sure: whether the model's thresholds for `?` are met. cost: nats.
    """

    box: Rectangle
    image: NDArray[np.uint8]
    probabilities: NDArray[np.float64]
    evidence: float
    sure: bool
    cost: float


def shape_cost(box: Rectangle, digit: int, height: float) -> float:
    """Return the cost of a bounding box with an unusual height or width for that digit, nats.

    height: of the row, px.
    """
    cost = (math.log(box.height / height) / HEIGHT_DEVIATION) ** 2 / 2
    wider = math.log(box.width / box.height) - MEDIAN_LOG_ASPECTS[digit]
    if wider > 0 or digit != 1:
        cost += (wider / (WIDER_DEVIATION if wider > 0 else NARROWER_DEVIATION)) ** 2 / 2
    return cost


def skip_cost(piece: Piece, height: float, digit_ink: float) -> float:
    """Return the cost of skipping a piece, nats: low for dots and dashes.

    height: of the row, px. digit_ink: area of the ink of a usual digit, px.
    """
    excess = max(piece.height / height - FREE_HEIGHT, 0)
    return SKIPPED_INK_COST * (piece.area / digit_ink + SKIPPED_HEIGHT_COST * excess)


class SegmentationGraph:
    """The pieces of a row, from left to right, and the candidates that they may form.

    arcs: for each end, the first piece and the glyph of each candidate that ends before it.
    skips: the cost of skipping each piece, nats.
    """

    def __init__(self, arcs: dict[int, list[tuple[int, Glyph]]], skips: list[float]) -> None:
        self.arcs, self.skips = arcs, skips

    def between(self, first: int, end: int) -> "SegmentationGraph":
        """Return the graph of the pieces `first` to `end` - 1."""
        arcs = {
            stop - first: [(start - first, glyph) for start, glyph in glyphs if start >= first]
            for stop, glyphs in self.arcs.items()
            if first < stop <= end
        }
        return SegmentationGraph(arcs, self.skips[first:end])

    def best_path(self, digits: int | None) -> tuple[list[Glyph], float] | None:
        """Return the glyphs on the cheapest path, and its cost less that of skipping their pieces.

        digits: the number of glyphs on the path, or None for any number. None if there is no path.
        """
        most = 0 if digits is None else digits
        costs = [[math.inf] * (most + 1) for _ in range(len(self.skips) + 1)]
        back: list[list[tuple[int, Glyph | None]]] = [[(0, None)] * (most + 1) for _ in costs]
        costs[0][0] = 0.0
        for end, skip in enumerate(self.skips, 1):
            for count in range(most + 1):
                factor = SKIPPED_INSIDE if 0 < count < most else 1
                costs[end][count] = costs[end - 1][count] + factor * skip
                back[end][count] = end - 1, None
            for first, glyph in self.arcs.get(end, []):
                for count in range(most + 1):
                    before = count if digits is None else count - 1
                    if before < 0:
                        continue
                    cost = costs[first][before] + glyph.cost
                    if cost < costs[end][count]:
                        costs[end][count], back[end][count] = cost, (first, glyph)
        if costs[-1][most] == math.inf:
            return None
        glyphs: list[Glyph] = []
        end, count, cost = len(self.skips), most, costs[-1][most]
        while end:
            first, chosen = back[end][count]
            if chosen is not None:
                glyphs.append(chosen)
                cost -= sum(self.skips[first:end])
                count -= digits is not None
            end = first
        return glyphs[::-1], cost
