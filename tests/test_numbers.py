"""Test numbers in pictures: rows of MNIST digits, also with frames, lines and dots around them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from conftest import read_mnist
from PIL import Image, ImageDraw

from digitnet.errors import CheckpointError, ImageError
from digitnet.model.locations import SHIPPED
from digitnet.model.numbers import Numbers
from digitnet.model.prediction import Model, load

IMAGES, LABELS = read_mnist("t10k", 400)
SIDE = 28


@pytest.fixture(scope="module")
def model() -> Model:
    return load(SHIPPED)


def digit_image(digit: int, number: int) -> np.ndarray:
    """Return MNIST's `number`-th picture of a digit, uint8 (28, 28), ink 255."""
    return IMAGES[np.flatnonzero(digit == LABELS)[number]]


def digits_in_a_row(text: str, gap: int = 2, number: int = 3) -> np.ndarray:
    """Return digits side by side, `gap` pixels between their ink; a space is 28 pixels wide."""
    columns: list[np.ndarray] = []
    for character in text:
        if character == " ":
            columns.append(np.zeros((SIDE, SIDE), np.uint8))
            continue
        image = digit_image(int(character), number)
        inked = np.flatnonzero(image.any(axis=0))
        columns.append(image[:, inked[0] : inked[-1] + 1])
        columns.append(np.zeros((SIDE, gap), np.uint8))
    return np.hstack(columns)


def page(rows: Sequence[str], scale: int = 3, margin: int = 20, gap: int = 3) -> Image.Image:
    """Return a page of dark rows on light paper, one below the other."""
    lines = [digits_in_a_row(row, gap) for row in rows]
    width = max(line.shape[1] for line in lines)
    ink = np.vstack([np.pad(line, ((4, 4), (0, width - line.shape[1]))) for line in lines])
    paper = Image.fromarray(255 - np.pad(ink, margin))
    return paper.resize((paper.width * scale, paper.height * scale), Image.Resampling.BICUBIC)


def texts(numbers: Numbers) -> list[str]:
    return [number.text for number in numbers.numbers]


@pytest.mark.parametrize("text", ["73", "0412", "90210", "1881", "000"])
@pytest.mark.parametrize("gap", [1, 4])
def test_a_number_is_read_as_it_is_written(model: Model, text: str, gap: int) -> None:
    picture = page([text], gap=gap)
    assert model.read_numbers(picture, len(text)).text == text
    assert model.read_numbers(picture).text == text


@pytest.mark.parametrize("scale", [1, 2, 8])
def test_a_number_of_any_size_is_read(model: Model, scale: int) -> None:
    assert model.read_numbers(page(["2471"], scale), 4).text == "2471"


def test_light_digits_on_dark_are_read(model: Model) -> None:
    picture = Image.fromarray(np.pad(digits_in_a_row("368"), 10))
    assert model.read_numbers(picture, 3).text == "368"


def test_digits_that_touch_are_cut(model: Model) -> None:
    ink = digits_in_a_row("472", gap=0)
    touching = np.maximum(ink, np.pad(ink, ((0, 0), (1, 0)))[:, :-1])
    assert model.read_numbers(Image.fromarray(255 - np.pad(touching, 20)), 3).text == "472"


def test_numbers_of_a_page_come_in_reading_order(model: Model) -> None:
    numbers = model.read_numbers(page(["14  27", "308", "96"]))
    assert texts(numbers) == ["14", "27", "308", "96"]
    assert [number.row for number in numbers.numbers] == [0, 0, 1, 2]
    boxes = [number.box for number in numbers.numbers]
    assert boxes[0][3] < boxes[1][1]
    assert boxes[0][2] <= boxes[2][0] < boxes[3][0]


@pytest.mark.parametrize("gap", [30, 50])
def test_evenly_spaced_digits_are_one_number(model: Model, gap: int) -> None:
    picture = page(["90210"], gap=gap)
    assert model.read_numbers(picture, 5).text == "90210"
    assert model.read_numbers(picture).text == "90210"


