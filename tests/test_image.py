"""Pictures of any kind are prepared as MNIST's digits were; other inputs are refused."""

import errno
import io
import os
import struct
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import read_mnist
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image

from digitnet import load
from digitnet.errors import ImageError
from digitnet.image.field import THICKEST, fit_to_box
from digitnet.image.files import pictures_below
from digitnet.image.ink.uneven import _split
from digitnet.image.reading import prepare, read

IMAGES, _ = read_mnist("t10k", 300)
STROKE_WIDTHS = np.array([read(digit).stroke for digit in IMAGES])
DIGITS, THICK = IMAGES[STROKE_WIDTHS <= THICKEST][:100], IMAGES[STROKE_WIDTHS > THICKEST + 0.5]


def page(digit: np.ndarray, side: int, at: tuple[int, int] | None = None) -> np.ndarray:
    """Return a digit enlarged to `side` pixels, its pixels as squares, white on black.

    at: column and row of the digit on a page of twice that side; None for no page.
    """
    drawing = Image.fromarray(digit).resize((side, side), Image.Resampling.NEAREST)
    if at is None:
        return np.asarray(drawing)
    paper = Image.new("L", (2 * side, 2 * side), 0)
    paper.paste(drawing, at)
    return np.asarray(paper)


INK = page(DIGITS[0], 112, (15, 90))  # a 7, which differs from all its rotations and reflections
PAPER = Image.fromarray(255 - INK)  # black on white


@pytest.fixture(scope="module")
def seven() -> np.ndarray:
    """The prepared PAPER."""
    return prepare(PAPER)


def closeness(a: np.ndarray, b: np.ndarray) -> float:
    """Return the correlation coefficient of two pictures' pixels."""
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


def closeness_nearby(a: np.ndarray, b: np.ndarray) -> float:
    """Return the largest closeness with `a` shifted by up to a pixel: centring rounds to pixels."""
    steps = (-1, 0, 1)
    return max(closeness(np.roll(a, (y, x), (0, 1)), b) for y in steps for x in steps)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def refused(picture: Any, problem: str, name: str | None = None) -> None:
    """Assert that `prepare` refuses a picture in one line that names it and matches the pattern."""
    with pytest.raises(ImageError, match=problem) as caught:
        prepare(picture, name)
    assert str(caught.value).startswith(f"{name or picture}: ")
    assert "\n" not in str(caught.value)


# --- Prepared as MNIST was ---


def test_digits_of_mnist_come_back_unchanged() -> None:
    # Their size and position are right already. A faint outermost row or column may be cut off.
    close = [closeness(prepare(digit), digit) > 0.99 for digit in DIGITS]
    assert np.mean(close) >= 0.95


def test_thick_strokes_are_made_thinner_and_the_digit_is_kept() -> None:
    assert len(THICK) > 10
    for digit in THICK:
        found = read(digit)
        assert read(found.image).stroke < THICKEST + 0.6 < found.stroke + 0.1
        assert closeness_nearby(found.image, digit) > 0.8


@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("at", [None, (0, 0), (30, 7)])
@pytest.mark.parametrize(("side", "n"), [(28, 100), (150, 50), (1000, 8)])
def test_digits_are_kept_at_any_size_and_position(
    side: int, n: int, at: tuple[int, int] | None, inverted: bool
) -> None:
    for digit in DIGITS[:n]:
        ink = page(digit, side, at)
        assert closeness_nearby(prepare(255 - ink if inverted else ink), digit) > 0.95


@pytest.mark.parametrize("side", [28, 150, 1000])
def test_most_digits_keep_their_exact_position(side: int) -> None:
    found = [closeness(prepare(page(digit, side)), digit) for digit in DIGITS[:25]]
    assert np.median(found) > 0.95


def extent(picture: np.ndarray) -> tuple[int, int]:
    """Return the height and the width of the ink, px."""
    rows, columns = np.nonzero(picture)
    return int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1


