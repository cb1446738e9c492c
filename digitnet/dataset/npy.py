"""NumPy's own format for one array, mapped."""

from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from digitnet.dataset.mapped import array_in, mapped
from digitnet.errors import DataError
from digitnet.npz import NpyError, read_header
from digitnet.paths import kind_of


def read_npy(path: Path) -> NDArray[Any]:
    """The array in a `.npy` file, read-only; the file must not be cut short while it lives.

    Raises DataError for any other content, pickled objects and Fortran's order among it, and for a
    file shorter or longer than it says.
    """
    if kind_of(path) != "file":
        raise DataError(f"{path}: expected a file, found something else")
    with path.open("rb") as file:
        try:
            header = read_header(file)
        except NpyError as error:
            raise DataError(f"{path}: {error}") from None
        if header.fortran_order and len(header.shape) > 1:
            raise DataError(
                f"{path}: expected one picture after the other (C order), found them interleaved "
                "(Fortran order)"
            )
        return array_in(mapped(file), path, file.tell(), header.shape, header.dtype)
