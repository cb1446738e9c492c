"""Read IDX, the file format of MNIST: a magic number, the dimensions, then bytes.

Source: Y. LeCun, C. Cortes, C. Burges, The MNIST database of handwritten digits, "File formats".
"""

import gzip
import math
import os
import struct
import zlib
from io import BufferedIOBase
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitnet.dataset.formats import GZIP_MAGIC
from digitnet.dataset.mapped import map_file, view_array
from digitnet.errors import DataError
from digitnet.paths import kind_of

UNSIGNED_BYTE = 0x08
CHUNK_BYTES = 1 << 20  # bytes unpacked at once
MAX_DEFLATE_RATIO = 1040  # unpacked bytes per packed byte; DEFLATE reaches about 1032


def read_idx(path: Path, dimensions: int) -> NDArray[np.uint8]:
    """Return the array of unsigned bytes in an IDX file with this number of dimensions.

    A plain file is memory-mapped: the array is read-only, and the file must not be truncated while
    the array is in use. A gzipped file is unpacked into memory. Raises DataError for any other
    content, and for a file whose length differs from its header.
    """
    if kind_of(path) != "file":
        raise DataError(f"{path}: expected a file, found something else")
    try:
        with path.open("rb") as file:
            size, start = os.fstat(file.fileno()).st_size, 4 + 4 * dimensions
            if file.peek(2)[:2] != GZIP_MAGIC:
                shape = _read_shape(file, path, dimensions, size)
                return view_array(map_file(file), path, start, shape, np.dtype(np.uint8))
            with gzip.open(file) as unpacked:
                shape = _read_shape(unpacked, path, dimensions, size * MAX_DEFLATE_RATIO)
                unpacked.seek(0)
                content = _read_up_to(start + math.prod(shape) + 1, unpacked)
            return view_array(content, path, start, shape, np.dtype(np.uint8))
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise DataError(
            f"{path}: expected a complete gzip file, found a damaged file ({error})"
        ) from None


def _read_shape(file: BufferedIOBase, path: Path, dimensions: int, limit: int) -> tuple[int, ...]:
    """Return the shape in the header of an IDX file that can hold at most `limit` bytes."""
    header = file.read(4 + 4 * dimensions)
    magic = bytes([0, 0, UNSIGNED_BYTE, dimensions])
    if header[:4] != magic:
        found = header[:4].hex(" ") or "nothing"
        raise DataError(
            f"{path}: byte 0: expected the magic number {magic.hex(' ')}, found {found}"
        )
    if len(header) < 4 + 4 * dimensions:
        raise DataError(f"{path}: byte 4: expected {dimensions} dimensions, found the file's end")
    shape = struct.unpack(f">{dimensions}I", header[4:])
    promised = math.prod(shape)
    if promised > limit:
        raise DataError(
            f"{path}: byte 4: the header promises {promised:,} bytes, more than the file can hold"
        )
    return shape


def _read_up_to(length: int, file: BufferedIOBase) -> NDArray[np.uint8]:
    content = np.empty(length, np.uint8)
    read = 0
    while count := file.readinto(content[read : read + CHUNK_BYTES].data):
        read += count
    return content[:read]