def centre(picture: np.ndarray) -> np.ndarray:
    """Return the centre of mass, row and column; 0 is the middle of the first pixel."""
    mass = picture.astype(float)
    places = np.indices(picture.shape)
    return (places * mass).sum(axis=(1, 2)) / mass.sum()


def test_centre_of_mass_lies_on_the_pixel_where_mnist_has_it() -> None:
    for digit in DIGITS:
        assert (np.abs(centre(digit) - 14) <= 0.51).all()  # MNIST has it there
        assert (np.abs(centre(prepare(page(digit, 84, (9, 40)))) - 14) <= 0.51).all()


def test_longer_side_gets_20_pixels_and_the_aspect_ratio_is_kept() -> None:
    for shape, expected in (((200, 100), (20, 10)), ((12, 120), (2, 20)), ((7, 7), (20, 20))):
        found = prepare(np.pad(np.full(shape, 255, np.uint8), 50))
        assert extent(found) == expected
        assert set(found.flat) == {0, 255}


def test_scaling_down_averages_the_covered_pixels() -> None:
    # Full ink on the left, a chequerboard of single pixels on the right: scaled down, an even grey.
    ink = np.full((400, 400), 255, np.uint8)
    ink[:, 200:] *= np.indices((400, 200), np.uint8).sum(axis=0, dtype=np.uint8) % 2
    found = fit_to_box(ink.astype(np.float32), 3 * 20)  # MNIST's stroke width, which is kept
    assert found.shape == (20, 20)
    np.testing.assert_allclose(found[:, :9], 255, rtol=1e-5)
    np.testing.assert_allclose(found[1:-1, 11:-1], 127.5, atol=3)


def test_thin_strokes_do_not_fade() -> None:
    assert prepare(np.pad(np.full((500, 2), 255, np.uint8), 200)).max() == 255
    cross = np.zeros((1000, 1000), np.uint8)
    cross[400:403, 100:900] = cross[100:900, 500:503] = 255
    assert prepare(cross).max() == 255


def test_ink_stays_inside_the_field_with_its_centre_of_mass_off_its_middle() -> None:
    ink = np.zeros((100, 100), np.uint8)
    ink[10:14, 10:90] = 255  # a broad line at the top
    ink[14:90, 49:51] = 255  # and a thin one down from it
    found = prepare(ink)
    assert extent(found) == (20, 20)
    assert found[27].any()


