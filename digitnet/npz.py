"""Read arrays from untrusted `.npy` and `.npz` files: no unpickling, every size is checked.

For the layout of a header see numpy.lib.format, "Format Version 1.0", "2.0" and "3.0".
"""

import ast
import errno
import math
import os
import struct
import zipfile
from dataclasses import dataclass
from io import BufferedReader
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from digitnet.errors import shortage

MAGIC = b"\x93NUMPY"
MAX_HEADER = 10_000  # bytes
MAX_DIMENSIONS = 64  # NumPy's own limit
UNPACKED_FREELY = 64 << 20  # bytes: any archive may unpack to this size
MAX_RATIO = 20  # unpacked bytes per packed byte beyond UNPACKED_FREELY; MNIST has 5, noise 1
ZIP_MAGIC = b"PK"
LOCAL_HEADER = b"PK\3\4"  # signature of a zip member's local file header
NAME_OFFSET = 30  # bytes: start of the name in a local header; the length is 4 bytes before it
MAX_MEMBER_NAME = 1 << 16  # bytes
COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # NumPy's; others unpack without a bound


class NpyError(ValueError):
    """The reason why data are not a valid `.npy` array. The caller adds the name of the file."""


@dataclass(frozen=True)
class Header:
    """The type, shape and order that a header states. NumPy may still reject the shape."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    fortran_order: bool


def read_header(file: IO[bytes]) -> Header:
    """Return the header of a `.npy` file and leave the file at the first byte of the data.

    Raises NpyError for anything but an array of numbers or text.
    """
    prefix = file.read(8)
    if len(prefix) < 8 or not prefix.startswith(MAGIC) or prefix[6] not in (1, 2, 3):
        raise NpyError("expected a NumPy array, found something else")
    length_format = "<H" if prefix[6] == 1 else "<I"
    field = file.read(struct.calcsize(length_format))
    is_complete = len(field) == struct.calcsize(length_format)
    length = struct.unpack(length_format, field)[0] if is_complete else 0
    if not 0 < length <= MAX_HEADER:
        raise NpyError(f"expected a header of at most {MAX_HEADER:,} bytes")
    text = file.read(length).decode("latin1")
    try:
        header = ast.literal_eval(text)
        dtype, fortran_order = np.dtype(header["descr"]), bool(header["fortran_order"])
        shape = tuple(header["shape"])
    except Exception:  # the parser and NumPy raise some ten kinds of errors
        raise NpyError("expected a NumPy header, found something else") from None
    if dtype.kind not in "biufcSU" or dtype.itemsize == 0:
        found = "pickled Python objects" if dtype.hasobject else f"{dtype!s:.40}"
        raise NpyError(f"expected numbers or text, found {found}")
    if len(shape) > MAX_DIMENSIONS or not all(type(n) is int and 0 <= n < 2**63 for n in shape):
        raise NpyError("expected a shape that an array can have, found an impossible one")
    return Header(dtype, shape, fortran_order)


class NpzError(ValueError):
    """The reason why a file is not a valid `.npz` archive. The caller adds the name of the file."""


def read_npz(path: str | os.PathLike[str], skip: str | None = None) -> dict[str, NDArray[Any]]:
    """Return the arrays of an `.npz` file by name, without names that start with `skip`.

    Raises OSError if the file cannot be opened, and the errors of `read_archive`.
    """
    with open(path, "rb") as file:
        return read_archive(file, skip)


def read_archive(file: BufferedReader, skip: str | None = None) -> dict[str, NDArray[Any]]:
    """Return the arrays of an open `.npz` file, like `read_npz`; the file stays open.

    Raises NpzError if the file is not a zip archive of plain arrays, is damaged, or has a header
    that promises more data than the file holds; OSError if it cannot be read. Errors caused by a
    shortage, such as MemoryError, pass through.
    """
    if file.peek(len(ZIP_MAGIC))[: len(ZIP_MAGIC)] != ZIP_MAGIC:
        raise NpzError("expected an .npz archive, found something else")
    try:
        with zipfile.ZipFile(file) as archive:
            return _read_members(archive, os.fstat(file.fileno()).st_size, skip)
    except NpzError:
        raise
    except Exception as error:  # zipfile raises some ten kinds of errors
        if shortage(error):
            raise
        for cause in (error, error.__context__):  # zipfile hides some disk errors
            if isinstance(cause, OSError) and cause.errno not in (None, errno.EINVAL):
                raise cause from None  # EINVAL: a wrong offset in the file
        problem = f"expected a sound .npz archive, found a damaged one ({error})"
        raise NpzError(problem) from None


def member_names(path: str | os.PathLike[str]) -> list[str]:
    """Return the names of an archive's arrays; of a truncated archive, the first name.

    The list is empty for a file that is not a zip archive. Raises OSError if it cannot be opened.
    """
    with open(path, "rb") as file:
        start = file.read(NAME_OFFSET + MAX_MEMBER_NAME)
        if not start.startswith(ZIP_MAGIC):
            return []
        try:
            with zipfile.ZipFile(file) as archive:
                names = archive.namelist()
        except Exception:  # zipfile raises some ten kinds of errors
            if not start.startswith(LOCAL_HEADER):
                return []
            length = int.from_bytes(start[NAME_OFFSET - 4 : NAME_OFFSET - 2], "little")
            names = [start[NAME_OFFSET : NAME_OFFSET + length].decode(errors="replace")]
    return [name.removesuffix(".npy") for name in names]


def _read_members(archive: zipfile.ZipFile, size: int, skip: str | None) -> dict[str, NDArray[Any]]:
    members = archive.infolist()
    unpacked = sum(member.file_size for member in members)
    limit = UNPACKED_FREELY + MAX_RATIO * size
    if unpacked > limit:
        raise NpzError(f"expected at most {limit:,} bytes unpacked, found {unpacked:,}")
    arrays: dict[str, NDArray[Any]] = {}
    for member in members:
        name = member.filename.removesuffix(".npy")
        if skip and name.startswith(skip):
            continue
        if name in arrays:
            raise NpzError(f"expected each array once, found {name!r:.60} twice")
        if member.compress_type not in COMPRESSIONS:
            raise NpzError(f"{name}: expected no compression or DEFLATE, found another method")
        with archive.open(member) as file:
            arrays[name] = _read_array(file, member.file_size, name)
    return arrays


def _read_array(file: IO[bytes], size: int, name: str) -> NDArray[Any]:
    """Return the array of a `.npy` member of `size` bytes."""
    try:
        header = read_header(file)
    except NpyError as error:
        if not file.name.endswith(".npy"):
            found = f"found {file.name!r:.60} in it"
            raise NpzError(f"expected an archive of NumPy arrays (.npy), {found}") from None
        raise NpzError(f"{name}: {error}") from None
    dtype, shape = header.dtype, header.shape
    promised, available = math.prod(shape) * dtype.itemsize, size - file.tell()
    if promised != available:
        raise NpzError(f"{name}: its header promises {promised:,} bytes, found {available:,}")
    data = file.read(available)
    if len(data) != available:
        raise NpzError(f"{name}: expected {available:,} bytes, found {len(data):,}")
    if dtype.kind == "U" and not _is_unicode(data, dtype):
        raise NpzError(f"{name}: expected Unicode text, found invalid characters")
    try:
        return np.frombuffer(data, dtype).reshape(shape, order="F" if header.fortran_order else "C")
    except ValueError:
        problem = f"expected a shape that an array can have, found {shape!r:.60}"
        raise NpzError(f"{name}: {problem}") from None


def _is_unicode(data: bytes, dtype: np.dtype[Any]) -> bool:
    """Return whether UTF-32 data hold only Unicode code points and no surrogates."""
    points = np.frombuffer(data, np.dtype(np.uint32).newbyteorder(dtype.byteorder))
    return not ((points > 0x10FFFF) | ((points >= 0xD800) & (points <= 0xDFFF))).any()
