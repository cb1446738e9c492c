"""Array types, aligned and shared arrays, and how work is divided between a crew's members."""

import math
import mmap
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


def shared(shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[np.floating]:
    """Return an array of zeros, aligned to a page, which forked processes share with this one."""
    size = math.prod(shape)
    memory = mmap.mmap(-1, max(size * np.dtype(dtype).itemsize, 1))
    array: NDArray[np.floating] = np.frombuffer(memory, dtype, size).reshape(shape)
    return array


def is_shared(array: FloatArray) -> bool:
    """Return whether an array, or the array that it is a view of, was made by `shared`."""
    base: object = array
    while isinstance(base, np.ndarray):
        base = base.base
    return isinstance(base, memoryview) and isinstance(base.obj, mmap.mmap)


def zeros_like(array: FloatArray, shape: tuple[int, ...] | None = None) -> FloatArray:
    """Return an array of zeros in the same kind of memory. shape: that of the array by default."""
    new = shared if is_shared(array) else zeros
    return new(array.shape if shape is None else shape, array.dtype)


class Share(NamedTuple):
    """The part of the work that one member of a crew does.

    member: the member's index, from 0. members: the number of members. barrier: returns when all
    members have called it; None for a single member.
    """

    member: int = 0
    members: int = 1
    barrier: Callable[[], object] | None = None

    def rows(self, n: int) -> slice:
        """Return this member's slice of n rows; the slices' sizes differ by at most one."""
        return slice(n * self.member // self.members, n * (self.member + 1) // self.members)


ALONE = Share()
