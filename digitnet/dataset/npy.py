"""Read `.npy`, NumPy's file format for one array, as a memory-mapped array."""

from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from digitnet.dataset.mapped import map_file, view_array
from digitnet.errors import DataError
from digitnet.npz import NpyError, read_header
from digitnet.paths import kind_of


def read_npy(path: Path) -> NDArray[Any]:
    """Return the array in a `.npy` file, read-only.

    The file must not be truncated while the array is in use. Raises DataError for any other
    content, including pickled objects and Fortran order, and for a file whose length differs from
    its header.
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
                f"{path}: expected one picture after the other (C order), found Fortran order; "
                "save numpy.ascontiguousarray(array)"
            )
        return view_array(map_file(file), path, file.tell(), header.shape, header.dtype)
