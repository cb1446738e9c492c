"""The arrays of an `.npz` file, read with suspicion: nothing is unpickled, no size is believed."""

import ast
import math
import os
import struct
import zipfile
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

ALLOWANCE = 64 << 20  # bytes that any archive may unpack to
MOST_PACKED = 20  # bytes from each byte of a larger one; MNIST packs into a fifth, noise not at all
PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # NumPy's; others unpack without a bound
MAX_HEADER = 10_000
MAGIC = b"\x93NUMPY"


class NpzError(ValueError):
    """Why a file is not a sound `.npz`; the reader of the file says which file."""


def read_npz(path: str | os.PathLike[str], skip: str | None = None) -> dict[str, NDArray[Any]]:
    """The arrays of an `.npz` file by name, without those whose name begins with `skip`.

    Raises NpzError for a file that is no zip archive of plain arrays, is damaged, or whose headers
    promise more than is there; OSError if it cannot be opened.
    """
    with open(path, "rb") as file:
        try:
            with zipfile.ZipFile(file) as archive:
                return _read_members(archive, os.fstat(file.fileno()).st_size, skip)
        except (NpzError, MemoryError):
            raise
        except Exception as error:  # zipfile raises some ten kinds, depending on the damage
            problem = f"expected a sound .npz archive, found a damaged one ({error})"
            raise NpzError(problem) from None


def _read_members(archive: zipfile.ZipFile, size: int, skip: str | None) -> dict[str, NDArray[Any]]:
    members = archive.infolist()
    unpacked, most = sum(member.file_size for member in members), ALLOWANCE + MOST_PACKED * size
    if unpacked > most:
        raise NpzError(f"expected at most {most:,} bytes unpacked, found {unpacked:,}")
    arrays: dict[str, NDArray[Any]] = {}
    for member in members:
        name = member.filename.removesuffix(".npy")
        if skip and name.startswith(skip):
            continue
        if name in arrays:
            raise NpzError(f"expected each array once, found {name!r:.60} twice")
        if member.compress_type not in PACKINGS:
            raise NpzError(f"{name}: expected NumPy's way of packing, found another")
        with archive.open(member) as file:
            arrays[name] = _read_array(file, member.file_size, name)
    return arrays


def _read_array(file: IO[bytes], size: int, name: str) -> NDArray[Any]:
    """One `.npy` member of `size` bytes: magic, version, header, then the numbers.

    The layout is that of numpy.lib.format, "Format Version 1.0" and "2.0".
    """
    prefix = file.read(8)
    if len(prefix) < 8 or not prefix.startswith(MAGIC) or prefix[6] not in (1, 2, 3):
        raise NpzError(f"{name}: expected a NumPy array, found something else")
    length_format = "<H" if prefix[6] == 1 else "<I"
    packed = file.read(struct.calcsize(length_format))
    whole = len(packed) == struct.calcsize(length_format)
    header_length = struct.unpack(length_format, packed)[0] if whole else 0
    if not 0 < header_length <= MAX_HEADER:
        raise NpzError(f"{name}: expected a header of at most {MAX_HEADER:,} bytes")
    try:
        header = ast.literal_eval(file.read(header_length).decode("latin1"))
        dtype, order = np.dtype(header["descr"]), "F" if header["fortran_order"] else "C"
        shape = tuple(header["shape"])
    except (ValueError, SyntaxError, TypeError, KeyError, RecursionError, MemoryError):
        raise NpzError(f"{name}: expected a NumPy header, found something else") from None
    if dtype.kind not in "biufcSU" or dtype.itemsize == 0:
        found = "pickled Python objects" if dtype.hasobject else f"{dtype!s:.40}"
        raise NpzError(f"{name}: expected numbers or text, found {found}")
    if not all(type(length) is int and length >= 0 for length in shape):
        raise NpzError(f"{name}: expected a shape, found {shape!r:.60}")
    promised = math.prod(shape) * dtype.itemsize
    there = size - len(prefix) - len(packed) - header_length
    if promised != there:
        raise NpzError(f"{name}: its header promises {promised:,} bytes, found {there:,}")
    data = file.read(there)
    if len(data) != there:
        raise NpzError(f"{name}: expected {there:,} bytes, found {len(data):,}")
    if dtype.kind == "U" and not _is_text(data, dtype):
        raise NpzError(f"{name}: expected text, found what no text has")
    try:
        return np.frombuffer(data, dtype).reshape(shape, order=order)  # type: ignore[call-overload, no-any-return]
    except ValueError:
        raise NpzError(f"{name}: expected a shape, found {shape!r:.60}") from None


def _is_text(data: bytes, dtype: np.dtype[Any]) -> bool:
    """Whether all characters, four bytes each, are Unicode's, and none is half of a pair."""
    points = np.frombuffer(data, np.dtype(np.uint32).newbyteorder(dtype.byteorder))
    return not ((points > 0x10FFFF) | ((points >= 0xD800) & (points <= 0xDFFF))).any()
