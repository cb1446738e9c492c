"""Convert pixels to MNIST's convention: background 0, ink 255."""

import numpy as np
from numpy.typing import NDArray

PICTURES_PER_CHUNK = 1000  # pictures whose maximum is computed at once
SAMPLE_SIZE = 1000  # pictures: about this many decide whether the background is light
KNOWN_MAXIMA = (1, 16)  # maximum pixel of other conventions: binary pictures, scikit-learn's digits
LIGHT_PIXEL = 128  # pixel value: light pixels have at least this value
LIGHT_BORDER_SHARE = 0.75  # share of light border pixels: from here on, the background is light


def to_mnist(name: str, images: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """Return images (n, 28, 28) with background 0 and ink 255, and a remark for each conversion.

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
    for start in range(0, len(images), PICTURES_PER_CHUNK):
        maximum = max(maximum, int(images[start : start + PICTURES_PER_CHUNK].max()))
        if maximum > KNOWN_MAXIMA[-1]:
            break
    return maximum


def _has_light_border(images: NDArray[np.integer | np.floating]) -> bool:
    inside = np.zeros(images.shape[1:], bool)
    inside[1:-1, 1:-1] = True
    return bool((images[:, ~inside] >= LIGHT_PIXEL).mean() >= LIGHT_BORDER_SHARE)
