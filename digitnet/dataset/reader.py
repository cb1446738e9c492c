"""What a path holds is recognised by looking at it, not configured."""

import os
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np

from digitnet.dataset.definition import Data, Dataset, Paths
from digitnet.dataset.idx import GZIP_MAGIC
from digitnet.dataset.pairs import read_folder_of_pairs, read_pair
from digitnet.dataset.tables import read_csv_data, read_npz_data
from digitnet.errors import DataError, ImageError
from digitnet.npy import MAGIC


def read_data(paths: Paths | Path) -> Data:
    """The labelled pictures of a folder or of a file: IDX, npy, npz, csv, or pictures.

    Those of several are put together in memory, training sets and test sets, in this order and
    with the classes of the first; what is named several times is there once, to be learned from so
    many times. The images in a single plain IDX file or `.npy` file stay there:
    it must not be cut short while they are in use. Raises DataError, naming the file and the place,
    for whatever is missing or wrong.
    """
    if isinstance(paths, str | Path):
        return _read(paths)
    times = Counter(paths)
    sources = {path: _read(path) for path in times}
    names = next(iter(sources.values())).training.class_names
    training = _together({path: data.training for path, data in sources.items()}, names)
    if len(times) < len(paths):
        lengths = [len(data.training) for data in sources.values()]
        training = replace(training, times=np.repeat([*times.values()], lengths))
    tests = {path: data.test for path, data in sources.items() if data.test}
    return Data(training, _together(tests, names) if tests else None)


def _together(parts: dict[str, Dataset], names: tuple[str, ...]) -> Dataset:
    """Data sets one after the other, by the path that each came from, with one tuple of classes."""
    datasets = [dataset.renumbered(names, path) for path, dataset in parts.items()]
    if len(datasets) == 1:
        return datasets[0]
    return Dataset(
        np.concatenate([dataset.images for dataset in datasets]),
        np.concatenate([dataset.labels for dataset in datasets]),
        names,
    )


def _read(path: str | Path) -> Data:
    if not os.fspath(path):
        raise DataError("expected the path of data, found an empty one")
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
        return Data(read_pair(path), None)
    if start == b"PK\3\4":
        return read_npz_data(path)
    if path.suffix.lower() == ".csv":
        return read_csv_data(path)
    raise DataError(f"{path}: expected IDX, .npy, .npz, .csv or a folder, found none of them")


def _read_pictures(folder: Path) -> Data:
    from digitnet.dataset.folder import read_picture_folder  # Pillow: only where it is needed

    return read_picture_folder(folder)
