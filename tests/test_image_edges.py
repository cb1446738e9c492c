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


@pytest.mark.parametrize("rows", [slice(0, 16), slice(84, 100)])
@pytest.mark.parametrize("flipped", [False, True])
def test_an_edge_may_be_at_the_border_of_the_picture(rows: slice, flipped: bool) -> None:
    corner = rows, CORNER[1]
    light = page()
    light[CORNER], light[corner] = PAPER, PEN
    flip = slice(None, None, -1 if flipped else 1)
    found = without_edges(ink(marked(STROKE, corner)[:, flip]), light[:, flip])
    assert np.array_equal(found.marked, marked(STROKE)[:, flip])


def test_what_is_close_to_other_ink_is_none() -> None:
    """The ink beside it does not count, nor its own soft edge; all may be covered."""
    close = slice(20, 60), slice(37, 42)
    light = page()
    light[close] = PEN
    light[19:61, 29] = light[19:61, 42] = (PEN + PAPER) / 2
    whole = ink(marked(STROKE, close))
    assert without_edges(whole, light) is whole
    ring = marked((slice(70, 90), slice(20, 60)))
    ring[77:83, 28:52] = False
    light[70:90, 20:60] = PEN
    inner = slice(79, 81), slice(32, 48)
    covered = ink(ring | marked(inner, STROKE))
    assert without_edges(covered, light).marked[inner].any()


def test_what_is_large_or_on_even_paper_or_in_a_little_picture_stays() -> None:
    large = ink(marked(STROKE, (slice(10, 90), slice(90, 98))))
    assert without_edges(large, page()) is large
    mask = marked(STROKE, CORNER)
    even = Ink(mask.astype(np.float32), mask, mask, True, 0.2)
    assert without_edges(even, page()) is even
    little = ink(marked(STROKE, CORNER)[10:64, 70:])
    little.marked[:20, :6] = little.sure[:20, :6] = True
    assert without_edges(little, page()[10:64, 70:]) is little
