"""Convert pixels to MNIST's convention: bytes, background 0, ink 255."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitnet.errors import DataError

PICTURES_PER_CHUNK = 1000  # pictures that are examined or converted at once
SAMPLE_SIZE = 1000  # pictures: about this many decide whether the background is light
KNOWN_MAXIMA = (1, 16)  # maximum pixel of other conventions: binary pictures, scikit-learn's digits
LIGHT_PIXEL = 128  # pixel value: light pixels have at least this value
LIGHT_BORDER_SHARE = 0.75  # share of light border pixels: from here on, the background is light
ROUNDING = 1e-4  # floats may exceed the range from 0 to 1, or from -1 to 1, by this much


def to_bytes(name: str, images: NDArray[Any]) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """Return images (n, h, w) of numbers as uint8, and a remark if their range was converted.

    uint8 is returned without a copy. Whole numbers from 0 to 255 keep their values; fractions from
    0 to 1, and numbers from -1 to 1, are scaled to 0 to 255. name: the name of the images in
    messages. Raises DataError for other numbers, NaN and other types.
    """
    if images.dtype == np.uint8:
        return images, ()
    if images.dtype.kind not in "biuf":
        raise DataError(f"{name}: expected pixels that are numbers, found the type {images.dtype}")
    least, most = float(images.min()), float(images.max())
    if not (math.isfinite(least) and math.isfinite(most)):
        picture = next(i for i, image in enumerate(images) if not np.isfinite(image).all())
        problem = "expected finite pixels, found NaN or infinity; replace them by the background"
        raise DataError(f"{name}: picture {picture + 1:,}: {problem}")
    if least >= 0 and most <= 255 and _are_whole(images):
        return images.astype(np.uint8), ()
    found = f"found {least:.4g} to {most:.4g}"
    if least >= 0 and most <= 1 + ROUNDING:
        low, factor, action = 0, 255.0, "multiplies them by 255"
    elif abs(least + 1) <= ROUNDING and most <= 1 + ROUNDING:
        low, factor, action = -1, 127.5, "adds 1 and multiplies them by 127.5"
    elif least >= 0 and most <= 255:
        advice = "scale them to 0 to 1, or round them with numpy.rint"
        raise DataError(f"{name}: expected whole pixels from 0 to 255, {found}; {advice}")
    else:
        advice = "undo the normalisation, or scale them to 0 to 1"
        raise DataError(f"{name}: expected pixels from 0 to 255, {found}; {advice}")
    converted = np.empty(images.shape, np.uint8)
    for chunk, target in zip(_chunks(images), _chunks(converted)):
        target[:] = np.rint((chunk.astype(np.float64) - low) * factor).clip(0, 255)
    return converted, (f"{name}: expected pixels from 0 to 255, {found}; digitnet {action}",)


def to_mnist(name: str, images: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """Return images (n, h, w) with background 0 and ink 255, and a remark for each conversion.

    Images that follow MNIST's convention are returned without a copy. name: the name of the images
    in remarks.
    """
    maximum = _maximum(images)
    if maximum == 0:
        return images, ()
    values, remarks = np.arange(256), []
    if maximum <= KNOWN_MAXIMA[-1]:
        full = next(full for full in KNOWN_MAXIMA if maximum <= full)
        values = np.minimum(np.round(values * (255 / full)), 255)
        remarks.append(
            f"{name}: expected pixels from 0 to 255, found 0 to {maximum}; "
            f"digitnet multiplies them by 255/{full}"
        )
    if _has_light_border(values[images[:: max(len(images) // SAMPLE_SIZE, 1)]]):
        values = 255 - values
        remarks.append(
            f"{name}: expected ink 255 on background 0, found dark ink on a light background; "
            "digitnet inverts the pictures"
        )
    return (values.astype(np.uint8)[images] if remarks else images), tuple(remarks)


def _maximum(images: NDArray[np.uint8]) -> int:
    """Return the maximum pixel, or any pixel above KNOWN_MAXIMA: then the search stops early."""
    maximum = 0
    for chunk in _chunks(images):
        maximum = max(maximum, int(chunk.max()))
        if maximum > KNOWN_MAXIMA[-1]:
            break
    return maximum


def _are_whole(images: NDArray[Any]) -> bool:
    is_float = images.dtype.kind == "f"
    return not is_float or all((chunk == np.rint(chunk)).all() for chunk in _chunks(images))


def _chunks(images: NDArray[Any]) -> Iterator[NDArray[Any]]:
    for start in range(0, len(images), PICTURES_PER_CHUNK):
        yield images[start : start + PICTURES_PER_CHUNK]


def _has_light_border(images: NDArray[np.integer | np.floating]) -> bool:
    inside = np.zeros(images.shape[1:], bool)
    inside[1:-1, 1:-1] = True
    return bool((images[:, ~inside] >= LIGHT_PIXEL).mean() >= LIGHT_BORDER_SHARE)
