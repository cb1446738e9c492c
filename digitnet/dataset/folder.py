"""Pictures sorted into one folder per class, prepared as `predict` prepares them."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from digitnet.dataset.definition import Data, Dataset
from digitnet.errors import DataError
from digitnet.image import prepare
from digitnet.paths import kind_of


def read_picture_folder(folder: Path) -> Data:
    """One subfolder of pictures per class, named by the class; or `train/` and `test/` of such.

    Hidden files and files whose ending is no picture's are passed over.
    """
    if kind_of(folder / "train") == "folder":
        training = _read_classes(folder / "train")
        test_folder = folder / "test"
        if kind_of(test_folder) != "folder":
            return Data(training, None)
        test = _read_classes(test_folder)
        return Data(training, test.renumbered(training.class_names, str(test_folder)))
    return Data(_read_classes(folder), None)


def _read_classes(folder: Path) -> Dataset:
    subfolders = (path.name for path in _visible(folder) if kind_of(path) == "folder")
    class_names = sorted(subfolders, key=_as_number)
    for name in class_names:
        if name.encode(errors="replace").decode() != name:
            raise DataError(f"{folder / name}: expected a name in UTF-8 for a class")
    endings = Image.registered_extensions()
    images: list[NDArray[np.uint8]] = []
    labels: list[int] = []
    for label, name in enumerate(class_names):
        for path in _visible(folder / name):
            if path.suffix.lower() in endings:
                images.append(prepare(path))
                labels.append(label)
    if not images:
        raise DataError(
            f"{folder}: expected IDX or .npy files, or pictures in one subfolder per class; "
            "found neither"
        )
    for label, name in enumerate(class_names):
        if label not in labels:
            raise DataError(f"{folder / name}: expected pictures of this class, found none")
    return Dataset(np.stack(images), np.array(labels, np.int64), tuple(class_names))


def _visible(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def _as_number(name: str) -> tuple[int, str]:
    return (int(name), name) if name.isdecimal() else (-1, name)
