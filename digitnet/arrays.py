"""Array types, arrays aligned to cache lines, and how rows of work are divided between threads."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

FloatArray = NDArray[np.floating]

SIDE = 28  # pixels along each side of an image
PIXELS = SIDE * SIDE
LINE = 64  # bytes


def empty(shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[np.floating]:
    """An array of floats, its content whatever was there before."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    room = np.empty(size + LINE, np.uint8)
    start = -room.ctypes.data % LINE
    array: NDArray[np.floating] = room[start : start + size].view(dtype).reshape(shape)
    return array


def zeros(shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[np.floating]:
    """An array of zeros."""
    array = empty(shape, dtype)
    array.fill(0)
    return array


class Share(NamedTuple):
    """Which member of a crew this is, of how many, and how it waits for the others.

    meet() returns when all have called it; None for one who is alone.
    """

    member: int = 0
    of: int = 1
    meet: Callable[[], object] | None = None

    def rows(self, n: int) -> slice:
        """This member's of n things: all as many, but for one more or less."""
        return slice(n * self.member // self.of, n * (self.member + 1) // self.of)


ALONE = Share()
