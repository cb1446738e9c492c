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
    with the classes of the first. A source that is listed several times, by one name or by
    several, is there once, to be learned from so many times. The images in a single plain IDX file
    or `.npy` file stay there: it must not be cut short while they are in use. Raises DataError,
    naming the file and the place, for whatever is missing or wrong.
    """
    if isinstance(paths, str | Path):
        return _read(paths)
    times = Counter(paths)
    sources = {path: _read(path) for path in times}
    names = next(iter(sources.values())).training.class_names
    training = {path: data.training.renumbered(names, path) for path, data in sources.items()}
    tests = {path: data.test.renumbered(names, path) for path, data in sources.items() if data.test}
    return Data(
        _together([(dataset, times[path]) for path, dataset in training.items()]),
        _together([(dataset, 1) for dataset in tests.values()], repeated=False) if tests else None,
    )


def _together(parts: list[tuple[Dataset, int]], *, repeated: bool = True) -> Dataset:
    """Return data sets one after the other, equal ones once, whatever path each came from.

    parts: data sets with the same class names, and how often each is listed. repeated: whether the
    result has the `times` that follow from this.
    """
    times: Counter[tuple[str, bytes]] = Counter()
    distinct: dict[tuple[str, bytes], Dataset] = {}
    for dataset, count in parts:
        contents = dataset.picture_hash, dataset.labels.tobytes()
        distinct.setdefault(contents, dataset)
        times[contents] += count
    datasets = list(distinct.values())
    first = datasets[0]
    together = first
    if len(datasets) > 1:
        together = Dataset(
            np.concatenate([dataset.images for dataset in datasets]),
            np.concatenate([dataset.labels for dataset in datasets]),
            first.class_names,
            parts=tuple(dataset.picture_hash for dataset in datasets),
        )
    if repeated and times.total() > len(times):
        lengths = [len(dataset) for dataset in datasets]
        together = replace(together, times=np.repeat([*times.values()], lengths))
    return together


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
