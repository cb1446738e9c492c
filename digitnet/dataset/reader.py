"""What a path holds is recognised by looking at it, not configured."""

from pathlib import Path

from digitnet.dataset.definition import Data
from digitnet.dataset.idx import GZIP_MAGIC
from digitnet.dataset.pairs import read_folder_of_pairs, read_pair
from digitnet.dataset.tables import read_csv_data, read_npz_data
from digitnet.errors import DataError, ImageError
from digitnet.npy import MAGIC


def read_data(path: str | Path) -> Data:
    """The labelled pictures of a folder or of a file: IDX, npy, npz, csv, or pictures.

    The images in a plain IDX file or in a `.npy` file stay there: it must not be cut short while
    they are in use. Raises DataError, naming the file and the place, for whatever is missing or
    wrong.
    """
    path = Path(path)
    try:
        if path.is_dir():
            return read_folder_of_pairs(path) or _read_pictures(path)
        if not path.exists():
            raise DataError(f"{path}: no such file or folder")
        if not path.is_file():
            raise DataError(f"{path}: expected a file or a folder, found something else")
        return _read_file(path)
    except ImageError as error:
        raise DataError(str(error)) from None
    except OSError as error:
        raise DataError(f"{error.filename or path}: {error.strerror or error}") from None


def _read_file(path: Path) -> Data:
    with path.open("rb") as file:
        start = file.read(4)
    if not start:
        raise DataError(f"{path}: expected pictures and labels, found an empty file")
    if start[:2] in (GZIP_MAGIC, b"\0\0") or start == MAGIC[:4]:
        return Data(str(path), read_pair(path), None)
    if start == b"PK\3\4":
        return read_npz_data(path)
    if path.suffix.lower() == ".csv":
        return read_csv_data(path)
    raise DataError(f"{path}: expected IDX, .npy, .npz, .csv or a folder, found none of them")


def _read_pictures(folder: Path) -> Data:
    from digitnet.dataset.folder import read_picture_folder  # Pillow: only where it is needed

    return read_picture_folder(folder)
