"""A shadow is told from faint ink by how broad it is and where it comes from."""

import numpy as np
import pytest

from digitnet.image.shadow import shadow_in

SIDE = 200
STROKE = (slice(40, 160), slice(98, 102))
WITHIN = (slice(80, 130), slice(90, 150))
FROM_BELOW = (slice(100, 200), slice(80, 120))


def picture(
    shade: float, at: tuple[slice, slice], stroke: tuple[slice, slice] = STROKE
) -> np.ndarray:
    """How strong ink seems to be: a shade, and a stroke of 0.9 on it."""
    strength = np.zeros((SIDE, SIDE), np.float32)
    strength[at] = shade
    strength[stroke] = 0.9
    return strength


def is_found(strength: np.ndarray, *, dark: bool = True, known: bool = False) -> bool:
    return shadow_in(strength, strength > 0, dark, known=known) is not None


@pytest.mark.parametrize("at", [WITHIN, FROM_BELOW])
def test_a_shadow_is_broad_and_fainter_than_strokes(at: tuple[slice, slice]) -> None:
    strength = picture(0.4, at)
    shadow = shadow_in(strength, strength > 0, True, known=False)
    assert shadow is not None
    assert (shadow == (strength == np.float32(0.4))).all()


def test_its_soft_edge_is_part_of_it() -> None:
    strength = picture(0.2, (slice(60, 140), slice(70, 150)))
    strength[70:130, 80:140] = 0.5
    strength[STROKE] = 0.9
    shadow = shadow_in(strength, strength > 0, True, known=False)
    assert shadow is not None
    assert (shadow == ((strength > 0) & (strength < 0.9))).all()


def test_ink_that_is_hardly_darker_is_no_other() -> None:
    assert not is_found(picture(0.7, WITHIN))


def test_light_that_comes_from_nowhere_is_no_shadow() -> None:
    assert not is_found(picture(0.4, WITHIN), dark=False)
    assert is_found(picture(0.4, FROM_BELOW), dark=False)


def test_what_comes_from_all_sides_is_a_digit_cropped_to_its_ink() -> None:
    cross = picture(0.4, (slice(0, 200), slice(80, 120)))
    cross[80:120][cross[80:120] == 0] = 0.4
    assert not is_found(cross)


def test_less_broad_is_enough_where_it_comes_from_outside_and_where_there_is_known_to_be_one() -> (
    None
):
    narrow = (slice(90, 110), slice(80, 120))
    assert not is_found(picture(0.4, narrow, (slice(40, 90), slice(98, 102))))
    narrow = (slice(100, 200), slice(102, 117))
    assert is_found(picture(0.4, narrow))
    narrower = (slice(100, 200), slice(102, 112))
    assert not is_found(picture(0.4, narrower))
    assert is_found(picture(0.4, narrower), known=True)


def test_dots_on_it_are_where_a_pen_rested() -> None:
    assert not is_found(picture(0.4, WITHIN, (slice(100, 110), slice(115, 125))))


def test_what_is_left_of_a_known_shadow_is_one_but_for_the_edge_of_strokes() -> None:
    strength = picture(0.4, (slice(0, 8), slice(0, 8)))
    assert not is_found(strength)
    assert is_found(strength, known=True)
    assert not is_found(picture(0.4, (slice(38, 162), slice(96, 104))), known=True)
