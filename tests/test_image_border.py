"""A border of one shade around a photo is left away, and nothing else is."""

import numpy as np
import pytest
from conftest import read_mnist
from kinds import KINDS, Kind, drawn, image, lying, noisy

from digitnet.image import prepare, read
from digitnet.image.border import within_border

FRAMED = {"sheet_on_a_table", "highlighted", "box_at_border"}
DIGITS, _ = read_mnist("train", 12)


def photo(digit: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A sheet on a desk."""
    sheet = np.pad(lying(np.pad(drawn(digit, 100), 40), rng), 30)
    return np.clip(noisy(np.where(sheet > 0, sheet, 0.3), 0.02, rng), 0, 0.93)


@pytest.mark.parametrize("shade", [1.0, 0.0])
def test_what_is_in_a_photo_with_a_border_is_read(shade: float) -> None:
    rng = np.random.default_rng(1)
    for digit in DIGITS:
        inside = photo(digit, rng)
        found = read(image(np.pad(inside, 12, constant_values=shade)))
        assert found.digits == 1
        assert np.corrcoef(found.image.ravel(), prepare(image(inside)).ravel())[0, 1] > 0.9


@pytest.mark.parametrize("margins", [(5, 9, 12, 7), (1, 1, 1, 1)])
def test_the_photo_is_all_but_the_border(margins: tuple[int, int, int, int]) -> None:
    top, left, bottom, right = margins
    inside = photo(DIGITS[0], np.random.default_rng(2)).astype(np.float32)
    whole = np.pad(inside, ((top, bottom), (left, right)), constant_values=1)
    height, width = inside.shape
    assert within_border(whole) == (slice(top, top + height), slice(left, left + width))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_digit_on_a_page_is_no_photo(kind: Kind) -> None:
    rng = np.random.default_rng(3)
    for digit in DIGITS[:4]:
        light = np.asarray(kind(digit, rng).convert("L"), np.float32) / 255
        inside = within_border(light)
        assert inside is None or kind.__name__ in FRAMED


def test_a_bold_1_and_a_box_are_no_photos() -> None:
    page = np.ones((120, 100), np.float32)
    page[10:110, 15:85] = 0.2
    assert within_border(page) is None
    page[14:106, 19:81] = 1
    page[50:60, 40:60] = 0.2
    assert within_border(page) is None
