"""Printed lines are found below writing, and nothing else is taken for lines."""

import numpy as np
import pytest
from conftest import read_mnist
from kinds import cropped, drawn

from digitnet.image.ink.paper import find_ink
from digitnet.image.ink.ruling import ruling_strength

DIGITS, _ = read_mnist("train", 12)


def page_of(digit: np.ndarray) -> np.ndarray:
    """Return the strength of ink of a digit on a page, (300, 300), float32."""
    return np.pad(drawn(digit, 130), ((80, 90), (70, 100))).astype(np.float32)


def lines(degrees: float, *, squares: bool, width: float = 3) -> np.ndarray:
    """Return the mask of slanted lines or squares, (300, 300). width: of a line, px."""
    y, x = np.mgrid[:300, :300]
    angle = np.radians(degrees)
    across, down = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    return (down % 50 < width) | (squares & (across % 50 < width))


def found(strength: np.ndarray) -> float | None:
    return ruling_strength(strength, strength >= 0.2)


@pytest.mark.parametrize("squares", [True, False])
@pytest.mark.parametrize("degrees", [0, 1, -4, 9])
@pytest.mark.parametrize("level", [0.25, 0.5, 0.7])
def test_the_strength_of_lines_is_measured(level: float, degrees: float, squares: bool) -> None:
    rng = np.random.default_rng(1)
    ruled = level * lines(degrees, squares=squares) + rng.normal(0, 0.01, (300, 300))
    for digit in DIGITS:
        strength = np.maximum(page_of(digit), ruled).astype(np.float32)
        assert found(strength) == pytest.approx(level, abs=0.05)


@pytest.mark.parametrize("level", [0.6, 0.75])
def test_fine_lines_with_fainter_edges_are_found(level: float) -> None:
    """Edges of slanted lines are fainter than the lines, the lines fainter than the digit."""
    for digit in DIGITS:
        ruled = level * (lines(4, squares=True, width=1.5) * 0.5 + lines(4, squares=True) * 0.5)
        strength = np.maximum(page_of(digit), ruled).astype(np.float32)
        measured = found(strength)
        assert measured is not None
        assert level - 0.01 <= measured <= level + 0.05


def test_the_threshold_returned_is_the_threshold_used() -> None:
    printed = 0.45 * lines(4, squares=True)
    strength = np.maximum(page_of(DIGITS[0]), printed).astype(np.float32)
    ink = find_ink(1 - strength)
    assert ink is not None
    assert strength[ink.marked].min() >= ink.threshold - 1e-6
    assert strength[~ink.marked].max() < ink.threshold


def test_a_line_along_the_border_is_a_line() -> None:
    """The page is cut along the lines of printed squares."""
    printed = 0.5 * lines(0, squares=True)[50:253, 50:253]
    for digit in DIGITS:
        ink = np.pad(drawn(digit, 130), ((30, 43), (40, 33)))
        assert found(np.maximum(ink, printed).astype(np.float32)) == pytest.approx(0.5, abs=0.05)


def test_a_cropped_digit_that_fades_out_rarely_has_lines() -> None:
    rows, columns = np.mgrid[-1:1:130j, -1:1:130j]
    fading = 0.4 + 0.6 * np.exp(-(rows**2 + columns**2) / 0.4)
    digits, _ = read_mnist("train", 100)
    found_in = [
        found(cropped(drawn(digit, 130) * fading).astype(np.float32)) is not None
        for digit in digits
    ]
    assert np.mean(found_in) < 0.1


def test_a_digit_alone_has_no_lines() -> None:
    for digit in DIGITS:
        for ink in (page_of(digit), cropped(drawn(digit, 130)).astype(np.float32)):
            for strength in (ink, 0.5 * ink):
                assert found(strength) is None


def test_a_grey_digit_with_a_dark_dot_has_no_lines() -> None:
    for digit in DIGITS:
        strength = 0.5 * cropped(drawn(digit, 130)).astype(np.float32)
        y, x = (length // 2 for length in strength.shape)
        strength[y - 6 : y + 6, x - 6 : x + 6] = 1
        assert found(strength) is None


def test_dark_lines_wide_lines_and_lines_without_writing_are_not_found() -> None:
    squares = lines(3, squares=True)
    assert found(np.maximum(page_of(DIGITS[0]), squares).astype(np.float32)) is None
    wide = lines(3, squares=True, width=25)
    assert found(np.maximum(page_of(DIGITS[0]), 0.5 * wide).astype(np.float32)) is None
    assert found(0.5 * squares.astype(np.float32)) is None


def test_a_small_picture_has_no_lines() -> None:
    small = np.maximum(page_of(DIGITS[0]), 0.5 * lines(0, squares=True))[::6, ::6]
    assert found(small.astype(np.float32)) is None


def test_lines_are_never_the_darkest_ink() -> None:
    """Blocks of any strength lie on ruled paper, which is found beneath some of them."""
    ruled = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        printed = lines(rng.uniform(-9, 9), squares=bool(seed % 2)) * rng.uniform(0.2, 0.6)
        strength = printed + rng.normal(0, rng.choice([1e-8, 0.01]), printed.shape)
        for _ in range(rng.integers(1, 4)):
            y, x, height, width = rng.integers((20, 20, 5, 5), (200, 200, 80, 80))
            strength[y : y + height, x : x + width] = rng.uniform(0.3, 1)
        strength = strength.clip(0, 1).astype(np.float32)
        level = found(strength)
        if level is not None:
            ruled += 1
            assert (strength > level).any()
    assert ruled > 20


@pytest.mark.parametrize("shade", [0.0, 0.14])
def test_lines_are_found_on_a_page_that_is_partly_darker(shade: float) -> None:
    strength = np.zeros((300, 300), np.float32)
    strength[:, 200:] = shade
    strength[20::40] = strength[21::40] = 0.4
    strength[90:210, 100:112] = 1
    ink = find_ink(1 - 0.9 * strength)
    assert ink is not None
    assert ink.marked[90:210, 100:112].all()
    assert ink.marked.sum() == 120 * 12


def test_lines_that_fade_out_towards_one_side_are_found() -> None:
    strength = np.zeros((300, 300), np.float32)
    strength[20::40] = strength[21::40] = np.linspace(0.15, 0.3, 300)
    strength[90:210, 100:112] = 1
    ink = find_ink(1 - 0.9 * strength)
    assert ink is not None
    assert ink.marked.sum() == 120 * 12
