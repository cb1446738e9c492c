"""Frames, lines and edges of the page are removed; digits stay, even where they touch them."""

import numpy as np
import pytest
from conftest import read_mnist

from digitnet.image.ink.components import Component, mask_of
from digitnet.image.ink.ink import Ink
from digitnet.image.marks.structure import typical_height, written_components

IMAGES, LABELS = read_mnist("t10k", 200)
SCALE = 3
EIGHT = np.kron(IMAGES[np.flatnonzero(LABELS == 8)[0]] > 100, np.ones((SCALE, SCALE), bool))
H, W = EIGHT.shape


def canvas(height: int = 300, width: int = 400) -> np.ndarray:
    """Return the mask of a page with two eights."""
    marked = np.zeros((height, width), bool)
    for left in (100, 200):
        marked[100 : 100 + H, left : left + W] |= EIGHT
    return marked


def components_in(marked: np.ndarray) -> list[Component]:
    return written_components(
        Ink(marked.astype(np.float32), marked, marked, True, 0.2, is_even=True)
    )


def left_of(marked: np.ndarray) -> np.ndarray:
    return mask_of(components_in(marked), marked.shape)


def test_digits_alone_stay_unchanged() -> None:
    marked = canvas()
    assert (left_of(marked) == marked).all()


@pytest.mark.parametrize("thick", [1, 3, 6])
def test_a_frame_is_removed(thick: int) -> None:
    marked = canvas()
    frame = np.zeros_like(marked)
    frame[20:280, 30:370] = True
    frame[20 + thick : 280 - thick, 30 + thick : 370 - thick] = False
    assert (left_of(marked | frame) == marked).all()


@pytest.mark.parametrize("rise", [0, 3])
def test_a_line_that_digits_touch_is_removed_and_the_digits_stay(rise: int) -> None:
    marked = canvas()
    bottom = np.flatnonzero(marked.any(axis=1))[-1]
    line = np.zeros_like(marked)
    for x in range(20, 380):
        y = bottom + round(rise * (x - 200) / 400)
        line[y : y + 2, x] = True
    left = left_of(marked | line)
    beside = ~marked.any(axis=0)
    assert not left[:, beside].any()
    above = slice(0, bottom - 4)
    assert (left[above] != marked[above]).sum() < 0.02 * marked.sum()


def test_the_dark_edge_of_a_page_is_removed() -> None:
    marked = canvas()
    edge = np.zeros_like(marked)
    edge[:, :40] = True
    assert (left_of(marked | edge) == marked).all()


def test_specks_are_removed() -> None:
    marked = canvas()
    specks = marked.copy()
    specks[10:12, 10:12] = True
    assert (left_of(specks) == marked).all()


def test_an_empty_mask_has_no_components() -> None:
    assert components_in(np.zeros((100, 100), bool)) == []


def test_specks_do_not_change_the_typical_height() -> None:
    marked = canvas()
    marked[10:300:20, 350:354] = True
    heights = [component.height for component in components_in(marked)]
    assert typical_height(components_in(marked)) == max(heights)