def test_a_number_is_on_one_side_of_a_wide_gap(model: Model) -> None:
    picture = page(["14    2705"])
    assert model.read_numbers(picture, 4).text == "2705"
    assert model.read_numbers(picture, 2).text == "14"
    assert model.read_numbers(picture, 6).text == "?"


@pytest.mark.parametrize("line", [1, 3])
def test_frames_lines_and_dots_are_not_read_as_digits(model: Model, line: int) -> None:
    picture = page(["5820"], margin=30)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((20, 20, picture.width - 20, picture.height - 20), outline=0, width=line)
    draw.line((30, picture.height - 50, picture.width - 30, picture.height - 46), 0, line)
    draw.ellipse(
        (picture.width - 70, picture.height - 85, picture.width - 62, picture.height - 77), 0
    )
    assert model.read_numbers(picture, 4).text == "5820"
    assert "5820" in texts(model.read_numbers(picture))


def test_boxes_lie_around_the_digits(model: Model) -> None:
    picture = page(["61"], scale=4, margin=20)
    (number,) = model.read_numbers(picture, 2).numbers
    ink = np.asarray(picture) < 128
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    expected = rows[0], columns[0], rows[-1] + 1, columns[-1] + 1
    assert np.abs(np.array(number.box) - expected).max() <= 4


def test_confidence_is_the_lowest_product(model: Model) -> None:
    numbers = model.read_numbers(page(["14", "308"]))
    products = [float(np.prod([d.confidence for d in n.digits])) for n in numbers.numbers]
    assert [number.confidence for number in numbers.numbers] == pytest.approx(products)
    assert numbers.confidence == min(products)


def test_doubtful_digits_are_question_marks(model: Model) -> None:
    strict = model.with_thresholds(1.0, model.calibration.min_evidence)
    (number,) = strict.read_numbers(page(["47"]), 2).numbers
    assert number.text == "??"
    assert [each.digit for each in number.digits] == [None, None]
    assert all(each.probabilities.argmax() == digit for each, digit in zip(number.digits, (4, 7)))


def test_a_number_with_too_many_digits_is_not_found(model: Model) -> None:
    numbers = model.read_numbers(page(["7"]), 9)
    assert (numbers.numbers, numbers.text, numbers.confidence) == ((), "?", 0.0)
    assert numbers.doubt == "expected a number of 9 digits, found none"


@pytest.mark.parametrize("digits", [0, -1, 1001, "5", 1.5, True])
def test_invalid_counts_of_digits_are_refused(model: Model, digits: Any) -> None:
    with pytest.raises(ValueError, match="digits: expected 1 to 1000 or None, found"):
        model.read_numbers(page(["7"]), digits)


def test_a_pattern_has_no_numbers_and_is_read_quickly(model: Model) -> None:
    squares = np.full((1400, 1400), 255, np.uint8)
    for row, column in np.ndindex(10, 10):
        squares[row + 2 :: 14, column + 2 :: 14] = 0
    assert model.read_numbers(squares).numbers == ()


def test_a_picture_without_ink_is_an_error(model: Model) -> None:
    with pytest.raises(ImageError, match="found no ink"):
        model.read_numbers(Image.new("L", (200, 100), 255))


def test_a_model_with_other_classes_reads_no_numbers(model: Model) -> None:
    letters = Model(replace(model.checkpoint, class_names=tuple("abcdefghij")), "letters.npz")
    with pytest.raises(CheckpointError, match=r"letters\.npz: expected the classes 0 to 9"):
        letters.read_numbers(page(["7"]))


def test_the_same_picture_gives_the_same_bits(model: Model) -> None:
    first, second = (model.read_numbers(page(["5820"]), 4).numbers[0] for _ in range(2))
    assert [d.evidence for d in first.digits] == [d.evidence for d in second.digits]
    assert repr(first) == repr(second)


def test_reading_a_page_leaves_no_memory_allocated(model: Model) -> None:
    import gc
    import tracemalloc

    picture = page(["1234567890"] * 6, scale=2)
    model.read_numbers(picture)
    gc.disable()
    try:
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        model.read_numbers(picture)
        assert tracemalloc.get_traced_memory()[0] - before < 1 << 20  # no reference cycles are left
    finally:
        tracemalloc.stop()
        gc.enable()
