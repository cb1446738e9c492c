"""Arrays of pictures and labels, as people have them, become uint8 (n, 28, 28) and int64 (n,)."""

import contextlib
import re
from typing import Any

import numpy as np
import pytest
from conftest import read_mnist
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image

import digitnet
from digitnet.dataset.definition import ReadOptions
from digitnet.dataset.shapes import make_dataset, to_images, to_labels
from digitnet.errors import DataError

IMAGES, LABELS = read_mnist("t10k", 20)
ONE_HOT = np.eye(10, dtype=np.uint8)[LABELS]
COLOURS = np.repeat(IMAGES[..., np.newaxis], 3, axis=3)


def remarks_of(images: np.ndarray) -> tuple[str, ...]:
    """Assert that an array is read as IMAGES; return the remarks."""
    read, remarks = to_images("FILE: images", images)
    assert read.dtype == np.uint8
    np.testing.assert_array_equal(read, IMAGES)
    return remarks


def assert_refused(call: Any, array: np.ndarray, problem: str) -> None:
    with pytest.raises(DataError, match=f"^FILE: array: .*{problem}"):
        call("FILE: array", array)


@pytest.mark.parametrize(
    "shape", [(20, 784), (20, 28, 28, 1), (20, 1, 28, 28), (20, 784, 1), (20, 1, 784)]
)
def test_axes_of_length_1_are_dropped_without_a_copy(shape: tuple[int, ...]) -> None:
    images = IMAGES.reshape(shape)
    assert remarks_of(images) == ()
    assert np.shares_memory(to_images("", images)[0], images)


@pytest.mark.parametrize("images", [COLOURS, np.moveaxis(COLOURS, 3, 1)], ids=["last", "first"])
def test_grey_pictures_with_three_channels_are_read(images: np.ndarray) -> None:
    assert remarks_of(images) == ()


@pytest.mark.parametrize("first", [False, True])
def test_pictures_in_colours_are_refused_with_the_cure(first: bool) -> None:
    colours = COLOURS.copy()
    colours[7, 14, 14] = 255, 0, 0
    colours = np.moveaxis(colours, 3, 1) if first else colours
    with pytest.raises(DataError, match="expected grey pictures, found colours") as caught:
        to_images("", colours)
    cure = re.search("save (images.*)", str(caught.value))
    assert cure
    assert to_images("", eval(cure[1], {"images": colours}))[0].shape == IMAGES.shape


@pytest.mark.parametrize(
    ("images", "found"),
    [
        (IMAGES / 255, "0 to 1; digitnet multiplies them by 255"),
        ((IMAGES / np.float32(255)).astype(np.float32), "0 to 1; "),
        ((IMAGES / 255).astype(np.float16), "0 to 1; "),
        (IMAGES / 127.5 - 1, "-1 to 1; digitnet adds 1"),
    ],
    ids=["float64", "float32", "float16", "-1 to 1"],
)
def test_floats_of_a_known_range_are_converted_with_a_remark(
    images: np.ndarray, found: str
) -> None:
    (remark,) = remarks_of(images)
    assert remark.startswith(f"FILE: images: expected pixels from 0 to 255, found {found}")


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16, np.uint64])
def test_whole_numbers_of_any_type_keep_their_values(dtype: Any) -> None:
    assert remarks_of(IMAGES.astype(dtype)) == ()


def test_images_of_true_and_false_are_converted_with_a_remark() -> None:
    read, (remark,) = to_images("FILE: images", IMAGES > 127)
    np.testing.assert_array_equal(read, (IMAGES > 127) * 255)
    assert "found 0 to 1; digitnet multiplies them by 255/1" in remark


def test_light_paper_is_inverted_after_the_range_is_known() -> None:
    range_remark, paper_remark = remarks_of(1 - IMAGES / 255)
    assert "multiplies" in range_remark
    assert "inverts" in paper_remark


@pytest.mark.parametrize(
    ("images", "problem"),
    [
        ((IMAGES / 255 - 0.1307) / 0.3081, "found -0.4242 to 2.82.; undo the normalisation"),
        (IMAGES / 255 - 0.5, "from 0 to 255, found -0.5 to 0.5; undo the normalisation"),
        (IMAGES * 0.9, "expected whole pixels from 0 to 255, found 0 to 229.5; .*numpy.rint"),
        (IMAGES * 257.0, "expected pixels from 0 to 255, found 0 to 65535|6.554e"),
        (np.where(IMAGES == 254, np.nan, IMAGES), "picture 1: expected finite pixels, found NaN"),
        (np.where(IMAGES == 254, np.inf, IMAGES), "picture 1: expected finite pixels, found NaN"),
        (IMAGES + 0j, "expected pixels that are numbers, found the type complex128"),
        (IMAGES[:, :, :27], "expected pictures of 28×28 pixels, found 28×27$"),
        (np.moveaxis(IMAGES, 0, -1), "found 28×20; .*numpy.moveaxis"),
        (IMAGES[:, :7, :7], "expected pictures of 28×28 pixels, found 7×7"),
        (np.zeros((0, 28, 28)), "expected pictures, found none"),
    ],
)
def test_other_arrays_are_refused_with_cause_and_cure(images: np.ndarray, problem: str) -> None:
    assert_refused(to_images, images, problem)


