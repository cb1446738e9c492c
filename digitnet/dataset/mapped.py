"""Memory-mapped arrays: the system loads the pages that are used, and drops them again."""

import math
import mmap
from io import BufferedIOBase
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitnet.errors import DataError

Buffer = bytes | mmap.mmap | NDArray[np.uint8]


def map_file(file: BufferedIOBase) -> mmap.mmap:
    """Return a read-only memory map of an open file.

    Changes to the file appear in the map. If the file is truncated, access to a missing page ends
    the process (SIGBUS). Deleting the file, or renaming another file over it, is harmless.
    """
    return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def view_array(
    buffer: Buffer, path: Path, start: int, shape: tuple[int, ...], dtype: np.dtype[Any]
) -> NDArray[Any]:
    """Return the array from byte `start` to the end of a file's content, without a copy.

    Raises DataError, which names the file, if the content is shorter or longer than the array.
    """
    end = start + math.prod(shape) * dtype.itemsize
    if len(buffer) < end:
        raise DataError(f"{path}: expected {end:,} bytes, found {len(buffer):,}")
    if len(buffer) > end:
        raise DataError(f"{path}: byte {end}: expected the file's end, found more bytes")
    try:
        return np.ndarray(shape, dtype, buffer, start)
    except ValueError:
        problem = f"expected a shape that an array can have, found {shape!r:.60}"
        raise DataError(f"{path}: {problem}") from None
