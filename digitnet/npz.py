"""The arrays of an `.npz` file, read with suspicion: nothing is unpickled, no size is believed."""

import ast
import math
import os
import struct
import zipfile
import zlib
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

ALLOWANCE = 64 << 20  # bytes that any archive may unpack to
MOST_PACKED = 20  # bytes from each byte of a larger one; MNIST packs into a fifth, noise not at all
MAX_HEADER = 10_000
MAGIC = b"\x93NUMPY"


class NpzError(ValueError):
    """Why a file is not a sound `.npz`; the reader of the file says which file."""


def read_npz(path: str | os.PathLike[str], skip: str | None = None) -> dict[str, NDArray[Any]]:
    """The arrays of an `.npz` file by name, without those whose name begins with `skip`.

    Raises NpzError for a file that is no zip archive of plain arrays, is damaged, or whose headers
    promise more than is there; OSError if it cannot be opened.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            unpacked = sum(member.file_size for member in members)
            most = ALLOWANCE + MOST_PACKED * os.path.getsize(path)
            if unpacked > most:
                raise NpzError(f"expected at most {most:,} bytes unpacked, found {unpacked:,}")
            arrays: dict[str, NDArray[Any]] = {}
            for member in members:
                name = member.filename.removesuffix(".npy")
                if skip and name.startswith(skip):
                    continue
                if name in arrays:
                    raise NpzError(f"expected each array once, found {name!r} twice")
                with archive.open(member) as file:
                    arrays[name] = _read_array(file, member.file_size, name)
            return arrays
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise NpzError(f"expected a sound .npz archive, found a damaged one ({error})") from None


def _read_array(file: IO[bytes], size: int, name: str) -> NDArray[Any]:
    """One `.npy` member of `size` bytes: magic, version, header, then the numbers.

    The layout is that of numpy.lib.format, "Format Version 1.0" and "2.0".
    """
    prefix = file.read(8)
    if len(prefix) < 8 or not prefix.startswith(MAGIC) or prefix[6] not in (1, 2, 3):
        raise NpzError(f"{name}: expected a NumPy array, found something else")
    length_format = "<H" if prefix[6] == 1 else "<I"
    packed = file.read(struct.calcsize(length_format))
    header_length = struct.unpack(length_format, packed)[0] if len(packed) in (2, 4) else 0
    if not 0 < header_length <= MAX_HEADER:
        raise NpzError(f"{name}: expected a header of at most {MAX_HEADER:,} bytes")
    try:
        header = ast.literal_eval(file.read(header_length).decode("latin1"))
        dtype = np.dtype(header["descr"])
        shape = tuple(header["shape"])
        order = "F" if header["fortran_order"] else "C"
    except (ValueError, SyntaxError, TypeError, KeyError, RecursionError, MemoryError):
        raise NpzError(f"{name}: expected a NumPy header, found something else") from None
    if dtype.hasobject:
        raise NpzError(f"{name}: expected numbers or text, found pickled Python objects")
    if not all(type(length) is int and length >= 0 for length in shape):
        raise NpzError(f"{name}: expected a shape, found {shape!r:.60}")
    promised = math.prod(shape) * dtype.itemsize
    there = size - len(prefix) - len(packed) - header_length
    if promised != there:
        raise NpzError(f"{name}: its header promises {promised:,} bytes, found {there:,}")
    data = file.read(there)
    if len(data) != there:
        raise NpzError(f"{name}: expected {there:,} bytes, found {len(data):,}")
    return np.frombuffer(data, dtype).reshape(shape, order=order)  # type: ignore[call-overload, no-any-return]
