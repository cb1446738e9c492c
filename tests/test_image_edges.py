"""What is an edge, and no ink."""

import numpy as np
import pytest

from digitnet.image.edges import without_edges
from digitnet.image.ink import Ink

PAPER, DESK, PEN = 0.9, 0.2, 0.3
STROKE = slice(20, 60), slice(30, 36)
CORNER = slice(40, 56), slice(90, 98)


def marked(*places: tuple[slice, slice]) -> np.ndarray:
    mask = np.zeros((100, 120), np.bool_)
    for place in places:
        mask[place] = True
    return mask


def page() -> np.ndarray:
    """Paper, with a desk to the right of it and a stroke on it."""
    light = np.full((100, 120), PAPER, np.float32)
    light[:, 98:] = DESK
    light[STROKE] = light[CORNER] = PEN
    return light


def ink(mask: np.ndarray, *, dark: bool = True) -> Ink:
    return Ink(mask.astype(np.float32), mask.copy(), mask, dark, 0.2)


@pytest.mark.parametrize("dark", [True, False])
def test_what_lies_beside_something_as_dark_is_an_edge(dark: bool) -> None:
    light = page() if dark else 1.1 - page()
    found = without_edges(ink(marked(STROKE, CORNER), dark=dark), light)
    assert np.array_equal(found.marked, marked(STROKE))
    assert np.array_equal(found.sure, marked(STROKE))


def test_a_stroke_is_none_where_light_falls_off() -> None:
    light = page() * np.linspace(1, 0.5, 120, dtype=np.float32)
    faint = light.copy()
    faint[:, 98:] = faint[:, 97:98]
    faint[STROKE] = light[20:60, 29:30] * 0.95
    faint[CORNER] = light[40:56, 89:90] * 0.95
    whole = ink(marked(STROKE, CORNER))
    assert without_edges(whole, faint) is whole


def test_where_all_are_edges_they_stay() -> None:
    other = slice(70, 86), slice(90, 98)
    light = page()
    light[other] = PEN
    whole = ink(marked(CORNER, other))
    assert without_edges(whole, light) is whole


def test_what_is_alone_or_large_or_on_even_paper_stays() -> None:
    alone = ink(marked(CORNER))
    assert without_edges(alone, page()) is alone
    large = ink(marked(STROKE, (slice(10, 90), slice(90, 98))))
    assert without_edges(large, page()) is large
    mask = marked(STROKE, CORNER)
    even = Ink(mask.astype(np.float32), mask, mask, True, 0.2)
    assert without_edges(even, page()) is even
