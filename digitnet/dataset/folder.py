"""Read folders of pictures, one subfolder per class, prepared as `predict` prepares pictures."""

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from digitnet.dataset.classes import MAX_CLASSES, as_answer, same_answer
from digitnet.dataset.definition import Data, Dataset
from digitnet.errors import DataError
from digitnet.image.evidence import Score
from digitnet.image.reading import read
from digitnet.paths import kind_of


def read_picture_folder(folder: Path, score: Score | None = None) -> Data:
    """Return the pictures of a folder with one subfolder per class, or of its `train` and `test`.

    Hidden files and files with other extensions than pictures' are skipped. score: the network that
    chooses between candidates for the digit in a picture.
    """
    if kind_of(folder / "train") == "folder":
        training = _read_classes(folder / "train", score)
        test_folder = folder / "test"
        if kind_of(test_folder) != "folder":
            return Data(training, None)
        test = _read_classes(test_folder, score)
        return Data(training, test.renumbered(training.class_names, str(test_folder)))
    return Data(_read_classes(folder, score), None)


def _read_classes(folder: Path, score: Score | None) -> Dataset:
    class_names = _class_names(folder)
    extensions = Image.registered_extensions()
    images: list[NDArray[np.uint8]] = []
    labels: list[int] = []
    empty: str | None = None
    contents = hashlib.sha256()
    for label, name in enumerate(class_names):
        before = len(images)
        for path in _visible(folder / name):
            if path.suffix.lower() in extensions:
                images.append(read(path, score=score).image)
                contents.update(hashlib.sha256(path.read_bytes()).digest())
                labels.append(label)
        if len(images) == before:
            empty = empty or name
    if not images:
        raise DataError(
            f"{folder}: expected IDX or .npy files, or pictures in one subfolder per class; "
            "found neither"
        )
    if empty is not None:
        raise DataError(f"{folder / empty}: expected pictures of this class, found none")
    hashes = (contents.hexdigest(),)
    return Dataset(np.stack(images), np.array(labels, np.int64), class_names, hashes=hashes)


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
