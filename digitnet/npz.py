"""Arrays of `.npy` and `.npz` files, read with suspicion: no unpickling, no size is believed.

The layout of a header is that of numpy.lib.format, "Format Version 1.0", "2.0" and "3.0".
"""

import ast
import errno
import math
import os
import struct
import zipfile
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from digitnet.errors import shortage

MAGIC = b"\x93NUMPY"
MAX_HEADER = 10_000
MAX_SIDES = 64  # NumPy's own limit
ALLOWANCE = 64 << 20  # bytes that any archive may unpack to
MOST_PACKED = 20  # bytes from each byte of a larger one; MNIST packs into a fifth, noise not at all
ZIP = b"PK"  # the first bytes of an archive
MEMBER = b"PK\3\4"  # the first bytes of a member
NAME_AT = 30  # bytes before the first member's name; its length stands 4 bytes before it
MOST_NAME = 1 << 16  # bytes of a member's name
PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # NumPy's; others unpack without a bound


class NpyError(ValueError):
    """Why something is not a sound `.npy` array; who reads it says what."""


@dataclass(frozen=True)
class Header:
    """What an array says of itself. Whether NumPy can hold such a shape is not known yet."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    fortran_order: bool


def read_header(file: IO[bytes]) -> Header:
    """Magic, version and header; the file then stands at the first of the numbers.

    Raises NpyError for anything but an array of numbers or text.
    """
    prefix = file.read(8)
    if len(prefix) < 8 or not prefix.startswith(MAGIC) or prefix[6] not in (1, 2, 3):
        raise NpyError("expected a NumPy array, found something else")
    length_format = "<H" if prefix[6] == 1 else "<I"
    packed = file.read(struct.calcsize(length_format))
    whole = len(packed) == struct.calcsize(length_format)
    length = struct.unpack(length_format, packed)[0] if whole else 0
    if not 0 < length <= MAX_HEADER:
        raise NpyError(f"expected a header of at most {MAX_HEADER:,} bytes")
    text = file.read(length).decode("latin1")
    try:
        header = ast.literal_eval(text)
        dtype, fortran_order = np.dtype(header["descr"]), bool(header["fortran_order"])
        shape = tuple(header["shape"])
    except Exception:  # the parser and NumPy raise some ten kinds, depending on what is there
        raise NpyError("expected a NumPy header, found something else") from None
    if dtype.kind not in "biufcSU" or dtype.itemsize == 0:
        found = "pickled Python objects" if dtype.hasobject else f"{dtype!s:.40}"
        raise NpyError(f"expected numbers or text, found {found}")
    if len(shape) > MAX_SIDES or not all(type(side) is int and 0 <= side < 2**63 for side in shape):
        raise NpyError("expected a shape that an array can have, found another")
    return Header(dtype, shape, fortran_order)


class NpzError(ValueError):
    """Why a file is not a sound `.npz`; the reader of the file says which file."""


def read_npz(path: str | os.PathLike[str], skip: str | None = None) -> dict[str, NDArray[Any]]:
    """The arrays of an `.npz` file by name, without those whose name begins with `skip`.

    Raises NpzError for a file that is no zip archive of plain arrays, is damaged, or whose headers
    promise more than is there; OSError if it cannot be opened or read. A shortage, as of memory, is
    raised as it comes.
    """
    with open(path, "rb") as file:
        if file.peek(len(ZIP))[: len(ZIP)] != ZIP:
            raise NpzError("expected an .npz archive, found something else")
        try:
            with zipfile.ZipFile(file) as archive:
                return _read_members(archive, os.fstat(file.fileno()).st_size, skip)
        except NpzError:
            raise
        except Exception as error:  # zipfile raises some ten kinds, depending on the damage
            if shortage(error):
                raise
            for cause in (error, error.__context__):  # zipfile hides some errors of the disk
                if isinstance(cause, OSError) and cause.errno not in (None, errno.EINVAL):
                    raise cause from None  # EINVAL comes of wrong offsets in the file
            problem = f"expected a sound .npz archive, found a damaged one ({error})"
            raise NpzError(problem) from None


def member_names(path: str | os.PathLike[str]) -> list[str]:
    """Return the names in an archive, without `.npy`; of one without its end, the first name.

    Empty for a file that is no zip archive. Raises OSError if it cannot be opened.
    """
    with open(path, "rb") as file:
        start = file.read(NAME_AT + MOST_NAME)
        if not start.startswith(ZIP):
            return []
        try:
            with zipfile.ZipFile(file) as archive:
                names = archive.namelist()
        except Exception:  # zipfile raises some ten kinds, depending on the damage
            if not start.startswith(MEMBER):
                return []
            length = int.from_bytes(start[NAME_AT - 4 : NAME_AT - 2], "little")
            names = [start[NAME_AT : NAME_AT + length].decode(errors="replace")]
    return [name.removesuffix(".npy") for name in names]


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
    """One `.npy` member of `size` bytes."""
    try:
        header = read_header(file)
    except NpyError as error:
        if not file.name.endswith(".npy"):
            found = f"found {file.name!r:.60} in it"
            raise NpzError(f"expected an archive of NumPy arrays (.npy), {found}") from None
        raise NpzError(f"{name}: {error}") from None
    dtype, shape = header.dtype, header.shape
    promised, there = math.prod(shape) * dtype.itemsize, size - file.tell()
    if promised != there:
        raise NpzError(f"{name}: its header promises {promised:,} bytes, found {there:,}")
    data = file.read(there)
    if len(data) != there:
        raise NpzError(f"{name}: expected {there:,} bytes, found {len(data):,}")
    if dtype.kind == "U" and not _is_text(data, dtype):
        raise NpzError(f"{name}: expected text, found what no text has")
    try:
        return np.frombuffer(data, dtype).reshape(shape, order="F" if header.fortran_order else "C")
    except ValueError:
        raise NpzError(f"{name}: expected a shape, found {shape!r:.60}") from None


def _is_text(data: bytes, dtype: np.dtype[Any]) -> bool:
    """Whether all characters, four bytes each, are Unicode's, and none is half of a pair."""
    points = np.frombuffer(data, np.dtype(np.uint32).newbyteorder(dtype.byteorder))
    return not ((points > 0x10FFFF) | ((points >= 0xD800) & (points <= 0xDFFF))).any()
