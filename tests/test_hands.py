"""Digits of many writers and fonts become training data."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import read_mnist
from hands import PEN_WIDTHS, SIZE, smooth, strokes, varied, written

from digitnet.dataset.reader import read_data
from digitnet.image.reading import prepare

SCRIPT = Path(__file__).parent / "hands.py"
DATA = Path(__file__).parent.parent / "data"


def test_digits_of_8_by_8_pixels_become_data(tmp_path: Path) -> None:
    digits, labels = read_mnist("train", 12)
    small = digits[:, 4:24, 4:24].reshape(12, 5, 4, 5, 4).mean(axis=(2, 4)) // 16
    small = np.pad(small, ((0, 0), (1, 2), (1, 2))).astype(int)
    lines = [",".join(map(str, [*one.ravel(), label])) for one, label in zip(small, labels)]
    source = tmp_path / "optdigits.tra"
    source.write_text("\n".join(lines))
    made = []
    for order in (lines, lines[::-1]):
        source.write_text("\n".join(order))
        subprocess.run([sys.executable, SCRIPT, tmp_path / "out", source], check=True)
        made.append(read_data(tmp_path / "out").training)
    assert made[0].fingerprint == made[1].fingerprint
    assert sorted(made[0].labels) == sorted(labels)


# x and y in units of the height: the top bar, the stem and, after a lift, the crossbar.
SEVEN = np.array([(0, 0.1), (0.4, 0), (0.6, 0.1), (0.5, 0.4), (0.3, 0.7), (0.2, 1)])
SEVEN = np.vstack([SEVEN, [(0.1, 0.6), (0.6, 0.5)]])


@pytest.mark.parametrize(("label", "is_split"), [(7, True), (2, False), (5, True)])
def test_the_pen_is_lifted_for_the_bar_of_a_7_and_a_5(label: int, is_split: bool) -> None:
    found = strokes(SEVEN, label)
    assert [len(stroke) for stroke in found] == ([6, 2] if is_split else [8])
    np.testing.assert_array_equal(np.vstack(found), SEVEN)


def test_a_bar_with_a_single_point_is_dropped() -> None:
    early = np.vstack([SEVEN[:1], SEVEN[:6], (0.1, 0.6)])
    (down,) = strokes(early, 7)
    np.testing.assert_array_equal(down, early[:7])


def test_an_early_step_up_is_not_a_lift() -> None:
    (whole,) = strokes(np.vstack([(0, 1), SEVEN[:6], (0.2, 1)]), 7)
    assert len(whole) == 8


def test_a_smooth_curve_goes_through_the_points() -> None:
    curve = smooth(SEVEN)
    for point in SEVEN:
        assert np.abs(curve - point).max(axis=1).min() < 1e-9
    assert np.hypot(*np.diff(curve, axis=0).T).max() < 0.1


def test_a_digit_is_drawn_along_its_points_with_pens_of_many_widths() -> None:
    widths = []
    for slant in np.linspace(0, 0.3, 30):
        page = np.asarray(written(np.linspace((slant, 0), (slant, 1), 8), 1))
        column = round(SIZE * (slant + 0.5))
        assert (page[SIZE // 2 : SIZE * 3 // 2, column] == 0).all()
        assert page[0].min() == page[-1].min() == 255
        widths.append(np.count_nonzero(page[SIZE] == 0) / SIZE)
    assert PEN_WIDTHS[0] - 0.02 < min(widths) < 0.08
    assert 0.14 < max(widths) < PEN_WIDTHS[1] + 0.02


def test_digits_of_a_pen_become_data(tmp_path: Path) -> None:
    source = tmp_path / "penbased.dat"
    values = (SEVEN * (100, -100) + (0, 100)).round().astype(int)
    line = ", ".join(map(str, [*values.ravel(), 7]))
    source.write_text(f"@relation penbased\n@data\n{line}\n")
    subprocess.run([sys.executable, SCRIPT, tmp_path / "out", source], check=True)
    made = read_data(tmp_path / "out").training
    points = values / (100, -100) + (0, 1)
    expected = [prepare(written(points, 7)), prepare(written(varied(points), 7))]
    assert {image.tobytes() for image in made.images} == {image.tobytes() for image in expected}
    assert list(made.labels) == [7, 7]


def test_variation_is_reproducible_and_differs_between_digits() -> None:
    np.testing.assert_array_equal(varied(SEVEN), varied(SEVEN))
    others = [varied(np.clip(SEVEN + step / 100, 0, 1)) for step in range(-2, 3)]
    moved = [np.abs(other - SEVEN).max() for other in others]
    assert min(moved) > 0.02
    assert np.std(moved) > 0.01
    assert all(((other >= 0) & (other <= 1)).all() for other in others)


def test_the_digits_in_the_repository_are_prepared() -> None:
    for name, n in (("optdigits", 3822), ("pendigits", 21_984), ("fonts", 1750)):
        training = read_data(DATA / name).training
        assert len(training) == n
        assert np.bincount(training.labels).min() > 0.09 * n
        for digit in training.images[::100]:
            again = prepare(digit)
            # Wide digits may shift by a pixel.
            steps = [(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1)]
            moved = [np.roll(again, step, (0, 1)).ravel() for step in steps]
            assert max(np.corrcoef(digit.ravel(), moved)[0, 1:]) > 0.8
