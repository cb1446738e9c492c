"""Digits on sheets, cards and stickers are read; digits are not taken for sheets."""

import numpy as np
import pytest
from conftest import read_mnist
from hypothesis import given
from hypothesis import strategies as st
from kinds import drawn, grid, image, light
from PIL import Image

from digitnet import load
from digitnet.errors import ImageError
from digitnet.image.look import Reading
from digitnet.image.marks.sheet import fill_outside, sheet_of

MODEL = load()
DIGITS, _ = read_mnist("train", 6)  # 5 0 4 1 9 2


def read(picture: Image.Image) -> Reading:
    return MODEL.predict(picture).reading


def prepare(picture: Image.Image) -> np.ndarray:
    return read(picture).image


def on_table(shape: np.ndarray, inks: np.ndarray, table: float = 0.25) -> Image.Image:
    """Return a sheet with ink on a table. shape: mask of the sheet. table: its brightness."""
    return image(np.where(shape, light(inks), table))


def disc(side: int) -> np.ndarray:
    y, x = grid(side, side)
    return np.hypot(y - 0.5, x - 0.5) < 0.38


def number(*digits: np.ndarray, margin: int) -> np.ndarray:
    """Return the ink of digits beside each other, 0 to 1."""
    return np.pad(np.concatenate([drawn(digit, 60) for digit in digits], axis=1), margin)


def whole(mask: np.ndarray) -> tuple[slice, slice]:
    """Return all rows and columns of the mask."""
    return slice(0, mask.shape[0]), slice(0, mask.shape[1])


@pytest.mark.parametrize("table", [0.1, 0.3, 0.5])
def test_a_digit_on_a_round_sheet_is_read(table: float) -> None:
    for digit in DIGITS:
        ink = np.pad(drawn(digit), 60)
        found = prepare(on_table(disc(len(ink)), ink, table))
        assert np.corrcoef(found.ravel(), prepare(image(light(ink))).ravel())[0, 1] > 0.95


