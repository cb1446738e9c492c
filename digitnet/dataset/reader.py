"""What a path holds is recognised by looking at it, not configured."""

import gzip
import os
import zlib
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from digitnet.dataset.definition import Data, Dataset, Paths
from digitnet.dataset.idx import GZIP_MAGIC
from digitnet.dataset.pairs import read_folder_of_pairs, read_pair
from digitnet.dataset.tables import read_csv_data, read_npz_data
from digitnet.errors import DataError, ImageError
from digitnet.npz import MAGIC
from digitnet.paths import kind_of, why_missing

if TYPE_CHECKING:
    from digitnet.image.evidence import Score

PICKLE = b"\x80"  # the first byte of a pickle of protocol 2 or later (pickletools, PROTO)


def read_data(
    paths: Paths | Path, *, transposed: bool = False, score: "Score | None" = None
) -> Data:
    """The labelled pictures of a folder or of a file: IDX, npy, npz, csv, or pictures.

    Those of several are put together in memory, training sets and test sets, in this order and
    with the classes of the first. A source that is listed several times, by one name or by
    several, is there once, to be learned from so many times. The images in a single plain IDX file
    or `.npy` file stay there: it must not be cut short while they are in use. transposed: arrays
    have the pictures' columns as rows, as EMNIST has; pictures in folders never do. score: the
    network that chooses among candidates for the digit of a picture in a folder. Raises DataError,
    naming the file and the place, for whatever is missing or wrong.
    """
    if isinstance(paths, str | Path):
        return _read(paths, transposed, score)
    times = Counter(paths)
    sources = {path: _read(path, transposed, score) for path in times}
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
    times: Counter[tuple[tuple[str, ...], bytes]] = Counter()
    distinct: dict[tuple[tuple[str, ...], bytes], Dataset] = {}
    for dataset, count in parts:
        contents = dataset.source_hashes, dataset.labels.tobytes()
        distinct.setdefault(contents, dataset)
        times[contents] += count
    datasets = list(distinct.values())
    together = datasets[0]
    if len(datasets) > 1:
        together = Dataset(
            np.concatenate([dataset.images for dataset in datasets]),
            np.concatenate([dataset.labels for dataset in datasets]),
            together.class_names,
            hashes=tuple(part for dataset in datasets for part in dataset.source_hashes),
        )
    remarks = tuple(remark for dataset, _ in parts for remark in dataset.remarks)
    if not repeated or times.total() == len(times):
        return replace(together, remarks=remarks)
    lengths = [len(dataset) for dataset in datasets]
    return replace(together, repeats=np.repeat([*times.values()], lengths), remarks=remarks)


def _read(path: str | Path, transposed: bool, score: "Score | None") -> Data:
    if not os.fspath(path):
        raise DataError("expected the path of data, found an empty one")
    path = Path(path)
    try:
        kind = kind_of(path)
        if kind == "folder":
            data = read_folder_of_pairs(path)
            if data is None:
                return _read_pictures(path, score)
        elif kind is None:
            raise DataError(f"{path}: {why_missing(path, 'file or folder')}")
        elif kind != "file":
            raise DataError(f"{path}: expected a file or a folder, found something else")
        else:
            data = _read_file(path)
        return data.transposed() if transposed else data
    except ImageError as error:
        raise DataError(str(error)) from None
    except OSError as error:
        raise DataError(f"{error.filename or path}: {error.strerror or error}") from None


def _read_file(path: Path) -> Data:
    with path.open("rb") as file:
        start = file.read(4)
    if not start:
        raise DataError(f"{path}: expected pictures and labels, found an empty file")
    if start[:2] == GZIP_MAGIC:
        _check_unpacked(path)
    if start[:2] in (GZIP_MAGIC, b"\0\0") or start == MAGIC[:4]:
        return Data(read_pair(path), None)
    if start == b"PK\3\4":
        return read_npz_data(path)
    if path.suffix.lower() == ".csv":
        return read_csv_data(path)
    raise DataError(f"{path}: expected IDX, .npy, .npz, .csv or a folder, found none of them")


def _check_unpacked(path: Path) -> None:
    """Raise DataError, saying what to do, unless a gzipped file begins as IDX does."""
    try:
        with gzip.open(path) as file:
            start = file.read(2)
    except (gzip.BadGzipFile, zlib.error, EOFError):
        return  # the reader of IDX says where it is damaged
    if start[:1] == PICKLE:
        raise DataError(
            f"{path}: expected IDX in a gzip file, found a pickle, which may run any program and "
            "is not read; save its arrays with numpy.savez"
        )
    if start != b"\0\0":
        raise DataError(
            f"{path}: expected IDX in a gzip file, found something else; unpack it with gunzip"
        )


def _read_pictures(folder: Path, score: "Score | None") -> Data:
    from digitnet.dataset.folder import read_picture_folder  # Pillow: only where it is needed

    return read_picture_folder(folder, score)