@given(
    arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=40)),
    st.integers(0, 3),
)
def test_any_array_gives_a_digit_on_its_field_or_has_no_ink(array: np.ndarray, pad: int) -> None:
    """Low contrast is never ink; high contrast may be noise or a sheet, which is not ink either."""
    array = np.pad(array, pad)
    border = np.concatenate([array[0], array[-1], array[:, 0], array[:, -1]])
    contrast = np.abs(array.astype(int) - np.sort(border)[len(border) // 2]).max() / 255
    if contrast < 0.1:
        refused(array, "no ink", "scrawl")
        return
    try:
        found = prepare(array)
    except ImageError:
        refused(array, "no ink|an empty sheet or box", "scrawl")
        return
    assert (found.shape, found.dtype) == ((28, 28), np.uint8)
    assert 1 <= max(extent(found)) <= 20


# --- Ink and paper ---


def test_fine_lines_everywhere_are_not_a_digit_and_cause_no_warning() -> None:
    lines = np.full((300, 300), 255, np.uint8)
    lines[1::4] = 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load().predict(lines).digit is load().predict(lines.T).digit is None


def test_white_on_black_gives_the_same_as_black_on_white(seven: np.ndarray) -> None:
    np.testing.assert_allclose(prepare(INK).astype(int), seven, atol=1)


def test_grey_pencil_on_grey_paper_gives_the_same_as_black_on_white(seven: np.ndarray) -> None:
    faded = (180 - INK * (60 / 255)).astype(np.uint8)
    np.testing.assert_allclose(prepare(faded).astype(int), seven, atol=10)


def test_faint_specks_far_from_the_digit_are_ignored(seven: np.ndarray) -> None:
    speckled = 255 - INK
    speckled[3, 3] = speckled[-4, -4] = 225  # 12 % of the ink
    np.testing.assert_array_equal(prepare(speckled), seven)


@pytest.mark.parametrize("shade", [0, 128, 255])
def test_blank_page_has_no_ink(shade: int, tmp_path: Path) -> None:
    Image.new("L", (40, 30), shade).save(tmp_path / "blank.png")
    refused(tmp_path / "blank.png", "no ink")


def test_page_of_faint_noise_has_no_ink() -> None:
    noise = np.random.default_rng(0).integers(236, 256, (60, 60)).astype(np.uint8)
    refused(noise, "no ink", "noise")


def test_page_of_faint_noise_in_sixteen_bits_has_no_ink() -> None:
    noise = np.random.default_rng(0).integers(60_000, 65_536, (60, 60)).astype(np.uint16)
    refused(noise, "no ink", "noise")


def test_fully_transparent_page_has_no_ink() -> None:
    refused(Image.new("RGBA", (40, 30), (0, 0, 0, 0)), "no ink", "nothing")


# --- All kinds of pictures ---


def test_path_bytes_image_and_array_give_the_same(tmp_path: Path, seven: np.ndarray) -> None:
    PAPER.save(tmp_path / "7.png")
    everything = (
        tmp_path / "7.png",
        str(tmp_path / "7.png"),
        (tmp_path / "7.png").read_bytes(),
        PAPER,
        np.asarray(PAPER),
        np.asarray(PAPER.convert("RGB")),
    )
    for picture in everything:
        np.testing.assert_array_equal(prepare(picture), seven)


def test_the_input_is_not_modified() -> None:
    image, array = PAPER.copy(), np.array(PAPER)
    prepare(image)
    prepare(array)
    np.testing.assert_array_equal(np.asarray(image), np.asarray(PAPER))
    np.testing.assert_array_equal(array, np.asarray(PAPER))


@pytest.mark.parametrize("kind", ["PNG", "GIF", "BMP", "TIFF", "PPM", "TGA"])
def test_lossless_formats_give_the_same(kind: str, seven: np.ndarray) -> None:
    np.testing.assert_array_equal(prepare(encoded(PAPER, kind)), seven)


def test_jpeg_gives_nearly_the_same(seven: np.ndarray) -> None:
    assert closeness(prepare(encoded(PAPER, "JPEG", quality=75)), seven) > 0.98


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparent_paper_counts_as_white(mode: str, seven: np.ndarray) -> None:
    image = Image.new(mode, PAPER.size, 0)  # black everywhere, opaque only where there is ink
    image.putalpha(Image.fromarray(INK))
    np.testing.assert_allclose(prepare(encoded(image, "PNG")).astype(int), seven, atol=2)


@pytest.mark.parametrize("tint", [(245, 225, 226), (248, 224, 236), (251, 248, 224)])
def test_faint_tints_on_transparent_paper_are_visible(
    tint: tuple[int, int, int], seven: np.ndarray
) -> None:
    drawing = Image.new("RGBA", seven.shape[::-1], (*tint, 0))
    drawing.putalpha(Image.fromarray(seven))
    assert np.corrcoef(prepare(drawing).ravel(), prepare(seven).ravel())[0, 1] > 0.95


def test_opaque_alpha_changes_nothing(seven: np.ndarray) -> None:
    np.testing.assert_array_equal(prepare(encoded(PAPER.convert("RGBA"), "PNG")), seven)


@pytest.mark.parametrize("transparency", [{}, {"transparency": 1}])
def test_palette_is_applied(transparency: dict[str, int]) -> None:
    drawn = INK > 127
    image = Image.fromarray(np.where(drawn, 0, 1).astype(np.uint8), "L").convert("P")
    image.putpalette([20, 0, 60] + ([0, 0, 0] if transparency else [250, 255, 240]))
    expected = prepare(np.where(drawn, 0, 255).astype(np.uint8))
    np.testing.assert_array_equal(prepare(encoded(image, "PNG", **transparency)), expected)


def test_one_bit_is_black_and_white() -> None:
    drawn = INK > 127
    expected = prepare(np.where(drawn, 0, 255).astype(np.uint8))
    np.testing.assert_array_equal(prepare(encoded(Image.fromarray(~drawn), "PNG")), expected)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_give_the_same_as_eight(kind: str, seven: np.ndarray) -> None:
    deep = Image.fromarray((255 - INK).astype(np.uint16) * 257)
    assert deep.mode == "I;16"
    np.testing.assert_array_equal(prepare(encoded(deep, kind)), seven)


def test_floats_and_wide_integers_give_the_same_as_eight_bits(seven: np.ndarray) -> None:
    for dtype in (np.float32, np.int32):
        wide = Image.fromarray((255 - INK).astype(dtype))
        np.testing.assert_allclose(prepare(encoded(wide, "TIFF")).astype(int), seven, atol=1)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_nan_and_infinity_are_refused(value: float) -> None:
    spoilt = np.where(INK > 127, np.float32(value), np.float32(1))
    refused(encoded(Image.fromarray(spoilt), "TIFF"), "expected", "spoilt.tif")


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk_is_converted(kind: str, seven: np.ndarray) -> None:
    assert closeness(prepare(encoded(PAPER.convert("CMYK"), kind)), seven) > 0.98


def test_coloured_ink_on_coloured_paper_is_separated() -> None:
    drawn = (INK > 127)[..., None]
    image = np.where(drawn, np.array([120, 0, 0]), np.array([255, 240, 180])).astype(np.uint8)
    expected = prepare(np.where(drawn[..., 0], 0, 255).astype(np.uint8))
    np.testing.assert_allclose(prepare(image).astype(int), expected, atol=1)


# How a camera stores an upright picture under each orientation (Exif 2.3, tag 0x0112).
STORED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@pytest.mark.parametrize("orientation", STORED)
def test_picture_is_turned_upright_by_its_exif_orientation(
    orientation: int, seven: np.ndarray
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    photo = PAPER.transpose(STORED[orientation])
    assert closeness_nearby(prepare(photo), seven) < 0.9
    np.testing.assert_array_equal(prepare(encoded(photo, "PNG", exif=exif)), seven)


# --- Inputs that are refused ---


def test_missing_file_is_refused(tmp_path: Path) -> None:
    refused(tmp_path / "none.png", "no such file")


@pytest.mark.parametrize("content", [b"", b"text, whatever its ending says\n"])
def test_file_that_is_not_a_picture_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "four.png").write_bytes(content)
    refused(tmp_path / "four.png", "expected a picture")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "TIFF"])
