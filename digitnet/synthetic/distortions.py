"""Random distortions of pictures: rotate, scale, shear, shift and warp.

Each pixel of the result is read by bilinear interpolation from a place in the original picture.
The place is the pixel's own place under a random affine map, plus a smoothed random field: the
elastic distortions of Simard, Steinkraus and Platt, Best Practices for Convolutional Neural
Networks Applied to Visual Document Analysis, 2003, section 2.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitnet.arrays import PIXELS, SIDE, FloatArray

PADDED_SIDE = SIDE + 3  # px: one of paper before and two after, for places outside the picture
GROUP = 64  # pictures distorted together: in smaller groups, Python takes more of the time
AFFINE_DRAWS = 8  # random numbers for the affine map of a picture; two are unused


@dataclass(frozen=True)
class Distortions:
    """The range of each distortion, in both directions; 0 turns a distortion off.

    rotation: degrees. scale: share of the size, drawn separately for width and height. shear:
    pixels sideways per pixel of height. shift: pixels. elastic: α, the factor of the random field,
    pixels. smoothness: σ of the Gaussian that smooths the field, pixels.
    """

    rotation: float = 0
    scale: float = 0
    shear: float = 0
    shift: float = 0
    elastic: float = 0
    smoothness: float = 4

    def __bool__(self) -> bool:
        return any((self.rotation, self.scale, self.shear, self.shift, self.elastic))

    @property
    def draws(self) -> int:
        """The number of random numbers used per picture."""
        return AFFINE_DRAWS + (2 * PIXELS if self.elastic else 0)


class Distorter:
    """Distorts pictures in buffers that are allocated once. Not thread-safe."""

    def __init__(self, distortions: Distortions) -> None:
        self.distortions = distortions
        self.smooth = _gaussian_matrix(distortions.smoothness)
        centre = (SIDE - 1) / 2
        self.y, self.x = np.mgrid[:SIDE, :SIDE].reshape(2, 1, PIXELS).astype(np.float32) - centre
        self.padded = np.zeros((GROUP, PADDED_SIDE, PADDED_SIDE), np.float32)
        self.first_pixel = (np.arange(GROUP) * PADDED_SIDE**2)[:, np.newaxis]
        self.field, self.smoothed = np.empty((2, GROUP, 2, SIDE, SIDE), np.float32)
        self.places = np.empty((2, GROUP, PIXELS), np.float32)
        self.scratch = np.empty((3, GROUP, PIXELS), np.float32)
        self.corner, self.index = np.empty((2, GROUP, PIXELS), np.intp)
        self.random = np.empty((GROUP, distortions.draws), np.float32)

    def __call__(
        self,
        pictures: NDArray[np.uint8],
        out: FloatArray,
        rng: np.random.Generator,
        strength: float = 1,
    ) -> None:
        """Write distorted pictures (n, 784) to `out`: float32 (n, 784), 0 to 255.

        strength: share of each distortion's range that is used, 0 to 1.
        """
        for start in range(0, len(pictures), GROUP):
            group = slice(start, start + GROUP)
            random = rng.random(dtype=np.float32, out=self.random[: len(pictures[group])])
            random *= 2 * strength
            random -= strength
            self._distort(pictures[group], out[group], random)

    def _distort(self, pictures: NDArray[np.uint8], out: FloatArray, random: FloatArray) -> None:
        n = len(pictures)
        self.padded[:n, 1:-2, 1:-2] = pictures.reshape(n, SIDE, SIDE)
        y, x = places = self.places[:, :n]
        self._map_affine(random[:, :AFFINE_DRAWS], y, x)
        if self.distortions.elastic:
            self._add_elastic_field(random[:, AFFINE_DRAWS:], places)
        self._interpolate(y, x, out)

    def _map_affine(self, random: FloatArray, y: FloatArray, x: FloatArray) -> None:
        """Write the place in the padded picture that each pixel is read from: an affine map."""
        d = self.distortions
        angle = np.deg2rad(d.rotation) * random[:, 0]
        width, height = (np.exp(math.log1p(d.scale) * random[:, i]) for i in (1, 2))
        shear, shifts = d.shear * random[:, 3], d.shift * random[:, 4:6]
        cos, sin = np.cos(angle), np.sin(angle)
        matrix = (
            (sin * width, (cos + shear * sin) * height),
            (cos * width, (shear * cos - sin) * height),
        )
        for place, (from_x, from_y), shift, scratch in zip((y, x), matrix, shifts.T, self.scratch):
            np.multiply(from_x[:, np.newaxis], self.x, out=place)
            place += np.multiply(from_y[:, np.newaxis], self.y, out=scratch[: len(place)])
            place += (shift + (SIDE + 1) / 2)[:, np.newaxis]

    def _add_elastic_field(self, random: FloatArray, places: FloatArray) -> None:
        """Add the random field, smoothed by a Gaussian along rows, then along columns."""
        n = len(random)
        field, smoothed = self.field[:n], self.smoothed[:n]
        field[:] = random.reshape(field.shape)
        np.matmul(field, self.smooth, out=smoothed)  # (n, 2, 28, 28) (28, 28)
        np.matmul(self.smooth, smoothed, out=field)
        field *= self.distortions.elastic
        places += field.reshape(n, 2, PIXELS).transpose(1, 0, 2)

    def _interpolate(self, y: FloatArray, x: FloatArray, out: FloatArray) -> None:
        """Write the pixels at places by bilinear interpolation; outside the picture is paper."""
        n = len(y)
        for place in (y, x):
            np.clip(place, 0, PADDED_SIDE - 2, out=place)
        corner, index, (top, left, right) = self.corner[:n], self.index[:n], self.scratch[:, :n]
        np.floor(y, out=top)
        np.floor(x, out=left)
        y -= top
        x -= left
        top *= PADDED_SIDE
        top += left
        corner[:] = top
        corner += self.first_pixel[:n]
        pixels = self.padded.reshape(-1)
        # Interpolate along x in the upper row, along x in the lower row, then along y.
        for row, offset in ((top, 0), (left, PADDED_SIDE)):
            np.add(corner, offset, out=index)
            np.take(pixels, index, out=row, mode="clip")
            index += 1
            np.take(pixels, index, out=right, mode="clip")
            right -= row
            right *= x
            row += right
        left -= top
        left *= y
        np.add(top, left, out=out)


def _gaussian_matrix(sigma: float) -> FloatArray:
    """Return the symmetric matrix (28, 28) that smooths a line of pixels."""
    distance = np.subtract.outer(np.arange(SIDE), np.arange(SIDE))
    kernel: FloatArray = np.exp(-0.5 * (distance / sigma) ** 2) / (sigma * math.sqrt(2 * math.pi))
    return kernel.astype(np.float32)
