"""Pixels of other conventions brought to MNIST's: paper 0, ink 255, rows from top to bottom."""

import numpy as np
from numpy.typing import NDArray

CHUNK = 1000  # pictures looked at together
RANGES = (1, 16)  # the highest pixel of other conventions: binary pictures, scikit-learn's digits
BRIGHT = 128  # of 255: from here on, a pixel is light
BRIGHT_BORDER = 0.75  # share of the pixels along the pictures' sides: from here on, paper is 255


def to_mnist(name: str, images: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """Return images (n, 28, 28) with paper 0 and ink 255, and a remark on each thing mended.

    Images that keep this convention are returned as they are, not copied. name: of the images, in
    the remarks.
    """
    highest = _highest(images)
    if highest == 0:
        return images, ()
    values, remarks = np.arange(256), []
    if highest <= RANGES[-1]:
        full = next(full for full in RANGES if highest <= full)
        values = np.minimum(np.round(values * (255 / full)), 255)
        remarks.append(
            f"{name}: expected pixels from 0 to 255, found 0 to {highest}; "
            f"they are read as multiplied by 255/{full}"
        )
    if _has_bright_border(values[images[:: max(len(images) // CHUNK, 1)]]):
        values = 255 - values
        remarks.append(
            f"{name}: expected ink 255 on paper 0, found dark ink on light paper; "
            "the pictures are read inverted"
        )
    return (values.astype(np.uint8)[images] if remarks else images), tuple(remarks)


def _highest(images: NDArray[np.uint8]) -> int:
    """Return the highest pixel, or the first one found that is beyond the other ranges."""
    highest = 0
    for start in range(0, len(images), CHUNK):
        highest = max(highest, int(images[start : start + CHUNK].max()))
        if highest > RANGES[-1]:
            break
    return highest


def _has_bright_border(images: NDArray[np.integer | np.floating]) -> bool:
    inside = np.zeros(images.shape[1:], bool)
    inside[1:-1, 1:-1] = True
    return bool((images[:, ~inside] >= BRIGHT).mean() >= BRIGHT_BORDER)
