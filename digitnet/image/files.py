"""Open pictures of any kind safely, turn them upright, flatten them and measure brightness."""

import functools
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
from digitnet.image import heif, memory
from digitnet.paths import is_hidden, why_missing

MAX_PIXELS = 64_000_000  # of a picture
MAX_NESTED_PIXELS = 2_000_000  # of a picture inside an icon or container: icons have 1024×1024
NESTING_SIGNATURES = (b"\0\0\1\0", b"icns", b"BLP", b"\x1c")  # first bytes: ICO, ICNS, BLP, IPTC
SHRUNK = "digitnet: shrunk"  # key of a picture's `info`: the factor by which decoding shrank it
MAX_FILE_BYTES = 256_000_000
_PIXEL_LIMIT_LOCK = threading.Lock()  # guards Image.MAX_IMAGE_PIXELS, which all threads share
BRIGHTNESS = np.arange(256, dtype=np.float32) / 255  # brightness of each byte value, 0 to 1
MIN_VISIBLE = 0.1  # of black to white: with less contrast on white, the background becomes black
# Keys of a PNG's `info` that may hold an orientation.
EXIF_KEYS = {"exif", "xmp", "Raw profile type exif", "XML:com.adobe.xmp"}
EXTRA_BYTES = 4096  # bytes: read beyond the file's stated size, which may be too small
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"  # first bytes of a PNG (ISO/IEC 15948, section 5.2)

Picture = str | os.PathLike[str] | bytes | Image.Image | NDArray[Any]
Claim = Callable[[int], object]  # claims bytes of memory; waits until they are free


class _NotAPicture(Exception):
    """Not a picture: the message says what was found instead."""


def name_of(picture: Picture, default: str = "picture") -> str:
    """Return what messages call a picture: its path, or the default."""
    return os.fspath(picture) if isinstance(picture, str | os.PathLike) else default


@functools.cache
def _picture_extensions() -> frozenset[str]:
    return frozenset((*Image.registered_extensions(), *heif.EXTENSIONS))


def names_picture(name: str) -> bool:
    """Return whether a file's name is not hidden and has a picture's extension."""
    return not is_hidden(name) and os.path.splitext(name)[1].lower() in _picture_extensions()


def pictures_below(folder: str) -> Iterator[str]:
    """Yield the paths of the pictures in a folder, by name, then those of each subfolder.

    Skips hidden files and folders, and files without a picture's extension. Folders that cannot be
    read come last.
    """
    shut: list[str] = []
    for path, folders, files in os.walk(folder, onerror=lambda error: shut.append(error.filename)):
        folders[:] = sorted(name for name in folders if not is_hidden(name))
        for name in sorted(files):
            if names_picture(name):
                yield os.path.join(path, name)
    yield from shut


def open_picture(picture: Picture, name: str, claim: Claim | None = None) -> Image.Image:
    """Return a picture, decoded and upright, of mode L or RGB, or F (0 to 1) with more than 8 bits.

    picture: a path, a file's bytes, a Pillow image, or an array: (h, w) or (h, w, 3) of uint8 or
    of other numbers from 0 to 255, or (h, w) of floats from 0 to 1. A JPEG or JPEG 2000 that needs
    too much memory is decoded at half its size; its `info` then has the key SHRUNK. claim: called
    with the bytes of memory that a large picture may need, before it is read and decoded. Raises
    ImageError, which names the picture `name`, for a picture that cannot be read, is too large or
    is animated.
    """
    try:
        image, content = _open(picture, name, claim)
        _refuse_unreadable(image, name)
        scale = _choose_scale(image, content, name, claim, may_shrink=image is not picture)
        upright = _normalise(image, content, name)
        if scale > 1:
            upright.info[SHRUNK] = scale
        return upright
    except ImageError:
        raise
    except FileNotFoundError:
        raise ImageError(name, why_missing(name_of(picture))) from None
    except _NotAPicture as found:
        raise ImageError(name, f"expected a picture, found {found}") from None
    except UnidentifiedImageError:
        unknown = "a damaged file or a format that Pillow cannot read; convert it to PNG"
        raise ImageError(name, f"expected a picture, found {unknown}") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ImageError(name, f"expected at most {MAX_PIXELS:,} pixels, found more") from None
    except Exception as error:  # for damaged files, Pillow's decoders raise anything
        if shortage(error):
            raise
        problem = error.strerror if isinstance(error, OSError) and error.strerror else error
        one_line = " ".join(str(problem).split())  # messages of libheif have several lines
        raise ImageError(name, f"expected a readable picture, found: {one_line}") from None


