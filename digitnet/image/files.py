"""Picture files of any kind, opened with suspicion: upright, on paper, and how light they are."""

import io
import math
import os
import stat
import struct
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, UnidentifiedImageError

from digitnet.arrays import PIXELS, FloatArray
from digitnet.errors import ImageError, shortage
from digitnet.image import memory
from digitnet.paths import why_missing

MAX_PIXELS = 64_000_000
MAX_NESTED = 2_000_000  # pixels of a picture within a file of another kind: icons have 1024×1024
NESTING = (b"\0\0\1\0", b"icns", b"BLP", b"\x1c")  # the first bytes of ICO, ICNS, BLP, IPTC
SHRUNK = "digitnet: shrunk"  # in a picture's `info`: how many times smaller it was decoded
MAX_BYTES = 256_000_000
_NESTING_LOCK = threading.Lock()  # Pillow has one bound for all threads
LEVELS = np.arange(256, dtype=np.float32) / 255  # brightness of each value of a byte
VISIBLE = 0.1  # of black to white: if less is seen on white, transparent paper is black
TURNING = {"exif", "xmp", "Raw profile type exif", "XML:com.adobe.xmp"}  # where PNG has Exif
CHUNK = 4096  # bytes that a file may be longer than it said, to be read at once
PNG = b"\x89PNG\r\n\x1a\n"  # the first bytes of such a file (ISO/IEC 15948, section 5.2)

Picture = str | os.PathLike[str] | bytes | Image.Image | NDArray[Any]
Claim = Callable[[int], object]  # waits until so many bytes of memory are free


class _NoPicture(Exception):
    """Its text says what there is instead."""


def name_of(picture: Picture) -> str:
    """What a picture is called in messages, where it was given no name."""
    return os.fspath(picture) if isinstance(picture, str | os.PathLike) else "picture"


def pictures_below(folder: str) -> Iterator[str]:
    """The paths of the pictures in a folder, by name, then those of each folder in it.

    Hidden files and folders are passed over, and files whose ending is no picture's. At last come
    folders that cannot be read.
    """
    endings, shut = Image.registered_extensions(), []
    for path, folders, files in os.walk(folder, onerror=lambda error: shut.append(error.filename)):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if not name.startswith(".") and os.path.splitext(name)[1].lower() in endings:
                yield os.path.join(path, name)
    yield from shut


def open_picture(picture: Picture, name: str, claim: Claim | None = None) -> Image.Image:
    """A picture decoded and upright, of mode L, RGB or (of more than 8 bits, 0 to 1) F.

    A path, a file's bytes, a Pillow image or an array (h, w) or (h, w, 3): uint8, other numbers
    from 0 to 255, or (h, w) of floats from 0 to 1. A JPEG or JPEG 2000 that takes too much memory
    is decoded at half its size, and its `info` says so under SHRUNK. claim: called, if it is large,
    before it is read and decoded, with the bytes that it may take. Raises ImageError, calling the
    picture `name`, for what cannot be read, is too large, or moves.
    """
    try:
        image, content = _opened(picture, claim)
        _check(image, name)
        scale = _fit(image, content, name, claim, may_shrink=image is not picture)
        upright = _plain(image, content, name)
        if scale > 1:
            upright.info[SHRUNK] = scale
        return upright
    except ImageError:
        raise
    except FileNotFoundError:
        raise ImageError(name, why_missing(name_of(picture))) from None
    except _NoPicture as found:
        raise ImageError(name, f"expected a picture, found {found}") from None
    except UnidentifiedImageError:
        raise ImageError(name, "expected a picture, found something else") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ImageError(name, f"expected at most {MAX_PIXELS:,} pixels, found more") from None
    except Exception as error:  # Pillow's decoders raise all kinds for damaged files
        if shortage(error):
            raise
        problem = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise ImageError(name, f"expected a sound picture, found: {problem}") from None


def _opened(picture: Picture, claim: Claim | None) -> tuple[Image.Image, bytes]:
    """The picture, its size known but not yet decoded, and its file's bytes."""
    if isinstance(picture, Image.Image):
        return picture, b""
    if isinstance(picture, np.ndarray):
        return _of_array(picture), b""
    if isinstance(picture, str | os.PathLike):
        picture = _content(picture, claim)
    if not isinstance(picture, bytes):
        kind = type(picture).__name__
        raise _NoPicture(f"{kind}, which is no path, bytes, Pillow image or array")
    if len(picture) > MAX_BYTES:
        raise ValueError(f"more than {MAX_BYTES:,} bytes")
    if not picture:
        raise _NoPicture("no bytes")
    if picture.startswith(PNG):  # the usual kind, for which no other decoder has to be loaded
        from PIL.PngImagePlugin import PngImageFile

        try:
            return PngImageFile(io.BytesIO(picture)), picture
        except (SyntaxError, IndexError, TypeError, struct.error):
            pass  # as `Image.open` does, which tells what is wrong
    if picture.startswith(NESTING):
        return _opened_nesting(picture), picture
    return Image.open(io.BytesIO(picture)), picture


