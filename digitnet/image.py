"""A picture of a digit, of any kind, to 28×28 pixels the way MNIST made its own.

LeCun and others 1998, section III.A: the digit is "size normalized to fit in a 20x20 pixel box
while preserving the aspect ratio", grey from antialiasing, and "centered in a 28x28 image by
computing the center of mass of the pixels, and translating the image so as to position this point
at the center of the 28x28 field", which in its files is the middle of pixel 14. White ink on black
paper: 0 is paper, 255 is full ink.
"""

import io
import os
import stat
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from digitnet.activations import FloatArray
from digitnet.errors import ImageError

PREPARATION = "mnist-1"  # the name of what this module does; a change of its output gets a new one
SIDE = 28  # pixels of the field
BOX = 20  # pixels of the digit's longer side
CENTRE = 14.5  # pixels from the edge: the middle of pixel 14, where MNIST's digits have theirs
MAX_PIXELS = 64_000_000
MAX_BYTES = 256_000_000
LARGE = 1000  # pixels of a side that are worth more than averages for 20
LEAST_CONTRAST = 0.1  # of black to white, between ink and paper
LEAST_INK = 0.2  # of the darkest ink: fainter is paper

Picture = str | os.PathLike[str] | bytes | Image.Image | NDArray[Any]


def prepare(picture: Picture, name: str | None = None) -> NDArray[np.uint8]:
    """A path, a file's bytes, a Pillow image or an array (h, w) or (h, w, 3) of uint8, as (28, 28).

    Raises ImageError, calling the picture `name`, for what cannot be read, is too large, moves, or
    has no ink on it.
    """
    if name is None:
        name = os.fspath(picture) if isinstance(picture, str | os.PathLike) else "picture"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's, of what it could read all the same
            image = _opened(picture)
            _check(image, name)
            grey = _grey(image)
    except (ImageError, MemoryError):
        raise
    except FileNotFoundError:
        raise ImageError(name, "no such file") from None
    except UnidentifiedImageError:
        raise ImageError(name, "expected a picture, found something else") from None
    except Image.DecompressionBombError:
        raise ImageError(name, f"expected at most {MAX_PIXELS:,} pixels, found more") from None
    except Exception as error:  # Pillow's decoders raise all kinds for damaged files
        problem = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise ImageError(name, f"expected a sound picture, found: {problem}") from None
    ink = _ink(grey)
    if ink is None:
        raise ImageError(name, "expected a digit, found no ink")
    digit = _fitted(ink)
    return _centred(digit / digit.max())


def _opened(picture: Picture) -> Image.Image:
    """The picture, its size known but not yet decoded."""
    if isinstance(picture, Image.Image):
        return picture
    if isinstance(picture, np.ndarray):
        return _of_array(picture)
    if isinstance(picture, str | os.PathLike):
        if not stat.S_ISREG(os.stat(picture).st_mode):
            raise ValueError("a folder" if os.path.isdir(picture) else "something that is no file")
        with open(picture, "rb") as file:
            picture = file.read(MAX_BYTES + 1)
    if not isinstance(picture, bytes):
        raise TypeError(f"{type(picture).__name__}, no path, bytes, Pillow image or array")
    if len(picture) > MAX_BYTES:
        raise ValueError(f"more than {MAX_BYTES:,} bytes")
    return Image.open(io.BytesIO(picture))


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


def _grey(image: Image.Image) -> FloatArray:
    """Brightness from 0 to 1, float32 (h, w), upright; what is transparent shows white paper."""
    image = ImageOps.exif_transpose(image)
    if image.mode[0] in "IF":  # 16 bits or more, of which some are often left unused
        values = np.asarray(image).astype(np.float32)
        if not np.isfinite(values).all():
            raise ValueError("brightness that is no finite number")
        return values / max(float(values.max()), 1)
    if image.has_transparency_data:
        paper = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(paper, image.convert("RGBA"))
    return np.asarray(image.convert("RGB").convert("L")).astype(np.float32) / 255


def _ink(grey: FloatArray) -> FloatArray | None:
    """How much ink lies on each pixel, 0 to 1, cropped to the digit; None for an empty page.

    The paper is what most of the border shows; ink is what differs from it, on the side where the
    difference is largest.
    """
    border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    difference = grey - np.median(border)
    if -difference.min() > difference.max():
        difference = -difference
    most = difference.max()
    if most < LEAST_CONTRAST:
        return None
    ink = np.clip(difference / most, 0, 1)
    marked = ink >= LEAST_INK
    rows, columns = np.flatnonzero(marked.any(axis=1)), np.flatnonzero(marked.any(axis=0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]  # type: ignore[no-any-return]


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
        mass = digit.sum(axis=1 - axis)
        centre = float(mass @ (np.arange(length) + 0.5)) / float(mass.sum())
        corner.append(min(max(round(CENTRE - centre), 0), SIDE - length))
    top, left = corner
    field[top : top + digit.shape[0], left : left + digit.shape[1]] = np.rint(digit * 255)
    return field
