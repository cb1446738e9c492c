"""Digits are prepared alike, however they are drawn, lit and photographed."""

import contextlib
import tracemalloc
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from conftest import read_mnist
from kinds import (
    KINDS,
    Kind,
    blurred_and_filling_the_picture,
    chalk,
    cropped,
    drawn,
    filling_the_picture,
    grid,
    image,
    light,
    light_and_filling_the_picture,
    noisy,
    plain,
    shadow_of_a_hand,
    shadow_of_a_phone,
)
from PIL import Image, ImageDraw

from digitnet import load
from digitnet.errors import ImageError
from digitnet.image.ink.ink import longer_span
from digitnet.image.look import Reading
from digitnet.image.reading import read as image_read

CELLS = Path(__file__).parent / "pictures" / "cells"
MODEL = load()
DIGITS, LABELS = read_mnist("train", 6)  # 5 0 4 1 9 2
# Drawn with another pen, or rotated: less close to the plain digit.
LESS_CLOSE = {
    "thin_pen",
    "thin_pen_on_a_large_page",
    "faint_pencil",
    "marker",
    "eight_pixels",
    "dotted_pen",
    "dry_pen",
    "dashed",
    "crayon",
    "tilted_sheet",
    "sheet_among_objects",
    "held_sheet",
}


def read(picture: Image.Image | np.ndarray) -> Reading:
    return MODEL.predict(picture).reading


def prepare(picture: Image.Image | np.ndarray) -> np.ndarray:
    return read(picture).image


def closeness(a: np.ndarray, b: np.ndarray) -> float:
    """Return the largest correlation of two pictures' pixels, one shifted by up to a pixel."""
    steps = (-1, 0, 1)
    moved = (np.roll(a, (y, x), (0, 1)) for y in steps for x in steps)
    return max(float(np.corrcoef(m.ravel(), b.ravel())[0, 1]) for m in moved)


def prepared(digit: np.ndarray) -> np.ndarray:
    """Return a digit of MNIST itself, prepared; many tests compare with the same digits."""
    return _prepared(digit.tobytes())


@cache
def _prepared(digit: bytes) -> np.ndarray:
    return prepare(np.frombuffer(digit, np.uint8).reshape(28, 28))


@pytest.mark.parametrize("number", range(len(KINDS)), ids=[kind.__name__ for kind in KINDS])
def test_every_kind_gives_the_same_digit(number: int) -> None:
    """Four of the six pictures are read, other ones of the next kind."""
    kind, rng = KINDS[number], np.random.default_rng(1)
    pictures = [kind(digit, rng) for digit in DIGITS]
    chosen = [(number + n) % len(DIGITS) for n in range(2, 6)]
    close = [closeness(prepare(pictures[n]), prepared(DIGITS[n])) for n in chosen]
    assert np.mean(np.array(close) > 0.7) >= (0.8 if kind is shadow_of_a_phone else 0.9)
    assert np.median(close) > (0.75 if kind.__name__ in LESS_CLOSE else 0.88)


@pytest.mark.parametrize(
    "kind",
    [filling_the_picture, light_and_filling_the_picture, blurred_and_filling_the_picture],
)
def test_digits_that_fill_the_picture_are_kept(kind: Kind) -> None:
    rng, digits = np.random.default_rng(1), read_mnist("train", 50)[0]
    close = [closeness(prepare(kind(digit, rng)), prepared(digit)) for digit in digits]
    assert np.mean(np.array(close) > 0.88) >= 0.98


@pytest.mark.parametrize("times", [1.3, 1.6, 2.5])
@pytest.mark.parametrize("width", [1, 3])
def test_a_box_around_a_digit_does_not_count_as_a_digit(times: float, width: int) -> None:
    right = 0
    for digit, label in zip(DIGITS, LABELS):
        ink = np.pad(cropped(drawn(digit, 80)), 10)
        by = round((times - 1) * 80 / 2) + 20
        page = image(light(np.pad(ink, by)))
        around = (20, 20, page.width - 20, page.height - 20)
        ImageDraw.Draw(page).rectangle(around, outline=0, width=width)
        right += MODEL.predict(page).digit == label
    assert right == len(DIGITS)