@pytest.mark.parametrize("side", [40, 43])
def test_a_digit_on_the_tile_of_an_icon_is_read(side: int) -> None:
    correlations = []
    for digit in DIGITS:
        tile = np.pad(light(np.pad(drawn(digit), 20), 0.2, 0.9), 60, constant_values=0.95)
        small = image(tile).resize((side, side), Image.Resampling.BOX)
        alone = image(light(drawn(digit))).resize((side // 2, side // 2), Image.Resampling.BOX)
        found = read(small)
        assert (found.dark, found.digits) == (False, 1)
        correlations.append(np.corrcoef(found.image.ravel(), prepare(alone).ravel())[0, 1])
    assert np.mean(correlations) > 0.85


@pytest.mark.parametrize("holes", [[(10, 14)], [(5, 9), (15, 19)]], ids=["0", "8"])
def test_a_small_bold_digit_is_no_tile(holes: list[tuple[int, int]]) -> None:
    ink = np.zeros((24, 24))
    ink[:, 2:22] = 1
    for top, bottom in holes:
        ink[top:bottom, 9:15] = 0
    found = read(image(light(np.pad(ink, 8))))
    assert (found.dark, found.box) == (True, (8, 10, 32, 30))


@pytest.mark.parametrize("turn", [0, 12, -12])
@pytest.mark.parametrize("point", [90, 0], ids=["tag", "label"])
def test_a_digit_on_a_tag_or_a_label_is_read(point: int, turn: int) -> None:
    y, x = np.mgrid[:200, :480]
    long = (np.abs(y - 100) < 65) & (x > 15) & (x < (320 if point else 460))
    long &= np.abs(y - 100) - 70 + point < x
    for digit in DIGITS[:4]:
        ink = np.pad(drawn(digit, 90), ((55, 55), (160, 230)))
        tag = on_table(long, ink).rotate(turn, fillcolor=64, expand=True)
        alone = image(light(ink)).rotate(turn, fillcolor=242, expand=True)
        assert np.abs(np.subtract(read(tag).box, read(alone).box)).max() <= 1


@pytest.mark.parametrize("width", [90, 60])
def test_a_bold_0_with_straight_sides_is_no_tag(width: int) -> None:
    y, x = (np.abs(n - 100) for n in np.mgrid[:200, :200])
    zero = (y < 70) & (x < width / 2) & (y + x < 50 + width / 2)
    zero &= ~((y < 45) & (x < 5))
    assert read(image(light(zero * 1.0))).box == (31, 101 - width // 2, 170, 100 + width // 2)


def test_an_empty_round_sheet_may_be_a_digit_and_is_read_as_ink() -> None:
    found = read(on_table(disc(200), np.zeros((200, 200))))
    assert found.box[2] - found.box[0] > 145


@pytest.mark.parametrize("margin", [8, 15, 40])
@pytest.mark.parametrize("fall", [0, 0.5])
def test_a_number_on_a_sheet_on_a_desk_is_no_digit(margin: int, fall: float) -> None:
    inks = number(DIGITS[0], DIGITS[1], margin=margin)
    sheet = np.pad(light(inks), 60, constant_values=0.25)
    _, x = grid(*sheet.shape)
    assert read(image(sheet * (1 - fall * x))).digits != 1


@pytest.mark.parametrize("fall", [0, 0.4, 0.6])
@pytest.mark.parametrize("after", [20, 60])
def test_the_lit_part_of_a_page_is_no_sheet_with_part_of_a_number(fall: float, after: int) -> None:
    inks = np.pad(number(*DIGITS[:2], margin=8), ((20, 0), (0, after)))
    _, x = grid(*inks.shape)
    assert read(image(light(inks) * (1 - fall * x))).digits == 2


def test_lit_paper_beside_a_shadow_is_no_sheet_with_half_a_digit() -> None:
    ink = np.pad(drawn(DIGITS[0], 80), 8)
    y, x = grid(*ink.shape)
    found = read(image(light(ink) * np.where(y + 0.3 * x > 0.6, 0.6, 1)))
    assert found.digits == 1
    assert found.box[2] - found.box[0] > 50


def test_rows_are_extended_from_the_pixels_inside_a_sheet() -> None:
    light = np.arange(12, dtype=np.float32).reshape(3, 4)
    inside = np.array([[0, 1, 1, 0], [1, 1, 1, 1], [0, 0, 1, 0]], np.bool_)
    assert fill_outside(light, inside).tolist() == [[1, 1, 2, 2], [4, 5, 6, 7], [10, 10, 10, 10]]


@given(st.integers(30, 80), st.integers(30, 80), st.integers(1, 4), st.integers(0, 50))
def test_a_sheet_lies_within_its_marks(height: int, width: int, step: int, at: int) -> None:
    mask = np.pad(np.ones((height, width), np.bool_), 3)
    box = slice(3, 3 + height), slice(3, 3 + width)
    part = at, at, at + step * mask.shape[0], at + step * mask.shape[1]
    sheet = sheet_of(mask[box], box, part, step)
    if max(height, width) > 2 * min(height, width):
        assert sheet is None
    else:
        assert sheet is not None
        top, left, bottom, right = sheet.part
        assert at + 3 * step < left < right < at + (3 + width) * step
        assert at + 3 * step < top < bottom < at + (3 + height) * step
        shape = (bottom - top) // step, (right - left) // step
        assert sheet.within(shape, sheet.part, step).all()


@pytest.mark.parametrize("turn", [0, 10, 30])
def test_a_card_has_corners_and_a_disc_has_none(turn: int) -> None:
    square = Image.new("L", (101, 101))
    square.paste(255, (15, 25, 85, 75))
    card = np.asarray(square.rotate(turn)) > 127
    for mask, corners in ((card, True), (disc(101), False)):
        y, x = np.nonzero(mask)
        box = slice(y.min(), y.max() + 1), slice(x.min(), x.max() + 1)
        sheet = sheet_of(mask[box], box, (0, 0, 101, 101), 1)
        assert sheet is not None
        assert sheet.is_cornered == corners


@pytest.mark.parametrize("digit", range(12))
def test_a_digit_is_no_sheet(digit: int) -> None:
    mask = drawn(read_mnist("train", 12)[0][digit], 80) > 0.5
    assert sheet_of(mask, whole(mask), (0, 0, *mask.shape), 1) is None


def test_an_empty_card_is_an_error() -> None:
    with pytest.raises(ImageError, match="empty sheet"):
        read(image(np.pad(np.full((90, 70), 0.9), 40, constant_values=0.2)))


def on_desk(*cards: np.ndarray) -> Image.Image:
    """Return cards side by side on a desk, each with 10 pixels of the desk around it."""
    return image(np.pad(np.concatenate([np.pad(card, 10) for card in cards], axis=1), 15) + 0.2)


def card(ink: np.ndarray) -> np.ndarray:
    """Return the brightness of a card with ink, less that of the desk."""
    return light(np.pad(ink, ((20, 20), (15, 15)))) - 0.2


def test_a_digit_is_read_beside_an_empty_sheet() -> None:
    picture = np.full((200, 300), 0.9)
    picture[40:140, 40:110] = 0.3
    picture[60:120, 180:240] = light(drawn(DIGITS[0], 60), 0.9, 0.3)
    found = read(image(picture))
    assert (found.digits, found.dark) == (1, True)
    assert found.box[1] >= 180


def test_a_card_with_a_digit_is_found_beside_an_empty_card() -> None:
    empty, written = card(np.zeros((60, 60))), card(drawn(DIGITS[0], 60))
    alone = prepare(on_desk(written))
    for cards in ((written, empty), (empty, written)):
        found = read(on_desk(*cards))
        assert (found.digits, found.dark) == (1, True)
        assert np.corrcoef(found.image.ravel(), alone.ravel())[0, 1] > 0.95


def test_the_loop_of_a_bold_6_is_no_sheet() -> None:
    y, x = np.mgrid[:160, :140]
    loop = np.hypot((y - 105) * 1.1, x - 70) < 50
    stem = (np.abs(x - 45 - 0.3 * (90 - y)) < 18) & (y > 15) & (y < 100)
    hole = np.hypot((y - 105) * 0.5, x - 70) < 6
    found = read(image(light(((loop | stem) & ~hole) * 1.0)))
    assert found.dark
    assert found.box[0] < 20


def test_a_digit_on_a_badge_is_not_preferred_to_digits_beside_it() -> None:
    digits = [np.pad(drawn(digit, 120), ((40, 40), (20, 20))) for digit in DIGITS[:2]]
    page = light(np.pad(np.concatenate(digits, axis=1), ((0, 0), (0, 130))))
    page[60:116, -86:-30] = light(np.pad(drawn(DIGITS[2], 36), 10), 0.15, 0.95)
    assert read(image(page)).digits > 1


def test_a_coin_as_light_as_the_sheet_is_no_digit() -> None:
    """The sheet is read, also if it is dark and the digit on it nearly as light as the desk."""
    coin = np.hypot(*(np.mgrid[:220, :100] - np.array([110, 50])[:, None, None])) < 14
    for table, paper, ink in ((0.25, 0.9, 0.2), (0.9, 0.2, 0.85)):
        sheet = np.pad(
            light(np.pad(drawn(DIGITS[0], 80), 30), paper, ink), 40, constant_values=table
        )
        desk = np.where(coin, paper, table)
        found = read(image(np.concatenate([sheet, desk], axis=1)))
        assert (found.digits, found.dark) == (1, paper > ink)
        assert found.box[3] < 180


@pytest.mark.parametrize("turned", [False, True])
def test_a_digit_on_a_strip_that_leaves_the_picture_is_read(turned: bool) -> None:
    for digit in DIGITS:
        page = light(np.pad(drawn(digit, 80), ((60, 140), (95, 85))))
        strip = page.copy()
        strip[:, :70] = strip[:, -60:] = 0.25
        found, alone = (read(image(p.T if turned else p)) for p in (strip, page))
        assert (found.digits, found.dark) == (1, True)
        np.testing.assert_allclose(found.box, alone.box, atol=1)


def test_the_lit_part_of_a_page_is_no_light_digit() -> None:
    y, x = grid(240, 200)
    for digit in DIGITS:
        ink = np.zeros((240, 200))
        ink[60:160, 30:130] = drawn(digit, 100)
        lit = (x - 0.75 + 0.1 * y) * 40
        found = read(image(light(ink) * (0.45 + 0.55 * np.clip(lit, 0, 1))))
        assert (found.digits, found.dark) == (1, True)
        assert found.box[3] < 145


def test_the_holes_of_a_bold_8_are_no_digits_on_a_round_sheet() -> None:
    y, x = np.mgrid[:50, :40]
    ink = (np.hypot(y - 24.5, (x - 19.5) * 1.2) < 25) * 1.0
    for top, bottom in ((12, 22), (28, 42)):
        middle, half = (top + bottom) / 2, (bottom - top) / 2
        ink[np.hypot(y - middle, (x - 19.5) * 0.7) < half] = 0
    assert read(image(light(np.pad(ink, 40)))).dark