def test_truncated_picture_is_refused(kind: str, tmp_path: Path) -> None:
    content = encoded(PAPER, kind)
    (tmp_path / "four").write_bytes(content[: len(content) // 2])
    refused(tmp_path / "four", "expected a readable picture")


def test_directory_is_refused(tmp_path: Path) -> None:
    refused(tmp_path, "expected")


@pytest.mark.usefixtures("impatient")
def test_named_pipe_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "four.png")
    refused(tmp_path / "four.png", "expected")


@pytest.mark.parametrize("kind", ["GIF", "PNG", "TIFF"])
def test_animated_picture_is_refused(kind: str, tmp_path: Path) -> None:
    more = [Image.fromarray(INK), PAPER.rotate(20)]
    (tmp_path / "film").write_bytes(encoded(PAPER, kind, save_all=True, append_images=more))
    refused(tmp_path / "film", "expected one picture, found 3")


@pytest.mark.parametrize("size", [(8001, 8000), (10_000, 9000), (20_000, 10_000)])
def test_picture_with_too_many_pixels_is_refused(size: tuple[int, int], tmp_path: Path) -> None:
    content = encoded(Image.new("1", (1, 1)), "PNG")
    header = b"IHDR" + struct.pack(">II", *size) + content[24:29]
    checksum = struct.pack(">I", zlib.crc32(header))
    (tmp_path / "poster.png").write_bytes(content[:12] + header + checksum + content[33:])
    refused(tmp_path / "poster.png", "expected at most 64,000,000 pixels")


@pytest.mark.parametrize("shape", [(0, 0), (0, 28), (28, 0)])
def test_array_without_pixels_is_refused(shape: tuple[int, int]) -> None:
    refused(np.zeros(shape, np.uint8), "without pixels", "empty")


@pytest.mark.parametrize("array", [np.zeros((2, 28, 28, 3), np.uint8), np.zeros((9, 9), complex)])
def test_array_that_is_not_a_picture_is_refused(array: np.ndarray) -> None:
    refused(array, "expected a picture, found an array", "array")


def test_picture_without_a_path_is_called_by_the_given_name() -> None:
    refused(b"", "expected a picture", "standard input")


@pytest.mark.parametrize("size", [1, 20])
def test_gif_that_ends_within_an_extension_is_refused(size: int) -> None:
    content = encoded(PAPER, "GIF").removesuffix(b";")
    refused(content + b"!\xf9\x04"[:size], "expected", "four.gif")


TINY = Image.fromarray(255 - page(DIGITS[0], 28))


@pytest.fixture(scope="module", params=["PNG", "GIF", "JPEG", "BMP", "PPM"])
def sound(request: pytest.FixtureRequest) -> bytes:
    """The file of a small picture."""
    return encoded(TINY, request.param)


@given(data=st.data())
def test_damaged_files_give_a_digit_or_an_image_error(sound: bytes, data: st.DataObject) -> None:
    content = bytearray(sound)
    place = st.integers(0, len(content) - 1)
    for at, byte in data.draw(st.lists(st.tuples(place, st.integers(0, 255)), max_size=4)):
        content[at] = byte
    end = data.draw(st.none() | place)
    try:
        found = prepare(bytes(content[:end]), "four")
    except ImageError as error:
        message = str(error)
        assert message.startswith("four: expected")
        return
    assert (found.shape, found.dtype) == ((28, 28), np.uint8)


def test_integer_and_single_channel_arrays_give_the_same() -> None:
    images, _ = read_mnist("train", 1)
    expected = prepare(images[0])
    assert np.array_equal(prepare(images[0].astype(np.int64)), expected)
    assert np.array_equal(prepare(images[0][:, :, None]), expected)


@pytest.mark.parametrize("picture", [None, 3, np.zeros(784), np.zeros((2, 28, 28, 3))])
def test_other_objects_are_refused(picture: object) -> None:
    with pytest.raises(ImageError, match=r"expected a picture, found (NoneType|int|an array)"):
        prepare(picture)  # type: ignore[arg-type]


def test_a_folder_that_cannot_be_read_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unreadable, readable = tmp_path / "unreadable", tmp_path / "readable"
    for folder in (unreadable, readable):
        folder.mkdir()
        (folder / "7.png").touch()
    scandir = os.scandir

    def refusing(path: str) -> Any:
        if os.fspath(path) == os.fspath(unreadable):
            raise PermissionError(13, "Permission denied", os.fspath(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    assert list(pictures_below(str(tmp_path))) == [str(readable / "7.png"), str(unreadable)]
    with pytest.raises(ImageError, match=r"unreadable: .* Permission denied"):
        read(unreadable)


def test_ink_of_one_value_is_split_without_a_warning() -> None:
    strength = np.zeros((20, 20), np.float32)
    strength[3, 4:7] = 0.03  # too faint, and there is no darker ink
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert _split(strength) is None


def test_too_many_open_files_are_not_an_image_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def open_none(*_: object) -> int:
        raise OSError(errno.EMFILE, "Too many open files")

    Image.new("L", (8, 8)).save(tmp_path / "8.png")
    monkeypatch.setattr(os, "open", open_none)
    with pytest.raises(OSError, match="Too many"):
        read(tmp_path / "8.png")