def _opened_nesting(content: bytes) -> Image.Image:
    """A picture within a file of another kind, decoded: the file does not tell how large it is."""
    with _NESTING_LOCK:
        usual = Image.MAX_IMAGE_PIXELS
        Image.MAX_IMAGE_PIXELS = MAX_NESTED // 2  # Pillow warns of more, and refuses twice as many
        try:
            image = Image.open(io.BytesIO(content))
            image.load()
        except Image.DecompressionBombError:
            found = f"a picture of more than {MAX_NESTED:,} pixels in a file of another kind"
            raise _NoPicture(found) from None
        finally:
            Image.MAX_IMAGE_PIXELS = usual
    return image


def _content(path: str | os.PathLike[str], claim: Claim | None) -> bytes:
    if "\0" in os.fsdecode(path):
        raise ValueError("a NUL byte in its name")
    status = os.stat(path)
    if stat.S_ISDIR(status.st_mode):
        os.scandir(path).close()  # that it may be read
        empty = next(pictures_below(os.fsdecode(path)), None) is None
        raise _NoPicture("a folder without pictures" if empty else "a folder")
    if not stat.S_ISREG(status.st_mode):
        raise _NoPicture("something that is no file")
    if status.st_size > MAX_BYTES:
        raise ValueError(f"more than {MAX_BYTES:,} bytes")
    if claim and status.st_size > memory.LARGE_FILE:
        claim(memory.MOST)  # until it is known what the picture in it takes
    descriptor = os.open(path, os.O_RDONLY)  # half the time of a file object
    try:
        chunks, room = [], MAX_BYTES + 1  # for it may be longer than it says
        while chunk := os.read(descriptor, min(status.st_size + CHUNK, room)):
            chunks.append(chunk)
            room -= len(chunk)
        return b"".join(chunks)
    finally:
        os.close(descriptor)


def _of_array(array: NDArray[Any]) -> Image.Image:
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    found = f"an array of the shape {array.shape}"
    if array.ndim in (1, 2) and array.shape[-1] == PIXELS:
        raise _NoPicture(
            f"{found}: reshape(-1, 28, 28) makes pictures of rows of {PIXELS} pixels, "
            f"PIL.Image.fromarray a single picture of that width"
        )
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (2, 3, 4)):
        raise _NoPicture(f"{found}, not (h, w) or (h, w, 3)")
    if array.dtype != np.uint8 and array.dtype.kind in "iuf" and array.size:
        array = _as_brightness(array)
    try:
        return Image.fromarray(array)
    except TypeError:
        raise _NoPicture(f"{found} of {array.dtype}, not of uint8") from None


def _as_brightness(array: NDArray[Any]) -> NDArray[Any]:
    """Return bytes where the numbers are whole, 0 to 255, and mean the same as bytes.

    Floats up to 1 keep their scale, other floats up to 255 that of bytes. What is more than 255 is
    returned as it is. Raises _NoPicture for negative numbers.
    """
    least, most = array.min(), array.max()
    if least < 0:
        found = f"an array of {array.dtype} from {least} to {most}"
        raise _NoPicture(f"{found}, not from 0 to 1 or from 0 to 255")
    if array.dtype.kind != "f":
        return array.astype(np.uint8) if most <= 255 else array
    if 1 < most <= 255:
        whole = array.astype(np.uint8)
        return whole if (whole == array).all() else (array / 255).astype(np.float32)
    with np.errstate(over="ignore"):  # infinity is refused later
        return array.astype(np.float32)


def _check(image: Image.Image, name: str) -> None:
    pixels = image.width * image.height
    if pixels == 0:
        raise ImageError(name, "expected a picture, found one without pixels")
    if pixels > MAX_PIXELS:
        found = f"{image.width}×{image.height}"
        raise ImageError(name, f"expected at most {MAX_PIXELS:,} pixels, found {found}")
    if image.format == "EPS":
        raise ImageError(name, "expected a picture of pixels, found a program that draws one")
    frames = getattr(image, "n_frames", 1)
    if frames > 1 and image.format != "MPO":  # a phone's JPEG, with previews after the picture
        raise ImageError(name, f"expected one picture, found {frames} in one file")


