"""A picture of a digit, of any kind, to 28×28 pixels the way MNIST made its own.

LeCun and others 1998, section III.A: the digit is "size normalized to fit in a 20x20 pixel box
while preserving the aspect ratio", grey from antialiasing, and "centered in a 28x28 image by
computing the center of mass of the pixels, and translating the image so as to position this point
at the center of the 28x28 field", which in its files is the middle of pixel 14. White ink on black
paper: 0 is paper, 255 is full ink.

A change of what comes out needs a new name for it, `checkpoint.PREPARATION`.
"""

import contextlib
import io
import os
import stat
import struct
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, UnidentifiedImageError

from digitnet.activations import FloatArray
from digitnet.errors import ImageError

SIDE = 28  # pixels of the field
BOX = 20  # pixels of the digit's longer side
CENTRE = 14.5  # pixels from the edge: the middle of pixel 14, where MNIST's digits have theirs
MAX_PIXELS = 64_000_000
MAX_BYTES = 256_000_000
LARGE = 1000  # pixels of a side that are worth more than averages for 20
LEAST_CONTRAST = 0.1  # of black to white, between ink and paper
LEAST_INK = 0.2  # of the darkest ink: fainter is paper
LEVELS = np.arange(256, dtype=np.float32) / 255  # brightness of each value of a byte
MIDDLES = np.arange(SIDE) + 0.5  # the middles of pixels
PNG = b"\x89PNG\r\n\x1a\n"  # the first bytes of such a file (ISO/IEC 15948, section 5.2)

Picture = str | os.PathLike[str] | bytes | Image.Image | NDArray[Any]


def prepare(picture: Picture, name: str | None = None) -> NDArray[np.uint8]:
    """A path, a file's bytes, a Pillow image or an array (h, w) or (h, w, 3) of uint8, as (28, 28).

    Raises ImageError, calling the picture `name`, for what cannot be read, is too large, moves, or
    has no ink on it. Pillow warns of what it could read all the same; who calls may filter that.
    """
    if name is None:
        name = os.fspath(picture) if isinstance(picture, str | os.PathLike) else "picture"
    try:
        image = _opened(picture)
        _check(image, name)
        grey = _grey(image)
    except (ImageError, MemoryError):
        raise
    except FileNotFoundError:
        raise ImageError(name, "no such file") from None
    except UnidentifiedImageError:
        raise ImageError(name, "expected a picture, found something else") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ImageError(name, f"expected at most {MAX_PIXELS:,} pixels, found more") from None
    except Exception as error:  # Pillow's decoders raise all kinds for damaged files
        problem = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise ImageError(name, f"expected a sound picture, found: {problem}") from None
    ink = _ink(grey)
    if ink is None:
        raise ImageError(name, "expected a digit, found no ink")
    digit = _fitted(ink)
    return _centred(digit / np.maximum.reduce(digit, axis=None))


def _opened(picture: Picture) -> Image.Image:
    """The picture, its size known but not yet decoded."""
    if isinstance(picture, Image.Image):
        return picture
    if isinstance(picture, np.ndarray):
        return _of_array(picture)
    if isinstance(picture, str | os.PathLike):
        picture = _content(picture)
    if not isinstance(picture, bytes):
        raise TypeError(f"{type(picture).__name__}, no path, bytes, Pillow image or array")
    if len(picture) > MAX_BYTES:
        raise ValueError(f"more than {MAX_BYTES:,} bytes")
    if picture.startswith(PNG):  # the usual kind, for which no other decoder has to be loaded
        from PIL.PngImagePlugin import PngImageFile

        with contextlib.suppress(SyntaxError, IndexError, TypeError, struct.error):
            return PngImageFile(io.BytesIO(picture))
    return Image.open(io.BytesIO(picture))


def _content(path: str | os.PathLike[str]) -> bytes:
    status = os.stat(path)
    if not stat.S_ISREG(status.st_mode):
        folder = stat.S_ISDIR(status.st_mode)
        raise ValueError("a folder" if folder else "something that is no file")
    if status.st_size > MAX_BYTES:
        raise ValueError(f"more than {MAX_BYTES:,} bytes")
    with open(path, "rb", buffering=0) as file:
        return file.readall()


def _of_array(array: NDArray[Any]) -> Image.Image:
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.ndim not in (2, 3):
        raise ValueError(f"an array of the shape {array.shape}, not (h, w) or (h, w, 3)")
    if array.dtype.kind in "iu" and array.size and array.min() >= 0 and array.max() <= 255:
        array = array.astype(np.uint8)
    return Image.fromarray(array)


def _check(image: Image.Image, name: str) -> None:
    if image.width * image.height == 0:
        raise ImageError(name, "expected a picture, found one without pixels")
    if image.width * image.height > MAX_PIXELS:
        found = f"{image.width}×{image.height}"
        raise ImageError(name, f"expected at most {MAX_PIXELS:,} pixels, found {found}")
    if image.format == "EPS":
        raise ImageError(name, "expected a picture of pixels, found a program that draws one")
    frames = getattr(image, "n_frames", 1)
    if frames > 1 and image.format != "MPO":  # a phone's JPEG, with previews after the picture
        raise ImageError(name, f"expected one picture, found {frames} in one file")


