"""The path found is the cheapest of all paths, which the test enumerates."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitnet.image.evidence import network_costs
from digitnet.image.ink.components import Rectangle
from digitnet.image.segmentation import SKIPPED_INSIDE, Glyph, SegmentationGraph, shape_cost

BOX = Rectangle(0, 20, 0, 12)


def glyph(cost: float) -> Glyph:
    probabilities = np.full(10, 0.1)
    return Glyph(BOX, np.zeros((28, 28), np.uint8), probabilities, 1.0, True, cost)


@given(st.data())
def test_the_path_is_the_cheapest_of_all(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 6))
    skips = data.draw(st.lists(st.floats(0, 5), min_size=n, max_size=n))
    arcs: dict[int, list[tuple[int, Glyph]]] = {}
    for first, end in itertools.combinations(range(n + 1), 2):
        if data.draw(st.booleans()):
            arcs.setdefault(end, []).append((first, glyph(data.draw(st.floats(0, 5)))))
    digits = data.draw(st.none() | st.integers(1, 3))

    def paths(at: int, count: int) -> list[tuple[float, float, int]]:
        """Return all paths from a piece on: cost, cost of skipping the glyphs, their number."""
        if at == n:
            return [(0.0, 0.0, count)]
        inside = digits is not None and 0 < count < digits
        skip = (SKIPPED_INSIDE if inside else 1) * skips[at]
        found = [(cost + skip, saved, total) for cost, saved, total in paths(at + 1, count)]
        for end, glyphs_to_end in arcs.items():
            for first, arc in glyphs_to_end:
                if first == at:
                    skipped = sum(skips[first:end])
                    found += [
                        (cost + arc.cost, saved + skipped, total)
                        for cost, saved, total in paths(end, count + 1)
                    ]
        return found

    possible = [path for path in paths(0, 0) if digits in (None, path[2])]
    best = SegmentationGraph(arcs, skips).best_path(digits)
    if not possible:
        assert best is None
        return
    assert best is not None
    glyphs, cost = best
    least = min(whole for whole, _, _ in possible)
    cheapest = [saved for whole, saved, _ in possible if whole == pytest.approx(least)]
    assert any(cost == pytest.approx(least - saved) for saved in cheapest)
    assert digits in (None, len(glyphs))


def test_a_sure_digit_with_the_height_of_its_row_costs_least() -> None:
    def cost(confidence: float = 0.99, evidence: float = 5.0, height: float = 20) -> float:
        probabilities = np.full(10, (1 - confidence) / 9)
        probabilities[3] = confidence
        (scored,) = network_costs(probabilities[np.newaxis], np.array([evidence]))
        return float(scored) + shape_cost(BOX, 3, height)

    least = cost()
    assert least < 1
    assert least < cost(confidence=0.5)
    assert least < cost(evidence=0.0)
    assert least < cost(height=40) and least < cost(height=8)  # noqa: PT018
    assert math.isfinite(cost(confidence=1e-12, evidence=0.0, height=1e4))
