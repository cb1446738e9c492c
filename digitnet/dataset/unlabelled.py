"""Read the pictures in files of arrays, whether or not there are labels."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from digitnet.dataset.archives import images_in_npz
from digitnet.dataset.definition import DEFAULT_OPTIONS, ReadOptions
from digitnet.dataset.formats import array_format
from digitnet.dataset.idx import read_idx
from digitnet.dataset.npy import read_npy
from digitnet.dataset.shapes import to_images
from digitnet.dataset.tables import read_table
from digitnet.errors import DataError
from digitnet.paths import AnyPath


class Images(NamedTuple):
    """Pictures uint8 (n, 28, 28), ink 255 on 0, and a remark for each conversion."""

    images: NDArray[np.uint8]
    remarks: tuple[str, ...]


def read_images(path: AnyPath, options: ReadOptions = DEFAULT_OPTIONS) -> Images:
    """Return the pictures of a CSV, IDX, `.npy` or `.npz` file, without its labels.

    Pictures of a plain IDX or `.npy` file are memory-mapped as by `read_data`. Raises DataError,
    which names the file and the place, for anything else.
    """
    path = Path(path)
    name, kind = str(path), array_format(path)
    try:
        if kind == "csv":
            array: NDArray[np.generic] = read_table(path).pixels
        elif kind == "npz":
            name, array = images_in_npz(path)
        elif kind == "npy":
            array = read_npy(path)
        else:
            array = read_idx(path, 3)
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}") from None
    return Images(*to_images(name, array, options))
