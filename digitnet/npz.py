"""The arrays of an `.npz` file, read with suspicion: nothing is unpickled, no size is believed."""

import errno
import math
import os
import zipfile
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from digitnet.errors import shortage
from digitnet.npy import NpyError, read_header

ALLOWANCE = 64 << 20  # bytes that any archive may unpack to
MOST_PACKED = 20  # bytes from each byte of a larger one; MNIST packs into a fifth, noise not at all
ZIP = b"PK"  # the first bytes of an archive
MEMBER = b"PK\3\4"  # the first bytes of a member
NAME_AT = 30  # bytes before the first member's name; its length stands 4 bytes before it
MOST_NAME = 1 << 16  # bytes of a member's name
PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # NumPy's; others unpack without a bound


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
