"""HEIC pictures, with and without pillow-heif."""

import io
import re
import struct
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pillow_heif
import pytest
from conftest import MNIST, Run, read_mnist
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps
from test_image_memory import MARGIN, drawing, peak, saved

from digitnet.dataset.reader import read_data
from digitnet.errors import ImageError
from digitnet.image import heif, memory
from digitnet.image.files import open_picture, pictures_below
from digitnet.image.heif import is_heif, open_heif
from digitnet.image.reading import read

ORIENTATION = 0x0112  # Exif tag
FASTEST = {"preset": "ultrafast"}


def heic(image: Image.Image, orientation: int = 1, **options: Any) -> bytes:
    """Return a picture as HEIC, turned by the file's own means and by Exif data, as phones do."""
    exif, file = Image.Exif(), io.BytesIO()
    exif[ORIENTATION] = orientation
    pillow_heif.encode(
        image.mode, image.size, image.tobytes(), file, exif=exif.tobytes(), **options
    )
    return file.getvalue()


@pytest.fixture
def without_pillow_heif(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide pillow-heif, as if it were not installed."""
    monkeypatch.setitem(sys.modules, "pillow_heif", None)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_heic_is_read_as_any_other_picture(mode: str, tmp_path: Path) -> None:
    image = drawing(200, 150, mode)
    path = tmp_path / "7.heic"
    path.write_bytes(heic(image))
    expected, found = read(image), read(str(path))
    assert abs(found.image.astype(int) - expected.image).max() < 60
    np.testing.assert_allclose(found.box, expected.box, atol=2)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_heic_is_turned_upright_once(orientation: int) -> None:
    image = drawing(120, 80, "RGB")
    image.getexif()[ORIENTATION] = orientation
    expected = ImageOps.exif_transpose(image)
    found = open_picture(heic(image, orientation), "name")
    assert found.size == expected.size
    assert np.abs(np.asarray(found).astype(int) - np.asarray(expected)).mean() < 4


def test_more_than_8_bits_are_read() -> None:
    image, file = drawing(200, 150, "L"), io.BytesIO()
    deep = np.asarray(image).astype(np.uint16) * 257
    pillow_heif.encode("L;16", image.size, deep.tobytes(), file)
    assert abs(read(file.getvalue()).image.astype(int) - read(image).image).max() < 60


def test_several_pictures_in_one_file_are_refused() -> None:
    file, image = io.BytesIO(), drawing(100, 80, "RGB")
    pictures = pillow_heif.from_pillow(image)
    pictures.add_from_pillow(image)
    pictures.save(file)
    with pytest.raises(ImageError, match="expected one picture, found 2 in one file"):
        open_picture(file.getvalue(), "name")


def test_a_picture_larger_than_its_header_says_is_refused_before_it_is_decoded() -> None:
    size = struct.pack(">II", 1000, 1000)
    content = heic(drawing(1000, 1000, "L"))
    assert content.count(b"ispe\0\0\0\0" + size) == 1
    with pytest.raises(ImageError, match="Security limit exceeded: Image size 1000x1000"):
        open_picture(content.replace(size, struct.pack(">II", 64, 64)), "name")
    with pytest.raises(ImageError, match="at most 64,000,000 pixels, found 9000×9000"):
        open_picture(content.replace(size, struct.pack(">II", 9000, 9000)), "name")


def test_a_file_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heif, "MAX_BYTES", 1000)
    with pytest.raises(ImageError, match="expected HEIC of at most 1,000 bytes, found more"):
        open_picture(heic(drawing(100, 80, "RGB")) + bytes(1000), "name")


CONTENT = heic(drawing(60, 50, "RGB"))


@given(st.data())
def test_damaged_heic_is_one_line(data: st.DataObject) -> None:
    content = bytearray(CONTENT[: data.draw(st.integers(12, len(CONTENT)))])
    for at, value in data.draw(
        st.lists(st.tuples(st.integers(12, len(CONTENT)), st.integers(0, 255)), max_size=4)
    ):
        content[at : at + 1] = [value]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            message = f"x.heic: expected {open_picture(bytes(content), 'x.heic').mode}"
        except ImageError as error:
            message = str(error)
    assert re.fullmatch("x.heic: expected .+", message)


@pytest.mark.parametrize(
    ("options", "transformed"), [({}, 1), ({"chroma": 444, "tile_size": 512}, 6)], ids=str
)
def test_memory_use_of_heic_matches_the_estimate(
    options: dict[str, Any], transformed: int, tmp_path: Path
) -> None:
    small, large = tmp_path / "small", tmp_path / "large"
    small.write_bytes(heic(drawing(100, 100, "RGB")))
    content = heic(drawing(2500, 2500, "RGB"), transformed, enc_params=FASTEST, **options)
    large.write_bytes(content)
    needed = memory.bytes_needed(open_heif(content, "name"), content)
    before, most = peak(large, small)
    assert 0.6 * needed < most - before < needed + MARGIN


def test_a_photo_of_48_million_pixels_fits_the_memory() -> None:
    image = open_heif(heic(drawing(60, 50, "RGB")), "name")
    image._size = 8064, 6048
    assert memory.bytes_needed(image, bytes(10_000_000)) < memory.MAX_PICTURE_BYTES


def test_heif_is_told_from_other_formats() -> None:
    assert is_heif(heic(drawing(60, 50, "L")))
    avif = saved(drawing(60, 50, "RGB"), "AVIF")
    assert not is_heif(avif)
    assert not is_heif(avif.replace(b"ftypavif", b"ftypmif1"))  # still lists avif
    for other in (b"", b"\0\0\0\x1cftyp", b"\0\0\0\x18ftypisom\0\0\0\0isommp42", b"heic" * 9):
        assert not is_heif(other)


# --- Without pillow-heif ---


@pytest.mark.usefixtures("without_pillow_heif")
def test_without_pillow_heif_the_message_says_what_to_install() -> None:
    with pytest.raises(ImageError) as caught:
        open_picture(CONTENT, "x.heic")
    assert str(caught.value) == (
        "x.heic: expected a picture that Pillow reads, found HEIC; "
        "pip install 'digitnet[heic]', or convert the picture to JPEG"
    )
    assert open_picture(saved(drawing(60, 50, "RGB"), "AVIF"), "name").size == (60, 50)


def write_folder(folder: Path) -> Path:
    """Write class folders with one PNG each, and a HEIC under each of its extensions."""
    images, labels = read_mnist("train", 2)
    for image, label in zip(images, labels):
        (folder / str(label)).mkdir(parents=True)
        Image.fromarray(image).save(folder / str(label) / "0.png")
    for name in ("1.heic", "2.HEIF", "3.hif"):
        (folder / "5" / name).write_bytes(heic(Image.fromarray(images[0])))
    return folder


def test_heic_counts_as_a_picture_in_folders(tmp_path: Path) -> None:
    folder = write_folder(tmp_path)
    names = [Path(path).name for path in pictures_below(str(folder))]
    assert names == ["0.png", "0.png", "1.heic", "2.HEIF", "3.hif"]
    training = read_data(folder).training
    assert training.labels.tolist() == [0, 1, 1, 1, 1]
    assert not training.unreadable


@pytest.mark.usefixtures("without_pillow_heif")
def test_without_pillow_heif_no_heic_is_passed_over_in_silence(tmp_path: Path) -> None:
    training = read_data(write_folder(tmp_path)).training
    assert training.labels.tolist() == [0, 1]
    assert [Path(each.picture).name for each in training.unreadable] == [
        "1.heic",
        "2.HEIF",
        "3.hif",
    ]
    assert all("digitnet[heic]" in each.problem for each in training.unreadable)


def test_predict_reads_heic(run: Run, tmp_path: Path) -> None:
    four = Image.open(MNIST.parent / "pictures" / "four.png").convert("RGB")
    (tmp_path / "four.heic").write_bytes(heic(four))
    done = run("predict", tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(f"{tmp_path / 'four.heic'}\t4\t".encode())