def _open(picture: Picture, name: str, claim: Claim | None) -> tuple[Image.Image, bytes]:
    """Return the picture, not yet decoded, and the bytes of its file (empty without a file)."""
    if isinstance(picture, Image.Image):
        return picture, b""
    if isinstance(picture, np.ndarray):
        return _from_array(picture), b""
    if isinstance(picture, str | os.PathLike):
        picture = _read_file(picture, claim)
    if not isinstance(picture, bytes):
        kind = type(picture).__name__
        raise _NotAPicture(f"{kind}, which is not a path, bytes, a Pillow image or an array")
    if len(picture) > MAX_FILE_BYTES:
        raise ValueError(f"more than {MAX_FILE_BYTES:,} bytes")
    if not picture:
        raise _NotAPicture("no bytes")
    if picture.startswith(PNG_SIGNATURE):  # the usual format; avoids loading the other decoders
        from PIL.PngImagePlugin import PngImageFile

        try:
            return PngImageFile(io.BytesIO(picture)), picture
        except (SyntaxError, IndexError, TypeError, struct.error):
            pass  # as in `Image.open`, which is called below and says what is wrong
    if picture.startswith(NESTING_SIGNATURES):
        return _open_nesting(picture), picture
    if heif.is_heif(picture):
        return heif.open_heif(picture, name), picture
    return Image.open(io.BytesIO(picture)), picture


def _open_nesting(content: bytes) -> Image.Image:
    """Return a decoded picture from a container file, whose header may give a wrong size."""
    with _PIXEL_LIMIT_LOCK:
        previous = Image.MAX_IMAGE_PIXELS
        Image.MAX_IMAGE_PIXELS = MAX_NESTED_PIXELS // 2  # Pillow refuses pictures above twice this
        try:
            image = Image.open(io.BytesIO(content))
            image.load()
        except Image.DecompressionBombError:
            found = f"more than {MAX_NESTED_PIXELS:,} pixels inside an icon or container file"
            raise _NotAPicture(found) from None
        finally:
            Image.MAX_IMAGE_PIXELS = previous
    return image


def _read_file(path: str | os.PathLike[str], claim: Claim | None) -> bytes:
    if "\0" in os.fsdecode(path):
        raise ValueError("a NUL byte in its name")
    status = os.stat(path)
    if stat.S_ISDIR(status.st_mode):
        os.scandir(path).close()  # raises PermissionError for a folder that cannot be read
        empty = next(pictures_below(os.fsdecode(path)), None) is None
        raise _NotAPicture("a folder without pictures" if empty else "a folder")
    if not stat.S_ISREG(status.st_mode):
        raise _NotAPicture("something that is not a file")
    if status.st_size > MAX_FILE_BYTES:
        raise ValueError(f"more than {MAX_FILE_BYTES:,} bytes")
    if claim and status.st_size > memory.LARGE_FILE:
        claim(memory.MAX_PICTURE_BYTES)  # until the file is read and its real need is known
    descriptor = os.open(path, os.O_RDONLY)  # takes half the time of a file object
    try:
        chunks, allowed = [], MAX_FILE_BYTES + 1  # the file may be longer than its stated size
        while chunk := os.read(descriptor, min(status.st_size + EXTRA_BYTES, allowed)):
            chunks.append(chunk)
            allowed -= len(chunk)
        return b"".join(chunks)
    finally:
        os.close(descriptor)


def _from_array(array: NDArray[Any]) -> Image.Image:
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    found = f"an array of the shape {array.shape}"
    if array.ndim in (1, 2) and array.shape[-1] == PIXELS:
        raise _NotAPicture(
            f"{found}: reshape(-1, 28, 28) makes pictures of rows of {PIXELS} pixels, "
            f"PIL.Image.fromarray a single picture of that width"
        )
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (2, 3, 4)):
        raise _NotAPicture(f"{found}, not (h, w) or (h, w, 3)")
    if array.dtype != np.uint8 and array.dtype.kind in "iuf" and array.size:
        array = _as_bytes_or_floats(array)
    try:
        return Image.fromarray(array)
    except TypeError:
        raise _NotAPicture(f"{found} of {array.dtype}, not of uint8") from None


def _as_bytes_or_floats(array: NDArray[Any]) -> NDArray[Any]:
    """Return brightness as uint8 (0 to 255) or as float32 (0 to 1), whichever keeps the values.

    Integers up to 255 become uint8; larger ones are returned unchanged. Floats from 0 to 1 become
    float32. Floats up to 255 become uint8 if they are whole, and are divided by 255 otherwise.
    Raises _NotAPicture for negative numbers.
    """
    least, most = array.min(), array.max()
    if least < 0:
        found = f"an array of {array.dtype} from {least} to {most}"
        raise _NotAPicture(f"{found}, not from 0 to 1 or from 0 to 255")
    if array.dtype.kind != "f":
        return array.astype(np.uint8) if most <= 255 else array
    if 1 < most <= 255:
        as_bytes = array.astype(np.uint8)
        return as_bytes if (as_bytes == array).all() else (array / 255).astype(np.float32)
    with np.errstate(over="ignore"):  # infinity is refused in `_normalise`
        return array.astype(np.float32)


def _refuse_unreadable(image: Image.Image, name: str) -> None:
    """Raise ImageError for no pixels, too many pixels, an EPS drawing, or several frames."""
    pixels = image.width * image.height
    if pixels == 0:
        raise ImageError(name, "expected a picture, found one without pixels")
    if pixels > MAX_PIXELS:
        found = f"{image.width}×{image.height}"
        raise ImageError(name, f"expected at most {MAX_PIXELS:,} pixels, found {found}")
    if image.format == "EPS":
        problem = "expected a picture made of pixels, found an EPS drawing; save it as a PNG"
        raise ImageError(name, problem)
    frames = getattr(image, "n_frames", 1)
    if frames > 1 and image.format != "MPO":  # MPO: a phone's JPEG, followed by previews
        raise ImageError(name, f"expected one picture, found {frames} in one file")


