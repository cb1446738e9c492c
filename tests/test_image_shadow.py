"""A shadow is told from faint ink by how broad it is and where it comes from."""

import numpy as np
import pytest

from digitnet.image.shadow import shadow_in

HEIGHT, WIDTH = 200, 100
Box = tuple[slice, slice]
STROKE = (slice(40, 160), slice(48, 52))


def box(top: int, left: int, height: int, width: int) -> Box:
    return slice(top, top + height), slice(left, left + width)


def picture(shade: float, at: Box, stroke: Box = STROKE) -> np.ndarray:
    """How strong ink seems to be: a shade, and a stroke of 0.9 on it."""
    strength = np.zeros((HEIGHT, WIDTH), np.float32)
    strength[at] = shade
    strength[stroke] = 0.9
    return strength


def shadow(strength: np.ndarray, *, dark: bool = True, known: bool = False) -> np.ndarray:
    return shadow_in(strength, strength > 0, dark, known=known)


def is_found(strength: np.ndarray, *, dark: bool = True, known: bool = False) -> bool:
    return bool(shadow(strength, dark=dark, known=known).any())


@pytest.mark.parametrize("at", [box(80, 52, 50, 40), box(120, 52, 80, 40)])
def test_it_is_all_that_is_fainter(at: Box) -> None:
    strength = picture(0.4, at)
    assert (shadow(strength) == (strength == np.float32(0.4))).all()


def test_its_soft_edge_is_part_of_it() -> None:
    strength = picture(0.2, box(60, 52, 80, 44))
    strength[box(70, 56, 60, 36)] = 0.5
    assert (shadow(strength) == ((strength > 0) & (strength < 0.9))).all()


def test_ink_is_at_least_so_much_darker() -> None:
    assert is_found(picture(0.6, box(80, 52, 50, 40)))
    assert not is_found(picture(0.7, box(80, 52, 50, 40)))


@pytest.mark.parametrize(
    ("narrower", "broad_enough", "stroke"),
    [
        (box(80, 52, 26, 40), box(80, 52, 29, 40), STROKE),  # within the picture
        (box(150, 52, 50, 12), box(150, 52, 50, 13), STROKE),  # from below
        (box(150, 52, 50, 20), box(150, 52, 50, 21), box(0, 48, 160, 4)),  # the stroke from above
        (box(150, 52, 50, 20), box(150, 52, 50, 21), box(40, 36, 120, 12)),  # a broad stroke
    ],
)
def test_it_is_so_broad_at_least(narrower: Box, broad_enough: Box, stroke: Box) -> None:
    assert not is_found(picture(0.4, narrower, stroke))
    assert is_found(picture(0.4, broad_enough, stroke))


def test_light_that_comes_from_nowhere_is_no_shadow() -> None:
    assert not is_found(picture(0.4, box(80, 52, 50, 40)), dark=False)
    assert is_found(picture(0.4, box(120, 52, 80, 40)), dark=False)


def test_what_comes_from_all_sides_is_a_digit_cropped_to_its_ink() -> None:
    strength = picture(0.4, box(0, 40, 200, 40), box(0, 48, 200, 4))
    assert is_found(strength)
    strength[box(80, 0, 40, 100)] = 0.4
    strength[box(0, 48, 200, 4)] = 0.9
    assert not is_found(strength)


def test_what_goes_from_side_to_side_may_be_as_narrow_as_half_a_stroke() -> None:
    stroke = box(60, 30, 80, 8)
    assert is_found(picture(0.4, box(0, 60, 200, 5), stroke))
    assert not is_found(picture(0.4, box(0, 60, 200, 3), stroke))
    assert not is_found(picture(0.4, box(20, 60, 180, 5), stroke))  # from below alone
    assert not is_found(picture(0.4, box(0, 60, 200, 5), box(60, 0, 80, 8)))  # the stroke, too
    assert not is_found(picture(0.4, box(0, 28, 200, 12), box(4, 30, 192, 8)))  # its soft edge


def test_what_was_written_on_a_digit_that_fills_the_picture_is_no_digit() -> None:
    bar, stroke = box(0, 40, 200, 11), box(60, 44, 40, 3)
    assert not is_found(picture(0.4, bar, stroke))
    strength = picture(0.4, bar, stroke)
    strength[box(60, 44, 3, 40)] = 0.9  # also beside it
    assert is_found(strength)
    dots = picture(0.4, bar, box(60, 44, 6, 6))
    dots[box(100, 70, 6, 6)] = 0.9
    assert not is_found(dots)


def test_strokes_that_were_made_darker_in_part_are_no_shadow() -> None:
    """An L of bold strokes, a stroke of another pen along its foot."""
    strength = np.zeros((200, 200), np.float32)
    strength[20:180, 20:50] = strength[150:180, 20:180] = 0.4
    strength[163:167, 30:170] = 0.9
    assert not is_found(strength)
    strength[60:180, 20:140] = 0.4
    strength[163:167, 30:170] = 0.9
    assert is_found(strength)


def test_dots_on_it_are_where_a_pen_rested() -> None:
    at = box(60, 10, 80, 80)
    assert not is_found(picture(0.4, at, box(90, 40, 4, 14)))
    assert is_found(picture(0.4, at, box(90, 40, 4, 40)))


def test_what_is_left_of_a_known_shadow_is_one_but_for_the_edge_of_strokes() -> None:
    strength = picture(0.4, box(0, 0, 8, 8))
    assert not is_found(strength)
    assert (shadow(strength, known=True) == (strength == np.float32(0.4))).all()
    assert not is_found(picture(0.4, box(37, 45, 126, 10)), known=True)
    assert not is_found(picture(0.7, box(0, 0, 8, 8)), known=True)


def test_a_broad_shadow_and_what_is_left_of_another_are_both_found() -> None:
    strength = picture(0.2, box(60, 52, 80, 44))
    strength[box(0, 0, 8, 8)] = 0.5
    assert is_found(strength)
    assert (shadow(strength, known=True) == ((strength > 0) & (strength < 0.9))).all()