def _fit(
    image: Image.Image,
    content: bytes,
    name: str,
    claim: Claim | None,
    *,
    may_shrink: bool,
) -> int:
    """Return the scale, 1 or 2, that a picture is decoded at (1/scale) to stay within the memory.

    Raises ImageError if it is too large for either.
    """
    if max(image.width * image.height, len(content)) < memory.SMALL:
        return 1
    is_jpeg, scale = image.format in ("JPEG", "MPO"), 1
    turned = is_jpeg and _is_turned(image)
    need = memory.needed(image, content, turned=turned)
    if need > memory.MOST and may_shrink:
        halved = memory.needed(image, content, 2, turned=turned)
        if halved <= memory.MOST and memory.shrink(image):
            need, scale = halved, 2
    if need > memory.MOST:
        raise _too_large(image, name, need)
    if claim:  # of other kinds it is known only later whether they have to be turned
        most = need if is_jpeg else memory.needed(image, content, turned=True)
        claim(min(most, memory.MOST))
    return scale


def _too_large(image: Image.Image, name: str, need: int) -> ImageError:
    kind = f"{image.width}×{image.height} {image.format or ''} {image.mode}".replace("  ", " ")
    return ImageError(
        name,
        f"expected a picture that takes at most {memory.MOST >> 20} MB of memory, found {kind}, "
        f"which takes about {need >> 20} MB; make it smaller",
    )


def _is_turned(image: Image.Image) -> bool:
    return bool(image.getexif().get(ExifTags.Base.Orientation, 1) != 1)


def _plain(image: Image.Image, content: bytes, name: str) -> Image.Image:
    """Upright, of one of three modes; paper that is transparent is white, or black below white."""
    image.load()
    if isinstance(getattr(image, "reduce", None), int):
        image.reduce = 0  # type: ignore[method-assign, assignment]
    may_be_turned = image.format != "PNG" or not TURNING.isdisjoint(image.info)
    if may_be_turned and _is_turned(image):
        need = memory.needed(image, content, turned=True)
        if need > memory.MOST:
            raise _too_large(image, name, need)
        from PIL import ImageOps

        image = ImageOps.exif_transpose(image)
    if image.mode[0] in "IF":  # 16 bits or more, of which some are often left unused
        values = np.asarray(image).astype(np.float32)
        if not np.isfinite(values).all():
            raise ValueError("brightness that is no finite number")
        values /= max(float(values.max()), 1)
        return Image.fromarray(np.clip(values, 0, 1, out=values))
    if image.has_transparency_data:
        if image.mode != "RGBA":
            image = image.convert("RGBA")
        return _on_paper(image)
    if image.mode in ("L", "RGB"):
        return image
    return image.convert("L" if image.mode == "1" else "RGB")


def _on_paper(image: Image.Image) -> Image.Image:
    """On white, or on black where nothing is to be seen on white."""
    for paper in ("white", "black"):
        shown = Image.new("RGB", image.size, paper)
        shown.paste(image, mask=image)
        extremes: tuple[tuple[int, int], ...] = shown.getextrema()  # type: ignore[assignment]
        differences = [(most - least) / 255 for least, most in extremes]  # of each colour
        if math.hypot(*differences) / math.sqrt(3) >= VISIBLE:  # as `brightness` has it
            break
    return shown


def brightness(image: Image.Image) -> FloatArray:
    """How light a picture of one of the three modes is, float32 (h, w), 0 to 1.

    Colours count along the direction in which they differ most, the first principal component
    (Pearson 1901): so ink shows on paper of another colour that is just as light.
    """
    if image.mode == "F":
        return np.asarray(image)
    values = np.frombuffer(image.tobytes(), np.uint8)  # half the time of np.asarray
    if image.mode == "L":
        return LEVELS.take(values).reshape(image.height, image.width)
    colours = LEVELS.take(values).reshape(-1, 3)
    middle = np.median(colours, axis=0)
    away = colours - middle.astype(np.float64)  # or the sums of each BLAS would differ a little
    _, directions = np.linalg.eigh(away.T @ away)
    direction = directions[:, -1] * (1 if directions[:, -1].sum() >= 0 else -1)
    light: FloatArray = away @ (direction / math.sqrt(3)) + middle.mean()
    return np.clip(light, 0, 1).astype(np.float32).reshape(image.height, image.width)