def _choose_scale(
    image: Image.Image,
    content: bytes,
    name: str,
    claim: Claim | None,
    *,
    may_shrink: bool,
) -> int:
    """Return the factor, 1 or 2, by which decoding shrinks a picture, so that memory suffices.

    Raises ImageError for a picture that is too large even so.
    """
    if max(image.width * image.height, len(content)) < memory.SMALL_PICTURE:
        return 1
    is_jpeg, scale = image.format in ("JPEG", "MPO"), 1
    rotated = is_jpeg and _is_rotated(image)
    need = memory.bytes_needed(image, content, rotated=rotated)
    if need > memory.MAX_PICTURE_BYTES and may_shrink:
        halved = memory.bytes_needed(image, content, 2, rotated=rotated)
        if halved <= memory.MAX_PICTURE_BYTES and memory.shrink(image):
            need, scale = halved, 2
    if need > memory.MAX_PICTURE_BYTES:
        raise _too_large_error(image, name, need)
    if claim:  # only a JPEG's orientation is known before it is decoded
        most = need if is_jpeg else memory.bytes_needed(image, content, rotated=True)
        claim(min(most, memory.MAX_PICTURE_BYTES))
    return scale


def _too_large_error(image: Image.Image, name: str, need: int) -> ImageError:
    kind = f"{image.width}×{image.height} {image.format or ''} {image.mode}".replace("  ", " ")
    return ImageError(
        name,
        f"expected a picture that takes at most {memory.MAX_PICTURE_BYTES >> 20} MB of memory, "
        f"found {kind}, which takes about {need >> 20} MB; make it smaller",
    )


def _is_rotated(image: Image.Image) -> bool:
    return bool(image.getexif().get(ExifTags.Base.Orientation, 1) != 1)


def _normalise(image: Image.Image, content: bytes, name: str) -> Image.Image:
    """Return a picture, decoded and upright, of mode L, RGB or F, without transparency."""
    image.load()
    if isinstance(getattr(image, "reduce", None), int):
        image.reduce = 0  # type: ignore[method-assign, assignment]
    may_be_rotated = image.format != "PNG" or not EXIF_KEYS.isdisjoint(image.info)
    if may_be_rotated and _is_rotated(image):
        need = memory.bytes_needed(image, content, rotated=True)
        if need > memory.MAX_PICTURE_BYTES:
            raise _too_large_error(image, name, need)
        from PIL import ImageOps

        image = ImageOps.exif_transpose(image)
    if image.mode[0] in "IF":  # 16 bits or more; files often leave the highest ones unused
        values = np.asarray(image).astype(np.float32)
        if not np.isfinite(values).all():
            raise ValueError("brightness that is not a finite number")
        values /= max(float(values.max()), 1)
        return Image.fromarray(np.clip(values, 0, 1, out=values))
    if image.has_transparency_data:
        if image.mode != "RGBA":
            image = image.convert("RGBA")
        return _flatten(image)
    if image.mode in ("L", "RGB"):
        return image
    return image.convert("L" if image.mode == "1" else "RGB")


def _flatten(image: Image.Image) -> Image.Image:
    """Return an RGBA picture flattened on white, or on black where nothing is visible on white."""
    for background in ("white", "black"):
        shown = Image.new("RGB", image.size, background)
        shown.paste(image, mask=image)
        extremes: tuple[tuple[int, int], ...] = shown.getextrema()  # type: ignore[assignment]
        differences = [(most - least) / 255 for least, most in extremes]  # per colour
        if math.hypot(*differences) / math.sqrt(3) >= MIN_VISIBLE:  # the scale of `brightness`
            break
    return shown


def brightness(image: Image.Image) -> FloatArray:
    """Return the brightness of a picture of mode L, RGB or F, float32 (h, w), 0 to 1.

    Colours are projected on their first principal component (Pearson 1901), so that ink is visible
    on paper of another colour that is equally light.
    """
    if image.mode == "F":
        return np.asarray(image)
    values = np.frombuffer(image.tobytes(), np.uint8)  # takes half the time of np.asarray
    if image.mode == "L":
        return BRIGHTNESS.take(values).reshape(image.height, image.width)
    colours = BRIGHTNESS.take(values).reshape(-1, 3)
    median = np.median(colours, axis=0)
    centred = colours - median.astype(np.float64)  # in float32, the BLAS would change the result
    _, directions = np.linalg.eigh(centred.T @ centred)
    direction = directions[:, -1] * (1 if directions[:, -1].sum() >= 0 else -1)
    light: FloatArray = centred @ (direction / math.sqrt(3)) + median.mean()
    return np.clip(light, 0, 1).astype(np.float32).reshape(image.height, image.width)
