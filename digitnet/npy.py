"""The header of a `.npy` array, read with suspicion: nothing is unpickled, no size is believed.

The layout is that of numpy.lib.format, "Format Version 1.0", "2.0" and "3.0".
"""

import ast
import struct
from dataclasses import dataclass
from typing import IO, Any

import numpy as np

MAGIC = b"\x93NUMPY"
MAX_HEADER = 10_000
MAX_SIDES = 64  # NumPy's own limit


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
