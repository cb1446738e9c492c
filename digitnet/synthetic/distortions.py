"""Distortions: every digit a little turned, sized, slanted, moved and warped, anew each time.

Each pixel of a distorted picture is read from a place near its own in the picture as it was, by
bilinear interpolation. The places are an affine map's, and a smooth random field is added to them:
the elastic distortions of Simard, Steinkraus and Platt, Best Practices for Convolutional Neural
Networks Applied to Visual Document Analysis, 2003, section 2.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitnet.arrays import PIXELS, SIDE, FloatArray

PADDED = SIDE + 3  # paper around, to read from where a place is outside: a pixel, two at the end
GROUP = 64  # pictures distorted together: with fewer, threads wait for each other
AFFINE = 8  # random numbers for the affine map of a picture, two of them to spare


@dataclass(frozen=True)
class Distortions:
    """How far pictures may be distorted, either way; 0 is not at all.

    rotation: degrees. scale: share of the size, width and height by themselves. shear: pixels
    sideways per pixel of height. shift: pixels. elastic: α, by which the field is multiplied, in
    pixels; smoothness: σ of the Gaussian that it is smoothed with, in pixels.
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
        """Random numbers that one picture takes."""
        return AFFINE + (2 * PIXELS if self.elastic else 0)


class Distorter:
    """Distorts pictures, in arrays that are made once. Not for two threads at a time."""

    def __init__(self, distortions: Distortions) -> None:
        self.distortions = distortions
        self.smooth = _gaussian(distortions.smoothness)
        centre = (SIDE - 1) / 2
        self.y, self.x = np.mgrid[:SIDE, :SIDE].reshape(2, 1, PIXELS).astype(np.float32) - centre
        self.padded = np.zeros((GROUP, PADDED, PADDED), np.float32)
        self.first = (np.arange(GROUP) * PADDED**2)[:, np.newaxis]
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
        """Write pictures (n, 784), distorted, to `out`: float32 (n, 784), from 0 to 255.

        strength: the share of every distortion's range that is used, 0 to 1.
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
        self._affine(random[:, :AFFINE], y, x)
        if self.distortions.elastic:
            self._warp(random[:, AFFINE:], places)
        self._read(y, x, out)

    def _affine(self, random: FloatArray, y: FloatArray, x: FloatArray) -> None:
        """Where each pixel is read from, in the padded picture: a linear map and a shift."""
        d = self.distortions
        angle = np.deg2rad(d.rotation) * random[:, 0]
        wide, high = (np.exp(math.log1p(d.scale) * random[:, i]) for i in (1, 2))
        shear, shifts = d.shear * random[:, 3], d.shift * random[:, 4:6]
        cos, sin = np.cos(angle), np.sin(angle)
        rows = (sin * wide, (cos + shear * sin) * high), (cos * wide, (shear * cos - sin) * high)
        for place, (by_x, by_y), shift, scratch in zip((y, x), rows, shifts.T, self.scratch):
            np.multiply(by_x[:, np.newaxis], self.x, out=place)
            place += np.multiply(by_y[:, np.newaxis], self.y, out=scratch[: len(place)])
            place += (shift + (SIDE + 1) / 2)[:, np.newaxis]

    def _warp(self, random: FloatArray, places: FloatArray) -> None:
        """Add the smoothed field: a Gaussian over columns, then over rows."""
        n = len(random)
        field, smoothed = self.field[:n], self.smoothed[:n]
        field[:] = random.reshape(field.shape)
        np.matmul(field, self.smooth, out=smoothed)  # (n, 2, 28, 28) (28, 28)
        np.matmul(self.smooth, smoothed, out=field)
        field *= self.distortions.elastic
        places += field.reshape(n, 2, PIXELS).transpose(1, 0, 2)

    def _read(self, y: FloatArray, x: FloatArray, out: FloatArray) -> None:
        """What is at the places: between four pixels, and paper outside."""
        n = len(y)
        for place in (y, x):
            np.clip(place, 0, PADDED - 2, out=place)
        corner, index, (top, left, right) = self.corner[:n], self.index[:n], self.scratch[:, :n]
        np.floor(y, out=top)
        np.floor(x, out=left)
        y -= top
        x -= left
        top *= PADDED
        top += left
        corner[:] = top
        corner += self.first[:n]
        pixels = self.padded.reshape(-1)
        # Along x in the upper row, along x in the lower one, then along y.
        for row, offset in ((top, 0), (left, PADDED)):
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


def _gaussian(sigma: float) -> FloatArray:
    """The matrix (28, 28) that smooths a line of pixels; it is symmetric."""
    distance = np.subtract.outer(np.arange(SIDE), np.arange(SIDE))
    kernel: FloatArray = np.exp(-0.5 * (distance / sigma) ** 2) / (sigma * math.sqrt(2 * math.pi))
    return kernel.astype(np.float32)
