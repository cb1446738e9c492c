"""Read data of any supported format. The format is recognised, not configured."""

import gzip
import os
import zlib
from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitnet.dataset.archives import read_npz_data
from digitnet.dataset.definition import DEFAULT_OPTIONS, Data, Dataset, Paths, ReadOptions
from digitnet.dataset.formats import GZIP_MAGIC, NPY_MAGIC, ZIP_MAGIC, is_csv
from digitnet.dataset.listed import lists_pictures
from digitnet.dataset.pairs import has_labels, read_folder_of_pairs, read_pair
from digitnet.dataset.tables import read_csv_data
from digitnet.errors import DataError, ImageError
from digitnet.paths import kind_of, why_missing

PICKLE_MAGIC = b"\x80"  # first byte of a pickle of protocol 2 or later (pickletools, PROTO)


def read_data(paths: Paths | Path, options: ReadOptions = DEFAULT_OPTIONS) -> Data:
    """Return the labelled pictures of files or folders: IDX, .npy, .npz, .csv, .csv.gz, .zip, or
    pictures.

    Several paths are concatenated in memory, training sets, test sets and validation sets
    separately, in this order and with the class names of the first path. A source listed n times,
    under one path or several, is stored once with `repeats` n. Images of a single plain IDX or
    `.npy` file are memory-mapped: the file must not be truncated while they are in use. Raises
    DataError, which names the file and the place, for missing or wrong data.
    """
    if isinstance(paths, str | Path):
        return _read(paths, options)
    counts = Counter(paths)
    sources = {path: _read(path, options) for path in counts}
    names = next(iter(sources.values())).training.class_names
    alike = {
        path: data.map(partial(Dataset.renumbered, class_names=names, source=path))
        for path, data in sources.items()
    }
    return Data(
        _concatenate([(data.training, counts[path]) for path, data in alike.items()]),
        _concatenate_once([data.test for data in alike.values()]),
        _concatenate_once([data.validation for data in alike.values()]),
    )


def _concatenate_once(datasets: list[Dataset | None]) -> Dataset | None:
    """Return the data sets that exist concatenated, without `repeats`; None if there are none."""
    sources = [(dataset, 1) for dataset in datasets if dataset]
    return _concatenate(sources, repeat=False) if sources else None


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
            origins=tuple(each for dataset in datasets for each in dataset.origins),
            digits=_joined([dataset.digits for dataset in datasets], datasets, 1),
            priors=_joined([dataset.priors for dataset in datasets], datasets, 0.0),
        )
    result = replace(
        result,
        remarks=tuple(remark for dataset, _ in sources for remark in dataset.remarks),
        unreadable=tuple(each for dataset in datasets for each in dataset.unreadable),
    )
    if not repeat or counts.total() == len(counts):
        return result
    lengths = [len(dataset) for dataset in datasets]
    return replace(result, repeats=np.repeat([*counts.values()], lengths))


def _joined(
    arrays: list[NDArray[Any] | None], datasets: list[Dataset], default: float
) -> NDArray[Any] | None:
    """Return arrays (n,) of data sets concatenated, with the default in the place of None."""
    if all(array is None for array in arrays):
        return None
    return np.concatenate(
        [
            np.full(len(dataset), default) if array is None else array
            for array, dataset in zip(arrays, datasets)
        ]
    )


def _read(path: str | Path, options: ReadOptions) -> Data:
    """Return the data at a path; its origins name the path as their source."""
    data = _read_path(path, options)
    source = os.fspath(path)

    def named(dataset: Dataset) -> Dataset:
        origins = tuple(each._replace(source=source) for each in dataset.origins)
        return replace(dataset, origins=origins)

    return data.map(named)


def _read_path(path: str | Path, options: ReadOptions) -> Data:
    if not os.fspath(path):
        raise DataError("expected the path of data, found an empty path")
    path = Path(path)
    try:
        kind = kind_of(path)
        if kind == "folder":
            data = read_folder_of_pairs(path, options)
            if data is None:
                return _read_folder(path, options)
        elif kind is None:
            raise DataError(f"{path}: {why_missing(path, 'file or folder')}")
        elif kind != "file":
            raise DataError(f"{path}: expected a file or a folder, found something else")
        elif lists_pictures(path):
            return _read_list(path, options)
        else:
            data = _read_file(path, options)
        return data.transposed() if options.transposed else data
    except ImageError as error:
        raise DataError(str(error)) from None
    except OSError as error:
        raise DataError(f"{error.filename or path}: {error.strerror or error}") from None


def _read_file(path: Path, options: ReadOptions) -> Data:
    with path.open("rb") as file:
        start = file.read(4)
    if not start:
        raise DataError(f"{path}: expected pictures and labels, found an empty file")
    if is_csv(path, start):
        return read_csv_data(path, options)
    if start[:2] == GZIP_MAGIC:
        _check_gzip(path)
    if start[:2] in (GZIP_MAGIC, b"\0\0") or start == NPY_MAGIC:
        return Data(read_pair(path, options))
    if start == ZIP_MAGIC:
        return Data(read_pair(path, options)) if has_labels(path) else read_npz_data(path, options)
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
            f"{path}: expected IDX in a gzip file, found something else; unpack it with gunzip, or "
            "name a table .csv.gz"
        )


def _read_list(path: Path, options: ReadOptions) -> Data:
    from digitnet.dataset.folder import read_listed_pictures  # imports Pillow

    return read_listed_pictures(path, options)


def _read_folder(folder: Path, options: ReadOptions) -> Data:
    """Return the data of a folder of pictures, or of the only folder below it that holds data."""
    from digitnet.dataset.folder import read_picture_folder  # imports Pillow
    from digitnet.dataset.layout import find_data

    found = find_data(folder, options)
    data = read_folder_of_pairs(found, options)
    if data is None:
        data = read_picture_folder(found, options)
    elif options.transposed:
        data = data.transposed()
    if found == folder:
        return data
    remark = f"{folder}: expected data, found it in {found}, which is read"
    training = replace(data.training, remarks=(remark, *data.training.remarks))
    return replace(data, training=training)
