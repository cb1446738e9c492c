"""Lines across the picture go, whatever is written stays."""

import numpy as np
import pytest
from conftest import read_mnist
from kinds import bar, cropped, drawn

from digitnet.image.lines import without_box, without_lines

DIGITS, _ = read_mnist("train", 40)


def ruled(ink: np.ndarray, slope: float, thickness: float, *, down: bool) -> np.ndarray:
    ink = ink.T if down else ink
    for y in (0.2, 0.5, 0.8):
        ink = bar(ink, y * ink.shape[0], slope, thickness, 1)
    return ink.T if down else ink


@pytest.mark.parametrize("down", [False, True])
@pytest.mark.parametrize("slope", [0, 0.02, -0.1, 0.18])
def test_lines_go_and_the_digit_stays(slope: float, down: bool) -> None:
    for digit in DIGITS[:12]:
        ink = np.pad(drawn(digit, 180), ((50, 90), (70, 50)))
        marked = ruled(ink, slope, 4, down=down) > 0.5
        left, written = without_lines(marked), ink > 0.5
        assert np.count_nonzero(left & ~written) < 0.1 * np.count_nonzero(marked & ~written)
        assert np.count_nonzero(left & written) > 0.9 * np.count_nonzero(written)


def test_a_digit_cropped_to_its_ink_stays() -> None:
    for digit in DIGITS:
        for side in (40, 200):
            marked = cropped(drawn(digit, side)) > 0.5
            np.testing.assert_array_equal(without_lines(marked), marked)


def test_broad_bars_aslant_and_what_does_not_go_across_stay() -> None:
    for thickness, long in ((20, 1), (4, 0.7)):
        marked = bar(np.zeros((200, 200)), 100, 0.1, thickness, long) > 0.5
        np.testing.assert_array_equal(without_lines(marked), marked)


def test_nothing_is_added() -> None:
    rng = np.random.default_rng(1)
    for _ in range(50):
        marked = rng.random(rng.integers(60, 100, 2)) < rng.choice([0.1, 0.5, 0.97])
        assert not (without_lines(marked) & ~marked).any()


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_a_box_goes_which_may_be_open_above(missing: int) -> None:
    marked = np.zeros((80, 60), np.bool_)
    sides = [np.s_[:3], np.s_[-3:], np.s_[:, :3], np.s_[:, -3:]]
    for side in sides[missing:]:
        marked[side] = True
    marked[30:77, 20:30] = True
    left = without_box(marked)
    assert left[30:77, 20:30].all()
    assert (left.sum() == 47 * 10) == (missing < 2)


def test_no_digit_is_a_box() -> None:
    for digit in DIGITS:
        marked = cropped(drawn(digit)) > 0.5
        np.testing.assert_array_equal(without_box(marked), marked)
