"""Read folders of pictures, one subfolder per class, prepared as `predict` prepares pictures."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from digitnet.arrays import SIDE
from digitnet.dataset.classes import MAX_CLASSES, as_answer, same_answer
from digitnet.dataset.definition import Data, Dataset, Origin, ReadOptions, Unreadable
from digitnet.errors import DataError, ImageError
from digitnet.image.reading import reading_steps
from digitnet.image.workers import Workers, worker_count
from digitnet.paths import kind_of


def read_picture_folder(folder: Path, options: ReadOptions) -> Data:
    """Return the pictures of a folder with one subfolder per class, or of its `train` and `test`.

    Hidden files and files with other extensions than pictures' are skipped.
    """
    if kind_of(folder / "train") == "folder":
        training = _read_classes(folder / "train", options)
        test_folder = folder / "test"
        if kind_of(test_folder) != "folder":
            return Data(training, None)
        test = _read_classes(test_folder, options)
        return Data(training, test.renumbered(training.class_names, str(test_folder)))
    return Data(_read_classes(folder, options), None)


def _read_classes(folder: Path, options: ReadOptions) -> Dataset:
    class_names = _class_names(folder)
    extensions = Image.registered_extensions()
    paths: list[str] = []
    labels: list[int] = []
    for label, name in enumerate(class_names):
        here = [path for path in _visible(folder / name) if path.suffix.lower() in extensions]
        paths += map(str, here)
        labels += [label] * len(here)
    if not paths:
        raise DataError(
            f"{folder}: expected IDX or .npy files, or pictures in one subfolder per class; "
            "found neither"
        )
    dataset = prepare_pictures(str(folder), paths, np.array(labels, np.int64), class_names, options)
    for name, count in zip(class_names, np.bincount(dataset.labels, minlength=len(class_names))):
        if not count:
            raise DataError(f"{folder / name}: expected pictures of this class, found none")
    return dataset


def prepare_pictures(
    source: str,
    paths: Sequence[str],
    labels: NDArray[np.int64],
    class_names: tuple[str, ...],
    options: ReadOptions,
) -> Dataset:
    """Return the pictures at paths (n,), prepared as `predict` prepares them, with labels (n,).

    Pictures that cannot be read are left out and listed as `unreadable`. Raises DataError if
    `options.strict` is set and a picture cannot be read, or if none can.
    """
    workers = Workers(worker_count() if options.parallel else 1, reading_steps(options.score))
    images = np.empty((len(paths), SIDE, SIDE), np.uint8)
    digits, priors = np.ones(len(paths), np.int64), np.zeros(len(paths))
    readable = np.zeros(len(paths), np.bool_)
    contents, unreadable, done = hashlib.sha256(), [], 0
    try:
        for portion in workers.prepare([(path, path) for path in paths]):
            for path, reading in portion:
                if isinstance(reading, ImageError):
                    if options.strict:
                        raise DataError(str(reading))
                    unreadable.append(Unreadable(path, reading.problem))
                else:
                    images[done], readable[done] = reading.image, True
                    digits[done], priors[done] = reading.digits, reading.prior
                    contents.update(hashlib.sha256(Path(path).read_bytes()).digest())
                done += 1
            if options.report:
                options.report(done, len(paths))
    finally:
        workers.close()
    kept = np.flatnonzero(readable).tolist()
    if not kept:
        first, others = unreadable[0], len(unreadable) - 1
        raise DataError(f"{first}" + f"; nor can the other {others:,} be read" * bool(others))
    return Dataset(
        images[kept],
        labels[kept],
        class_names,
        hashes=(contents.hexdigest(),),
        origins=(Origin(source, len(kept), source, [paths[index] for index in kept]),),
        digits=digits[kept],
        priors=priors[kept],
        unreadable=tuple(unreadable),
    )


def _class_names(folder: Path) -> tuple[str, ...]:
    """Return the names of the subfolders: text first, then numbers in numeric order."""
    names = [path.name for path in _visible(folder) if kind_of(path) == "folder"]
    if len(names) > MAX_CLASSES:
        found = f"found {len(names):,}"
        raise DataError(f"{folder}: expected at most {MAX_CLASSES:,} folders of classes, {found}")
    for name in names:
        if name.encode(errors="replace").decode() != name:
            raise DataError(f"{folder / name}: expected a class name in UTF-8; rename the folder")
    if same := same_answer(names):
        one, other = (folder / name for name in same)
        raise DataError(
            f"{other}: expected a different answer for each class, found {one} in the same folder; "
            "rename one of the two, or put their pictures together"
        )
    return tuple(sorted(names, key=_sort_key))


def _visible(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def _sort_key(name: str) -> tuple[int, str]:
    answer = as_answer(name)
    return (answer, name) if isinstance(answer, int) else (-1, name)