def test_a_speck_beside_a_digit_cropped_to_its_ink_is_not_chosen() -> None:
    """The prior alone decides, as when folders are read for training."""
    specks = 0
    for digit in read_mnist("train", 12)[0]:
        ink = cropped(drawn(digit, 120))
        if not ink[:14, :14].any():
            ink[2:5, 2:5] = 1
            specks += 1
        box = image_read(image(light(ink))).box
        assert max(box[2] - box[0], box[3] - box[1]) > 60
    assert specks > 4


def test_a_digit_with_a_broken_stroke_that_reaches_a_side_is_read() -> None:
    for digit, label in zip(DIGITS, LABELS):
        ink = cropped(drawn(digit, 160))
        ink[:, int(0.35 * ink.shape[1]) :][:, :4] = 0
        page = image(light(np.pad(ink, ((20, 20), (0, 60)))))
        assert MODEL.predict(page).digit == label


@pytest.mark.parametrize("kind", [shadow_of_a_phone, shadow_of_a_hand])
def test_a_shadow_is_not_part_of_the_digit(kind: Kind) -> None:
    whole, rng = 0, np.random.default_rng(1)
    for digit in read_mnist("train", 20)[0]:
        box = read(kind(digit, rng)).box
        whole += max(box[2] - box[0], box[3] - box[1]) <= longer_span(drawn(digit, 160) > 0.5) + 5
    assert whole >= 15


def of_two_shades(digit: np.ndarray, darker: np.ndarray, crop: bool) -> np.ndarray:
    """Return the brightness of a grey digit with darker marks, on a page or cropped to its ink.

    darker: (100, 100), the marks, stretched over the picture.
    """
    ink = drawn(digit)
    ink = cropped(ink) if crop else np.pad(ink, 40)
    y, x = (np.linspace(-1, 1, n) for n in ink.shape)
    there = darker[np.rint((y + 1) * 49.5).astype(int)][:, np.rint((x + 1) * 49.5).astype(int)]
    return noisy(light(ink, full=0.55), 0.01, np.random.default_rng(1)) * np.where(there, 0.3, 1)


@pytest.mark.parametrize("crop", [False, True])
@pytest.mark.parametrize("what", ["dots", "rule"])
def test_a_grey_digit_with_darker_marks_is_not_a_shadow(crop: bool, what: str) -> None:
    y, x = np.mgrid[-50:50, -50:50]
    dots = (np.hypot(y - 9, x - 4) < 3) | (np.hypot(y + 16, x + 6) < 3)
    darker = dots if what == "dots" else np.abs(y - 5) < 1
    close = [
        closeness(prepare(image(of_two_shades(digit, darker, crop))), prepared(digit))
        for digit in DIGITS
    ]
    assert np.median(close) > 0.7