def _grey(image: Image.Image) -> NDArray[np.uint8] | FloatArray:
    """Brightness, (h, w), upright; what is transparent shows white paper.

    uint8 from 0 to 255, or for a picture of more than 8 bits float32 from 0 to 1.
    """
    image.load()
    if image.getexif().get(ExifTags.Base.Orientation, 1) != 1:
        from PIL import ImageOps

        image = ImageOps.exif_transpose(image)
    if image.mode[0] in "IF":  # 16 bits or more, of which some are often left unused
        values = np.asarray(image).astype(np.float32)
        if not np.isfinite(values).all():
            raise ValueError("brightness that is no finite number")
        return values / max(float(values.max()), 1)
    if image.has_transparency_data:
        paper = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(paper, image.convert("RGBA"))
    if image.mode != "L":
        image = image.convert("RGB").convert("L")
    return np.asarray(image)


def _ink(grey: NDArray[np.uint8] | FloatArray) -> FloatArray | None:
    """How much ink lies on each pixel, 0 to 1, cropped to the digit; None for an empty page.

    The paper is what most of the border shows; ink is what differs from it, on the side where the
    difference is largest.
    """
    border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    border.sort()
    shades = [border[(len(border) - 1) // 2], border[len(border) // 2]]  # the median is between
    shades += [np.minimum.reduce(grey, axis=None), np.maximum.reduce(grey, axis=None)]
    in_bytes = grey.dtype == np.uint8
    low, high, darkest, lightest = LEVELS.take(shades) if in_bytes else shades
    paper = (low + high) / 2
    most = max(paper - darkest, lightest - paper)
    if most < LEAST_CONTRAST:
        return None
    sign = 1 if lightest - paper == most else -1
    if not in_bytes:
        ink: FloatArray = np.maximum((grey - paper) / (sign * most), 0)
        return ink[_box(ink >= LEAST_INK)]
    # The same for each of the 256 shades, instead of each pixel.
    ink = np.maximum((LEVELS - paper) / (sign * most), 0)
    marked = (ink >= LEAST_INK).nonzero()[0]  # the darkest or the lightest of them
    box = _box((grey >= int(marked[0])) & (grey <= int(marked[-1])))
    return ink.take(grey[box])  # type: ignore[arg-type]


def _box(marked: NDArray[np.bool]) -> tuple[slice, slice]:
    """The rows and the columns from the first to the last with a mark."""
    rows, columns = (np.logical_or.reduce(marked, axis=axis).nonzero()[0] for axis in (1, 0))
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def _fitted(ink: FloatArray) -> FloatArray:
    """Scaled so that the longer side has 20 pixels, antialiased."""
    ink = _coarser(_coarser(ink).T).T
    scale = BOX / max(ink.shape)
    height, width = (max(round(length * scale), 1) for length in ink.shape)
    rows, columns = _resampling(ink.shape[0], height), _resampling(ink.shape[1], width)
    fitted: FloatArray = rows @ ink @ columns.T  # (height, h) @ (h, w) @ (w, width)
    return fitted


def _coarser(ink: FloatArray) -> FloatArray:
    """Averaged over whole rows to at most 2 × LARGE of them, where there are more."""
    step = max(len(ink) // LARGE, 1)
    if step == 1:
        return ink
    starts = np.arange(0, len(ink), step)
    counts = np.diff(starts, append=len(ink))[:, None]
    averaged: FloatArray = np.add.reduceat(ink, starts, axis=0) / counts.astype(np.float32)
    return averaged


@lru_cache(maxsize=128)  # small digits are of few sizes; the largest are 160 kB
def _resampling(n_in: int, n_out: int) -> FloatArray:
    """The matrix (n_out, n_in) that scales a line of pixels: each row a triangle of weights.

    The triangle is as wide as two pixels of the coarser line, so that scaling down averages all
    that a pixel covers, scaling up interpolates, and the same size changes nothing.
    """
    scale = n_in / n_out
    centres = (np.arange(n_out) + 0.5) * scale
    distances = np.abs(np.arange(n_in) + 0.5 - centres[:, None]) / max(scale, 1)
    weights: FloatArray = np.maximum(1 - distances, 0)
    weights /= weights.sum(axis=1, keepdims=True)
    return weights.astype(np.float32)


def _centred(digit: FloatArray) -> NDArray[np.uint8]:
    """On the 28×28 field, centre of mass in the middle, as far as the digit stays inside."""
    field = np.zeros((SIDE, SIDE), np.uint8)
    corner = []
    for axis, length in enumerate(digit.shape):
        mass = np.add.reduce(digit, axis=1 - axis)
        centre = float(mass @ MIDDLES[:length]) / float(np.add.reduce(mass))
        corner.append(min(max(round(CENTRE - centre), 0), SIDE - length))
    top, left = corner
    field[top : top + digit.shape[0], left : left + digit.shape[1]] = np.rint(digit * 255)
    return field