def resized(side: int, images: np.ndarray = IMAGES) -> np.ndarray:
    small = [Image.fromarray(image).resize((side, side), Image.Resampling.BOX) for image in images]
    return np.stack([np.asarray(image) for image in small])


@pytest.mark.parametrize("side", [16, 32, 56])
def test_squares_of_another_side_are_drawn_as_predict_reads_pictures(side: int) -> None:
    images, labels = read_mnist("t10k", 60)
    read, (remark,) = to_images("FILE: images", resized(side, images))
    assert digitnet.load().score(read, labels.astype(int)) >= 0.95
    assert remark == (
        f"FILE: images: expected pictures of 28×28 pixels, found {side}×{side}; "
        "digitnet draws them to 28×28 as predict reads pictures"
    )


@pytest.mark.parametrize("side", [8, 16, 32])
def test_flat_rows_of_another_side_are_drawn_like_squares(side: int) -> None:
    squares = resized(side)
    flat, _ = to_images("", squares.reshape(20, -1))
    np.testing.assert_array_equal(flat, to_images("", squares)[0])


def test_digits_of_8x8_pixels_up_to_16_are_drawn_at_full_contrast() -> None:
    images = np.rint(resized(8) / 16)
    images[:, 3, 3] = 16
    read, remarks = to_images("", images)
    assert (read.max(axis=(1, 2)) > 200).all()
    assert len(remarks) == 2


def test_a_blank_square_becomes_zeros() -> None:
    squares = resized(16)
    squares[3] = 0
    read, _ = to_images("", squares)
    assert not read[3].any()
    assert read[[2, 4]].any(axis=(1, 2)).all()


def test_drawing_reports_its_progress() -> None:
    calls: list[tuple[int, int]] = []
    to_images("", resized(16), ReadOptions(report=lambda done, of: calls.append((done, of))))
    assert calls[-1] == (20, 20)


def test_drawing_is_the_same_in_several_processes() -> None:
    squares = np.tile(resized(16), (30, 1, 1))
    together, _ = to_images("", squares, ReadOptions(parallel=True))
    np.testing.assert_array_equal(together, np.tile(to_images("", resized(16))[0], (30, 1, 1)))


@pytest.mark.parametrize(
    "labels",
    [
        LABELS,
        LABELS[:, np.newaxis],
        ONE_HOT,
        ONE_HOT.astype(bool),
        ONE_HOT.astype(np.float32),
        LABELS.astype(np.float64),
        LABELS.astype(str),
        LABELS.astype("S"),
    ],
    ids=["(n,)", "(n, 1)", "one-hot", "one-hot bool", "one-hot floats", "floats", "text", "bytes"],
)
def test_labels_of_any_kind_are_read(labels: np.ndarray) -> None:
    read = to_labels("", labels)
    assert read.dtype == np.int64
    np.testing.assert_array_equal(read, LABELS)


@pytest.mark.parametrize(
    ("labels", "problem"),
    [
        (np.array([3, 26]), "picture 2: .* 0 to 9, found 26; for letters .* folder of pictures"),
        (np.array([3, -1]), "picture 2: expected a label from 0 to 9, found -1"),
        (np.array([3, 2.5]), "picture 2: expected a label from 0 to 9, found 2.5"),
        (np.array([3, np.nan]), "picture 2: expected a label from 0 to 9, found nan"),
        (np.array(["3", "seven"]), "expected labels from 0 to 9, found other text; for letters"),
        (np.array(["9" * 20]), "expected labels from 0 to 9, found other text; for letters"),
        (np.array([3 + 0j]), "found the type complex128"),
        (np.eye(26)[[1, 24]], "picture 2: expected a label from 0 to 9, found 24"),
        (np.full((2, 10), 0.1), "picture 1: expected a single label, or one-hot"),
        (np.array([[0, 1], [1, 1]]), "picture 2: expected a single label, or one-hot"),
        (np.zeros((2, 2, 2), int), "expected labels in one dimension, or one-hot, found the shape"),
        (np.array(3), "expected labels in one dimension"),
    ],
)
def test_other_labels_are_refused_with_cause_and_cure(labels: np.ndarray, problem: str) -> None:
    assert_refused(to_labels, labels, problem)


def test_another_number_of_labels_is_refused() -> None:
    with pytest.raises(DataError, match=r"^y: expected 20 labels, .* picture of x; found 19"):
        make_dataset("FILE", "x", IMAGES, "y", LABELS[:19])


@given(
    arrays(
        st.sampled_from([np.uint8, np.int8, np.float32, np.bool_, "U1", np.complex64]),
        array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=9),
    )
)
@settings(max_examples=60)
def test_any_array_is_read_or_refused(array: np.ndarray) -> None:
    with contextlib.suppress(DataError):
        assert to_images("", array)[0].shape == (len(array), 28, 28)
    with contextlib.suppress(DataError):
        assert to_labels("", array).shape == (len(array),)
