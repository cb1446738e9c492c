"""The memory that a picture takes is estimated before the picture is decoded, and limited."""

import io
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import ENVIRONMENT
from PIL import Image, ImageDraw

from digitnet.errors import ImageError
from digitnet.image import memory
from digitnet.image.files import SHRUNK, open_picture
from digitnet.image.reading import read

SIDE = 3000  # px: of a large picture
PROCESS_LIMIT = 512 << 20  # bytes: a process must stay below this
MARGIN = 16 << 20  # bytes: reading takes these in addition, whatever the picture's size
PEAK = """
import re, sys
from pathlib import Path
from digitnet.image.files import open_picture
from digitnet.image.reading import first_look, look_closer
def status(name):
    found = re.search(name + r":\\s*(\\d+)", Path("/proc/self/status").read_text())
    return int(found[1]) << 10
look_closer(first_look(open_picture(Path(sys.argv[2]), "first"), "first"), "first")
before = status("VmRSS")
Path("/proc/self/clear_refs").write_text("5")
look_closer(first_look(open_picture(Path(sys.argv[1]), "name"), "name"), "name")
print(before, status("VmHWM"))
"""


def drawing(width: int, height: int, mode: str) -> Image.Image:
    """Return a black 7 on white."""
    image = Image.new(mode, (width, height), "white")
    points = [
        (0.3 * width, 0.2 * height),
        (0.7 * width, 0.2 * height),
        (0.45 * width, 0.8 * height),
    ]
    ImageDraw.Draw(image).line(points, fill="black", width=min(width, height) // 20)
    return image


def peak(path: Path, first: Path) -> tuple[int, int]:
    """Return the resident memory of a process before and, at most, while it reads a picture, bytes.

    first: a small picture of the same kind, read before so that the decoder is loaded.
    """
    done = subprocess.run(
        [sys.executable, "-c", PEAK, path, first], capture_output=True, env=ENVIRONMENT, check=True
    )
    before, most = map(int, done.stdout.split())
    return before, most


KINDS: list[tuple[str, str, dict[str, Any]]] = [
    ("RGB", "WEBP", {"method": 0}),
    ("RGB", "JPEG2000", {}),
    ("RGB", "JPEG", {"progressive": True, "subsampling": 0}),
    ("RGBA", "PNG", {"compress_level": 1}),
    ("L", "TIFF", {"compression": "tiff_lzw", "strip_size": 1 << 40}),
]


@pytest.mark.parametrize(("mode", "kind", "options"), KINDS, ids=str)
def test_memory_use_matches_the_estimate(
    mode: str, kind: str, options: dict[str, Any], tmp_path: Path
) -> None:
    small, large = tmp_path / "small", tmp_path / "large"
    drawing(100, 100, mode).save(small, kind, **options)
    drawing(SIDE, SIDE, mode).save(large, kind, **options)
    content = large.read_bytes()
    needed = memory.bytes_needed(Image.open(io.BytesIO(content)), content)
    before, most = peak(large, small)
    assert 0.6 * needed < most - before < needed + MARGIN
    assert before + memory.MAX_PICTURE_BYTES + MARGIN < PROCESS_LIMIT


def test_a_picture_that_needs_too_much_memory_is_halved_or_refused(tmp_path: Path) -> None:
    small, large = tmp_path / "small.jp2", tmp_path / "large.jp2"
    drawing(100, 100, "RGB").save(small)
    drawing(5000, 4700, "RGB").save(large)  # 470 MB at its own size
    before, most = peak(large, small)
    assert most - before < 150 << 20
    with pytest.raises(ImageError, match="at most 440 MB of memory, found 8000×8000 CMYK"):
        open_picture(Image.new("CMYK", (8000, 8000)), "name")


@pytest.fixture
def small_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thirtieth of the memory limit, so that small pictures reach it."""
    monkeypatch.setattr(memory, "MAX_PICTURE_BYTES", memory.MAX_PICTURE_BYTES // 30)
    monkeypatch.setattr(memory, "SMALL_PICTURE", 0)


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


@pytest.mark.usefixtures("small_memory")
@pytest.mark.parametrize(
    ("kind", "options"), [("JPEG2000", {}), ("JPEG", {"progressive": True, "subsampling": 0})]
)
def test_a_halved_picture_has_its_box_in_pixels_of_the_whole_picture(
    kind: str, options: dict[str, Any]
) -> None:
    image = drawing(1500, 1100, "RGB")
    content = saved(image, kind, **options)
    shrunk, whole = open_picture(content, "name"), open_picture(image, "name")
    assert shrunk.size == (750, 550)
    assert shrunk.info[SHRUNK] == 2
    assert whole.size == (1500, 1100)
    assert SHRUNK not in whole.info
    found, expected = read(content), read(image)
    assert found.box == pytest.approx(expected.box, abs=6)
    assert abs(found.image.astype(int) - expected.image).max() < 40


@pytest.mark.usefixtures("small_memory")
@pytest.mark.parametrize("kind", ["WEBP", "PNG", "TIFF"])
def test_a_picture_that_cannot_be_halved_is_refused_with_its_memory(kind: str) -> None:
    content = saved(drawing(2000, 1900, "RGBA" if kind == "PNG" else "RGB"), kind)
    with pytest.raises(
        ImageError, match=f"at most 14 MB of memory, found 2000×1900 {kind}"
    ) as caught:
        open_picture(content, "name")
    assert str(caught.value).endswith(" MB; make it smaller")


@pytest.mark.usefixtures("small_memory")
def test_a_rotated_picture_needs_more_memory() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    image = drawing(1700, 1700, "RGB")
    assert open_picture(saved(image, "PNG"), "name").size == (1700, 1700)
    with pytest.raises(ImageError, match="at most 14 MB of memory, found 1700×1700 PNG RGB"):
        open_picture(saved(image, "PNG", exif=exif), "name")
    assert open_picture(saved(image, "JPEG"), "name").size == (1700, 1700)
    assert open_picture(saved(image, "JPEG", exif=exif), "name").size == (850, 850)


def test_a_jpeg_whose_first_scan_lacks_bands_needs_more_memory() -> None:
    image = drawing(60, 50, "RGB")
    assert memory._bands_of_first_scan(saved(image, "JPEG")) == 3
    assert memory._bands_of_first_scan(saved(image.convert("L"), "JPEG")) == 1
    assert memory._bands_of_first_scan(saved(image, "JPEG")[:90]) == 0
    content = saved(image, "JPEG")
    at = content.index(b"\xff\xda")
    content = content[: at + 4] + b"\1" + content[at + 5 :]
    opened = Image.open(io.BytesIO(content))
    assert memory.bytes_needed(opened, content) >= memory.bytes_needed(opened, b"") + 2 * 60 * 50


def test_an_avif_of_more_than_8_bits_needs_more_memory() -> None:
    content = saved(drawing(60, 50, "RGB"), "AVIF")
    at = content.index(b"av1C") + 6
    deep = content[:at] + b"\x40" + content[at + 1 :]
    opened = Image.open(io.BytesIO(content))
    assert memory.bytes_needed(opened, deep) > 1.3 * memory.bytes_needed(opened, content)


def icon(side: int) -> bytes:
    """Return an ICO whose header says 16×16, with a larger PNG inside."""
    inside = saved(drawing(side, side, "RGBA"), "PNG", compress_level=1)
    entry = struct.pack("<BBBBHHII", 16, 16, 0, 0, 1, 32, len(inside), 22)
    return struct.pack("<HHH", 0, 1, 1) + entry + inside


def icns(side: int) -> bytes:
    """Return an ICNS whose header says 128×128, with a JPEG 2000 inside."""
    inside = saved(drawing(side, side, "RGBA"), "JPEG2000")
    return struct.pack(">4sI4sI", b"icns", len(inside) + 16, b"ic07", len(inside) + 8) + inside


def test_a_picture_inside_an_icon_must_not_be_larger_than_icons_are() -> None:
    usual = Image.MAX_IMAGE_PIXELS
    assert open_picture(saved(drawing(256, 256, "RGBA"), "ICO"), "name").size == (256, 256)
    assert open_picture(icns(128), "name").size == (128, 128)
    for content in (icon(1500), icns(1500)):
        with pytest.raises(ImageError, match="found more than 2,000,000 pixels inside an icon"):
            open_picture(content, "name")
    assert usual == Image.MAX_IMAGE_PIXELS
