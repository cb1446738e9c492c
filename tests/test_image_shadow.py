"""A shadow is distinguished from faint ink by its breadth."""

import numpy as np
import pytest

from digitnet.image.ink.shadow import find_shadow

HEIGHT, WIDTH = 200, 100
Box = tuple[slice, slice]
STROKE = (slice(40, 160), slice(48, 52))


def box(top: int, left: int, height: int, width: int) -> Box:
    return slice(top, top + height), slice(left, left + width)


def picture(shade: float, at: Box, stroke: Box = STROKE) -> np.ndarray:
    """Return the strength of ink (h, w): `shade` in the box `at`, and a stroke of 0.9."""
    strength = np.zeros((HEIGHT, WIDTH), np.float32)
    strength[at] = shade
    strength[stroke] = 0.9
    return strength


def shadow(strength: np.ndarray, *, dark: bool = True, known: bool = False) -> np.ndarray:
    return find_shadow(strength, strength > 0, dark, known=known)


def is_found(strength: np.ndarray, *, dark: bool = True, known: bool = False) -> bool:
    return bool(shadow(strength, dark=dark, known=known).any())


@pytest.mark.parametrize("at", [box(80, 52, 50, 40), box(120, 52, 80, 40)])
def test_all_fainter_ink_is_the_shadow(at: Box) -> None:
    strength = picture(0.4, at)
    assert (shadow(strength) == (strength == np.float32(0.4))).all()


def test_ink_is_much_darker_than_its_shadow() -> None:
    assert is_found(picture(0.6, box(80, 52, 50, 40)))
    assert not is_found(picture(0.7, box(80, 52, 50, 40)))


@pytest.mark.parametrize(
    ("too_narrow", "broad_enough", "stroke"),
    [
        (box(80, 52, 26, 16), box(80, 52, 29, 17), STROKE),
        (box(150, 52, 50, 16), box(150, 52, 50, 17), STROKE),  # at the lower side
        (box(150, 52, 50, 20), box(150, 52, 50, 21), box(40, 36, 120, 12)),  # a broad stroke
    ],
)
def test_a_shadow_is_much_broader_than_the_strokes(
    too_narrow: Box, broad_enough: Box, stroke: Box
) -> None:
    assert not is_found(picture(0.4, too_narrow, stroke))
    assert is_found(picture(0.4, broad_enough, stroke))


def test_light_that_touches_no_side_is_no_shadow() -> None:
    assert not is_found(picture(0.4, box(80, 52, 50, 40)), dark=False)
    assert is_found(picture(0.4, box(120, 52, 80, 40)), dark=False)


def test_faint_ink_with_a_dark_dot_is_no_shadow() -> None:
    at = box(60, 10, 80, 80)
    assert not is_found(picture(0.4, at, box(90, 40, 4, 14)))
    assert is_found(picture(0.4, at, box(90, 40, 4, 40)))


def test_the_rest_of_a_known_shadow_may_be_small() -> None:
    strength = picture(0.4, box(60, 60, 11, 11))
    assert not is_found(strength)
    assert (shadow(strength, known=True) == (strength == np.float32(0.4))).all()
    assert not is_found(picture(0.7, box(60, 60, 11, 11)), known=True)
