"""Arrays that stay in their files: the system brings in the pages that are used, and drops them."""

import math
import mmap
from io import BufferedIOBase
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitnet.errors import DataError

Buffer = bytes | mmap.mmap | NDArray[np.uint8]


def mapped(file: BufferedIOBase) -> mmap.mmap:
    """The whole of an open file, read-only: not a byte is read before it is used.

    Whatever else happens to the file shows in it. A file that is cut short meanwhile takes its
    pages with it, and the system ends a process that asks for one of them (SIGBUS); another file
    renamed over it, or its removal, does no harm.
    """
    return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def array_in(
    buffer: Buffer, path: Path, start: int, shape: tuple[int, ...], dtype: np.dtype[Any]
) -> NDArray[Any]:
    """The array of some shape that a file's content has from byte `start` to its end, not copied.

    Raises DataError, naming the file, where the content is shorter or longer than that.
    """
    end = start + math.prod(shape) * dtype.itemsize
    if len(buffer) < end:
        raise DataError(f"{path}: expected {end:,} bytes, found {len(buffer):,}")
    if len(buffer) > end:
        raise DataError(f"{path}: byte {end}: expected the file's end, found more bytes")
    try:
        return np.ndarray(shape, dtype, buffer, start)
    except ValueError:
        raise DataError(f"{path}: expected a shape, found {shape!r:.60}") from None
