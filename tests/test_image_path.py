"""The best path is the cheapest: against all of them, counted one by one."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitnet.image.evidence import network_costs
from digitnet.image.ink.components import Rectangle
from digitnet.image.path import INSIDE, Glyph, Path, shape_cost

BOX = Rectangle(0, 20, 0, 12)


def glyph(cost: float) -> Glyph:
    shares = np.full(10, 0.1)
    return Glyph(BOX, np.zeros((28, 28), np.uint8), shares, 1.0, True, cost)


@given(st.data())
def test_it_is_the_cheapest_of_all_ways(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 6))
    skips = data.draw(st.lists(st.floats(0, 5), min_size=n, max_size=n))
    arcs: dict[int, list[tuple[int, Glyph]]] = {}
    for first, end in itertools.combinations(range(n + 1), 2):
        if data.draw(st.booleans()):
            arcs.setdefault(end, []).append((first, glyph(data.draw(st.floats(0, 5)))))
    digits = data.draw(st.none() | st.integers(1, 3))

    def ways(at: int, count: int) -> list[tuple[float, float, int]]:
        """All ways from a piece on: cost, what the digits save, and how many they are."""
        if at == n:
            return [(0.0, 0.0, count)]
        inside = digits is not None and 0 < count < digits
        skip = (INSIDE if inside else 1) * skips[at]
        found = [(cost + skip, saved, total) for cost, saved, total in ways(at + 1, count)]
        for end, some in arcs.items():
            for first, one in some:
                if first == at:
                    own = sum(skips[first:end])
                    found += [
                        (cost + one.cost, saved + own, total)
                        for cost, saved, total in ways(end, count + 1)
                    ]
        return found

    possible = [way for way in ways(0, 0) if digits in (None, way[2])]
    best = Path(arcs, skips).best(digits)
    if not possible:
        assert best is None
        return
    assert best is not None
    glyphs, cost = best
    least = min(whole for whole, _, _ in possible)
    cheapest = [saved for whole, saved, _ in possible if whole == pytest.approx(least)]
    assert any(cost == pytest.approx(least - saved) for saved in cheapest)
    assert digits in (None, len(glyphs))


def test_a_sure_digit_of_the_rows_height_is_the_cheapest() -> None:
    def cost(confidence: float = 0.99, evidence: float = 5.0, height: float = 20) -> float:
        shares = np.full(10, (1 - confidence) / 9)
        shares[3] = confidence
        (judged,) = network_costs(shares[np.newaxis], np.array([evidence]))
        return float(judged) + shape_cost(BOX, 3, height)

    least = cost()
    assert least < 1
    assert least < cost(confidence=0.5)
    assert least < cost(evidence=0.0)
    assert least < cost(height=40) and least < cost(height=8)  # noqa: PT018
    assert math.isfinite(cost(confidence=1e-12, evidence=0.0, height=1e4))