def sheet_on_wood(digit: np.ndarray, rng: np.random.Generator) -> Image.Image:
    """Return a digit on a sheet on a darker desk with a strong grain; light falls off downwards."""
    sheet = Image.fromarray(np.float32(light(np.pad(drawn(digit), 70))))
    paper = np.pad(np.asarray(sheet.rotate(4, expand=True)), 80)
    grain = np.repeat(rng.normal(0.35, 0.07, (len(paper) // 8 + 1, 1)), 8, axis=0)[: len(paper)]
    y, _ = grid(*paper.shape)
    return image(noisy(np.where(paper > 0, paper, grain), 0.01, rng) * (1 - 0.4 * y))


def test_the_edges_of_a_sheet_on_a_desk_are_not_strokes() -> None:
    rng = np.random.default_rng(1)
    close = [closeness(prepare(sheet_on_wood(digit, rng)), prepared(digit)) for digit in DIGITS]
    assert min(close) > 0.75  # the sheet is rotated


@pytest.mark.parametrize(
    ("shape", "fall", "power", "side", "ink"),
    [
        ((314, 293), 0.56, 4.9, 135, 0.1),
        ((225, 246), 0.26, 2.8, 110, 0.24),
        ((300, 300), 0.55, 5, 135, 0.1),
    ],
)
def test_a_dark_corner_is_not_ink(
    shape: tuple[int, int], fall: float, power: float, side: int, ink: float
) -> None:
    rng = np.random.default_rng(1)
    y, x = grid(*shape)
    for digit in DIGITS:
        drawing = np.zeros(shape)
        drawing[30 : 30 + side, 30 : 30 + side] = drawn(digit, side)
        lit = light(drawing, 0.85, ink) * (1 - fall * (1 - np.minimum(x + y, 1)) ** power)
        assert closeness(prepare(image(noisy(lit, 0.01, rng))), prepared(digit)) > 0.8


@pytest.mark.parametrize(("side", "slant"), [(40, 0.08), (120, 0.1)])
def test_light_objects_beside_the_page_are_not_ink(side: int, slant: float) -> None:
    rng = np.random.default_rng(1)
    for digit in DIGITS[2:]:
        paper = light(np.pad(drawn(digit, side), 60 - side // 4), 0.55, 0.2)
        y, x = grid(*paper.shape)
        lit = np.where(x + slant * y > 0.95, 0.95, paper * (1 - 0.4 * y))
        assert closeness(prepare(image(noisy(lit, 0.01, rng))), prepared(digit)) > 0.8


@pytest.mark.parametrize(
    ("side", "pad", "shades", "beside", "first", "last", "slant", "fall"),
    [
        (120, 26, (0.41, 0.31), 0.84, 0.86, 2, 0.03, 0),  # a light strip
        (40, 27, (0.5, 0.22), 0.77, 0.88, 0.91, 0.03, 0.2),  # a narrow light strip
        (60, 29, (0.31, 0.98), 0.06, 0.86, 2, 0.24, 0.2),  # a dark strip, with light ink
    ],
)
def test_a_strip_beside_the_digit_is_not_the_digit(
    side: int,
    pad: int,
    shades: tuple[float, float],
    beside: float,
    first: float,
    last: float,
    slant: float,
    fall: float,
) -> None:
    rng = np.random.default_rng(1)
    for digit in DIGITS:
        paper = light(np.pad(drawn(digit, side), pad), *shades)
        y, x = grid(*paper.shape)
        across = x + slant * y**2
        lit = np.where((across > first) & (across < last), beside, paper) * (1 - fall * y)
        assert closeness(prepare(image(noisy(lit, 0.01, rng))), prepared(digit)) > 0.8


def test_the_reflection_of_a_lamp_is_not_a_digit() -> None:
    rng = np.random.default_rng(1)
    y, x = grid(300, 400)
    spot = 0.55 * np.exp(-(((y - 0.25) / 0.09) ** 2 + ((x - 0.75) / 0.07) ** 2))
    for digit in DIGITS:
        paper = light(np.pad(drawn(digit, 120), ((120, 60), (70, 210))), 0.45, 0.1)
        lit = np.minimum(paper + spot, 1)
        assert closeness(prepare(image(noisy(lit, 0.01, rng))), prepared(digit)) > 0.8


@pytest.mark.parametrize(("full", "every", "depth"), [(0.3, 150, 0.1), (0.5, 150, 0.1)])
def test_a_small_digit_on_a_large_ruled_page_is_found(
    full: float, every: int, depth: float
) -> None:
    rng = np.random.default_rng(1)
    y, x = np.mgrid[:1200, :1200]
    ruled = (y + 0.03 * x) % every < 3
    close = []
    for digit in DIGITS:
        shades = light(np.pad(drawn(digit, 50), ((500, 650), (600, 550))), 0.85, full)
        photo = image(noisy(shades * (1 - depth * ruled) * (1 - 0.2 * x / 1200), 0.02, rng))
        close.append(closeness(prepare(photo), prepared(digit)))
    assert np.mean(np.array(close) > 0.8) > 0.9


@pytest.mark.parametrize("height", [120, 160])
@pytest.mark.parametrize("upright", [False, True])
def test_a_digit_on_a_long_strip_is_found(height: int, upright: bool) -> None:
    rng = np.random.default_rng(1)
    for digit in DIGITS:
        pad = (height - 80) // 2
        ink = np.pad(drawn(digit, 80), ((pad, pad), (900, 2000)))
        strip = light(ink if not upright else np.pad(drawn(digit, 80), ((900, 2000), (pad, pad))))
        fall = 1 - 0.3 * grid(*strip.shape)[0 if upright else 1]
        assert closeness(prepare(image(noisy(strip * fall, 0.03, rng))), prepared(digit)) > 0.8


@pytest.mark.parametrize("shape", [(3, 15000), (15000, 3), (40, 15000)])
def test_long_strips_take_little_memory(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(1)
    strip = image(noisy(0.9 - 0.3 * np.max(grid(*shape), axis=0), 0.02, rng))
    tracemalloc.start()
    with contextlib.suppress(ImageError):
        read(strip)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 50e6


@pytest.mark.parametrize(("around", "canvas", "ink"), [(0.1, 0, 1), (0.97, 1, 0)])
def test_a_digit_in_a_drawing_program_is_read_without_its_buttons(
    around: float, canvas: float, ink: float
) -> None:
    close = []
    for digit in read_mnist("train", 12)[0]:
        screen = np.full((640, 480), around)
        screen[158:522, 58:422] = (around + 0.5) / 2
        screen[160:520, 60:420] = canvas + (ink - canvas) * np.pad(drawn(digit, 280), 40)
        screen[550:605, 60:230] = screen[550:605, 250:420] = 0.6
        window = Image.fromarray(np.uint8(255 * screen))
        ImageDraw.Draw(window).text((180, 60), "Draw a digit (0-9)", round(255 * ink), font_size=26)
        ImageDraw.Draw(window).text((90, 560), "Clear", round(255 * canvas), font_size=26)
        close.append(closeness(prepare(window), prepared(digit)))
    assert np.mean(np.array(close) > 0.9) > 0.7


def test_a_small_digit_is_found_at_the_fine_resolution() -> None:
    """The sheet is far away, and the grain of the desk is stronger than the ink."""
    rng = np.random.default_rng(1)
    close = []
    for digit in DIGITS:
        sheet = light(np.pad(drawn(digit, 50), ((450, 500), (500, 450))), 0.8, 0.5)
        desk = np.repeat(rng.normal(0.35, 0.07, (300, 1)), 4, axis=0) * np.ones((1, 1200))
        desk[90:1090, 100:1100] = sheet
        lit = desk * (1 - 0.5 * grid(1200, 1200)[0])
        close.append(closeness(prepare(image(noisy(lit, 0.03, rng))), prepared(digit)))
    assert np.mean(np.array(close) > 0.8) > 0.6


def test_a_digit_close_to_the_edge_of_the_page_is_re_read_without_the_edge() -> None:
    for digit in DIGITS:
        page = light(np.pad(drawn(digit, 160), ((200, 8), (300, 100))), 0.7, 0.4)
        desk = np.full((30, page.shape[1]), 0.2)
        assert closeness(prepare(image(np.vstack([page, desk]))), prepared(digit)) > 0.8


@pytest.mark.parametrize("number", [68, 200, 311, 451])
def test_a_bold_digit_is_not_a_sheet_of_paper(number: int) -> None:
    digit = read_mnist("t10k", number + 1)[0][number]  # a 3 or a 0 that fills two thirds of its box
    large = 255 - digit.repeat(5, axis=0).repeat(5, axis=1)
    assert closeness(prepare(large), prepared(digit)) > 0.95


def hairline(side: int, width: int = 1) -> Image.Image:
    """Return a 4 of thin lines.

    side: of the digit, px. width: of the lines, px.
    """
    picture = Image.new("L", (side * 3 // 2, side * 3 // 2), 240)
    for line in ([(0.6, 0.25), (0.25, 0.75), (0.8, 0.75)], [(0.7, 0.5), (0.65, 1.25)]):
        ImageDraw.Draw(picture).line([(x * side, y * side) for x, y in line], 20, width)
    return picture


@pytest.mark.parametrize("side", [100, 200, 250, 300, 400, 600, 900, 1500])
def test_a_line_of_one_pixel_is_a_stroke_at_any_size(side: int) -> None:
    assert closeness(prepare(hairline(side)), prepare(hairline(150, 8))) > 0.9


@pytest.mark.parametrize("side", [100, 200, 400])
def test_a_line_of_one_pixel_is_a_stroke_where_light_falls_off(side: int) -> None:
    page = Image.new("L", (900, 900), 240)
    page.paste(hairline(side), (100, 100))
    lit = np.asarray(page) / 255 * (1 - 0.6 * grid(900, 900)[1])
    found = read(image(lit))
    assert found.digits == 1
    assert closeness(found.image, prepare(hairline(150, 8))) > 0.9


@pytest.mark.parametrize("spread", [0.005, 0.02, 0.05])
def test_paper_without_a_digit_has_no_ink(spread: float) -> None:
    rng = np.random.default_rng(1)
    y, x = grid(300, 260)
    for shade in (1, 1 - 0.5 * x, 0.5 + 0.4 * np.exp(-((y - 0.3) ** 2 + (x - 0.6) ** 2) / 0.3)):
        with pytest.raises(ImageError, match="no ink"):
            prepare(image(noisy(0.9 * shade * np.ones((300, 260)), spread, rng)))


@pytest.mark.parametrize("side", [40, 60, 300])
def test_an_empty_box_and_an_empty_sheet_have_no_ink(side: int) -> None:
    rng = np.random.default_rng(1)
    sheet = np.pad(np.ones((side, side)), side // 2)
    hollow = sheet.copy()
    hollow[side // 2 + 2 : -side // 2 - 2, side // 2 + 2 : -side // 2 - 2] = 0
    for marks in (sheet, hollow):
        for shades in ((0.95, 0.15), (0.25, 0.9)):
            with pytest.raises(ImageError, match="found an empty sheet or box"):
                prepare(image(noisy(light(marks, *shades), 0.005, rng)))


@pytest.mark.parametrize(
    ("fall", "height", "columns", "digit"),
    [
        (0, 400, slice(None), None),  # the line of a margin
        (36, 400, slice(None), None),  # slanted
        (0, 400, slice(38, 44), 1),  # a 1 cropped to its ink
    ],
)
@pytest.mark.parametrize("transposed", [False, True])
def test_a_line_along_the_border_is_not_a_1(
    fall: int, height: int, columns: slice, digit: int | None, transposed: bool
) -> None:
    page = np.full((height, 300), 240, np.uint8)
    for y in range(height):
        page[y, 40 + fall * y // height :][:2] = 30
    page = page[:, columns]
    assert MODEL.predict(page.T if transposed else page).digit == (None if transposed else digit)


@pytest.mark.parametrize("gap", [3, 8, 15])
def test_a_digit_beside_a_dark_edge_is_the_only_digit(gap: int) -> None:
    for digit in DIGITS:
        ink = np.pad(cropped(drawn(digit, 120)), ((gap, 30), (30, 30)))
        paper = image(np.vstack([np.full((40, ink.shape[1]), 0.1), light(ink)]))
        assert read(paper).digits == 1


def test_the_reading_has_the_decisions() -> None:
    rng = np.random.default_rng(1)
    digit = DIGITS[0]
    assert read(plain(digit, rng)).dark
    assert not read(chalk(digit, rng)).dark
    ink = np.pad(drawn(digit), ((30, 70), (50, 10)))
    found = read(image(light(ink)))
    rows, columns = (np.flatnonzero((ink > 0.2).any(axis=axis)) for axis in (1, 0))
    expected = (rows[0], columns[0], rows[-1] + 1, columns[-1] + 1)
    np.testing.assert_allclose(found.box, expected, atol=1)
    assert found.digits == 1
    large = read(image(light(np.kron(np.pad(ink, 300), np.ones((3, 3))))))
    np.testing.assert_allclose(large.box, 3 * (np.array(expected) + 300), atol=9)


def test_a_second_digit_is_counted() -> None:
    two = np.hstack([np.pad(drawn(digit), 40) for digit in DIGITS[:2]])
    assert read(image(light(two))).digits == 2


@pytest.mark.parametrize("path", sorted(CELLS.glob("*.png")), ids=lambda path: path.stem)
def test_lines_in_a_cell_are_not_digits(path: Path) -> None:
    digit, _, _ = path.stem.partition("-")
    assert MODEL.predict(path).digit == (None if digit == "empty" else int(digit))
