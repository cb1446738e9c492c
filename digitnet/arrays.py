"""Array types, cache-aligned arrays, and how work is divided between threads."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

FloatArray = NDArray[np.floating]

SIDE = 28  # pixels along each side of an image
PIXELS = SIDE * SIDE
CACHE_LINE = 64  # bytes


def empty(shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[np.floating]:
    """Return an uninitialised array of floats, aligned to a cache line."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    buffer = np.empty(size + CACHE_LINE, np.uint8)
    start = -buffer.ctypes.data % CACHE_LINE
    array: NDArray[np.floating] = buffer[start : start + size].view(dtype).reshape(shape)
    return array


def zeros(shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[np.floating]:
    """Return an array of zeros, aligned to a cache line."""
    array = empty(shape, dtype)
    array.fill(0)
    return array


class Share(NamedTuple):
    """The part of the work that one thread of a crew does.

    member: the thread's index, from 0. members: number of threads. barrier: returns when all
    members have called it; None for a single thread.
    """

    member: int = 0
    members: int = 1
    barrier: Callable[[], object] | None = None

    def rows(self, n: int) -> slice:
        """Return this member's slice of n rows; the slices' sizes differ by at most one."""
        return slice(n * self.member // self.members, n * (self.member + 1) // self.members)


ALONE = Share()
