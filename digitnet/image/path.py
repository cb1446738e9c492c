"""The best path along a row: which candidates its digits are, and what is left out.

Every candidate has a cost in nats, and so has ink that is in none: the cheapest way from the left
to the right is found by dynamic programming (Viterbi; LeCun, Bottou, Bengio and Haffner 1998,
section IV). With a given number of digits, that number is a further dimension.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitnet.image.candidates import Piece
from digitnet.image.ink.components import Rectangle

HEIGHT = 0.35  # standard deviation of log height over the row's
WIDER, NARROWER = 0.29, 0.6  # the same of log width / height, over the digit's own
LEFT_OUT, LEFT_OUT_HEIGHT = 4.0, 0.7  # nats of a digit's ink left out; of height above LOW
INSIDE = 3  # times as dear is ink that is left out between the digits of a number
LOW = 0.3  # row heights
# Medians of log(width / height) of MNIST's and fonts' digits, 0 to 9.
SHAPES = (-0.2, -0.8, -0.17, -0.29, -0.26, -0.15, -0.36, -0.29, -0.29, -0.4)


@dataclass(frozen=True, eq=False)
class Glyph:
    """A candidate that the network has judged.

    box: in the picture that was looked at. probabilities: (10,). evidence: nats. sure: whether the
    model answers it, not `?`. cost: nats.
    """

    box: Rectangle
    image: NDArray[np.uint8]
    probabilities: NDArray[np.float64]
    evidence: float
    sure: bool
    cost: float


def shape_cost(box: Rectangle, digit: int, height: float) -> float:
    """Return what the height and the width of a box with ink say against that digit.

    height: of the row.
    """
    cost = (math.log(box.height / height) / HEIGHT) ** 2 / 2
    wider = math.log(box.width / box.height) - SHAPES[digit]
    if wider > 0 or digit != 1:
        cost += (wider / (WIDER if wider > 0 else NARROWER)) ** 2 / 2
    return cost


def left_out(piece: Piece, height: float, digit_ink: float) -> float:
    """Return what it costs to leave a piece out: dots and dashes little. digit_ink: area, px."""
    high = max(piece.height / height - LOW, 0)
    return LEFT_OUT * (piece.area / digit_ink + LEFT_OUT_HEIGHT * high)


class Path:
    """The cheapest way along a row of pieces.

    arcs: for each end, the first piece and the glyph of each candidate that ends before it.
    skips: what it costs to leave out each piece.
    """

    def __init__(self, arcs: dict[int, list[tuple[int, Glyph]]], skips: list[float]) -> None:
        self.arcs, self.skips = arcs, skips

    def between(self, first: int, end: int) -> "Path":
        """Return the ways along the pieces `first` to before `end`."""
        arcs = {
            stop - first: [(start - first, glyph) for start, glyph in some if start >= first]
            for stop, some in self.arcs.items()
            if first < stop <= end
        }
        return Path(arcs, self.skips[first:end])

    def best(self, digits: int | None) -> tuple[list[Glyph], float] | None:
        """Return the glyphs of so many digits, or of any number of them; None if there is no way.

        Also the cost of the way, less what leaving out the glyphs' ink would have cost.
        """
        most = 0 if digits is None else digits
        costs = [[math.inf] * (most + 1) for _ in range(len(self.skips) + 1)]
        back: list[list[tuple[int, Glyph | None]]] = [[(0, None)] * (most + 1) for _ in costs]
        costs[0][0] = 0.0
        for end, skip in enumerate(self.skips, 1):
            for count in range(most + 1):
                within = INSIDE if 0 < count < most else 1
                costs[end][count] = costs[end - 1][count] + within * skip
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
