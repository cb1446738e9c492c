"""Read data of any supported format. The format is recognised, not configured."""

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

PICKLE_MAGIC = b"\x80"  # first byte of a pickle of protocol 2 or later (pickletools, PROTO)


def read_data(
    paths: Paths | Path, *, transposed: bool = False, score: "Score | None" = None
) -> Data:
    """Return the labelled pictures of files or folders: IDX, .npy, .npz, .csv, or pictures.

    Several paths are concatenated in memory, training sets and test sets separately, in this order
    and with the class names of the first path. A source listed n times, under one path or several,
    is stored once with `repeats` n. Images of a single plain IDX or `.npy` file are memory-mapped:
    the file must not be truncated while they are in use. transposed: rows and columns of the
    pictures in arrays are exchanged, as in EMNIST; folders of pictures are not affected. score: the
    network that chooses between candidates for the digit in a picture of a folder. Raises
    DataError, which names the file and the place, for missing or wrong data.
    """
    if isinstance(paths, str | Path):
        return _read(paths, transposed, score)
    counts = Counter(paths)
    sources = {path: _read(path, transposed, score) for path in counts}
    names = next(iter(sources.values())).training.class_names
    training = {path: data.training.renumbered(names, path) for path, data in sources.items()}
    tests = {path: data.test.renumbered(names, path) for path, data in sources.items() if data.test}
    return Data(
        _concatenate([(dataset, counts[path]) for path, dataset in training.items()]),
        _concatenate([(dataset, 1) for dataset in tests.values()], repeat=False) if tests else None,
    )


def _concatenate(sources: list[tuple[Dataset, int]], *, repeat: bool = True) -> Dataset:
    """Return data sets concatenated; data sets with equal contents are included once.

    sources: data sets with the same class names, and how often each is listed. repeat: whether the
    result gets `repeats`.
    """
    counts: Counter[tuple[tuple[str, ...], bytes]] = Counter()
    distinct: dict[tuple[tuple[str, ...], bytes], Dataset] = {}
    for dataset, count in sources:
        contents = dataset.source_hashes, dataset.labels.tobytes()
        distinct.setdefault(contents, dataset)
        counts[contents] += count
    datasets = list(distinct.values())
    result = datasets[0]
    if len(datasets) > 1:
        result = Dataset(
            np.concatenate([dataset.images for dataset in datasets]),
            np.concatenate([dataset.labels for dataset in datasets]),
            result.class_names,
            hashes=tuple(each for dataset in datasets for each in dataset.source_hashes),
        )
    remarks = tuple(remark for dataset, _ in sources for remark in dataset.remarks)
    if not repeat or counts.total() == len(counts):
        return replace(result, remarks=remarks)
    lengths = [len(dataset) for dataset in datasets]
    return replace(result, repeats=np.repeat([*counts.values()], lengths), remarks=remarks)


def _read(path: str | Path, transposed: bool, score: "Score | None") -> Data:
    if not os.fspath(path):
        raise DataError("expected the path of data, found an empty path")
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
        _check_gzip(path)
    if start[:2] in (GZIP_MAGIC, b"\0\0") or start == MAGIC[:4]:
        return Data(read_pair(path), None)
    if start == b"PK\3\4":
        return read_npz_data(path)
    if path.suffix.lower() == ".csv":
        return read_csv_data(path)
    raise DataError(f"{path}: expected IDX, .npy, .npz, .csv or a folder, found another format")


def _check_gzip(path: Path) -> None:
    """Raise DataError, which says what to do, unless a gzipped file starts like IDX."""
    try:
        with gzip.open(path) as file:
            start = file.read(2)
    except (gzip.BadGzipFile, zlib.error, EOFError):
        return  # read_idx reports the damage
    if start[:1] == PICKLE_MAGIC:
        raise DataError(
            f"{path}: expected IDX in a gzip file, found a pickle, which is unsafe to load; "
            "save its arrays with numpy.savez"
        )
    if start != b"\0\0":
        raise DataError(
            f"{path}: expected IDX in a gzip file, found something else; unpack it with gunzip"
        )


def _read_pictures(folder: Path, score: "Score | None") -> Data:
    from digitnet.dataset.folder import read_picture_folder  # imports Pillow

    return read_picture_folder(folder, score)
