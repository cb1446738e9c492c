"""Read pairs of files, one with images and one with labels, which are matched by name."""

import re
from pathlib import Path

from digitnet.dataset.definition import Data, Dataset, make_dataset
from digitnet.dataset.idx import read_idx
from digitnet.dataset.npy import read_npy
from digitnet.errors import DataError
from digitnet.paths import is_hidden, kind_of

IMAGES_NAME = re.compile(r"(?P<before>.*?)[-_.]?images(?P<after>[-.]idx3-ubyte(\.gz)?|.*\.npy)")


def read_folder_of_pairs(folder: Path) -> Data | None:
    """Return the pairs of IDX files, plain or gzipped, and `.npy` files of a folder, or None.

    Raises DataError if a split has two pairs, and for any wrong file.
    """
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir(), reverse=True):  # reversed: a plain file wins over its .gz
        match = IMAGES_NAME.fullmatch(path.name)
        if match and not is_hidden(path.name) and not path.is_dir():
            split = _split_of(match)
            other = found.setdefault(split, path)
            if other.name.removesuffix(".gz") != path.name.removesuffix(".gz"):
                raise DataError(
                    f"{folder}: expected one pair of files per split, found two: "
                    f"{path.name}, {other.name}"
                )
            found[split] = path
    if not found:
        return None
    pairs = {split: read_pair(path) for split, path in found.items()}
    test = pairs.pop("test", None)
    training = pairs.pop("train", None) or pairs.pop("", None) or test
    assert training is not None
    return Data(training, None if training is test else test)


def _split_of(match: re.Match[str]) -> str:
    """Return the split in a name that matched IMAGES_NAME: train, test or "" if it names none."""
    for part in (match["before"], match["after"].removesuffix(".npy")):
        if part.endswith("train"):
            return "train"
        if part.endswith(("t10k", "test")):
            return "test"
    return ""


def read_pair(images_path: Path) -> Dataset:
    """Return the data set of a file with images and the file with labels in the same folder.

    Raises DataError if the name does not lead to a file with labels, and for any wrong file.
    """
    if not IMAGES_NAME.fullmatch(images_path.name):
        raise DataError(
            f"{images_path}: expected a name like train-images-idx3-ubyte or train-images.npy, "
            f"found {images_path.name}; rename it and the file of labels beside it"
        )
    labels_name = images_path.name.replace("images", "labels").replace("idx3", "idx1")
    labels_path = images_path.with_name(labels_name)
    if kind_of(labels_path) in (None, "folder"):
        other = labels_name.removesuffix(".gz")
        labels_path = images_path.with_name(other if other != labels_name else labels_name + ".gz")
    if kind_of(labels_path) in (None, "folder"):
        raise DataError(
            f"{images_path}: expected its labels, {labels_name}, in the same folder, found none"
        )
    if images_path.suffix == ".npy":
        images, labels = read_npy(images_path), read_npy(labels_path)
    else:
        images, labels = read_idx(images_path, 3), read_idx(labels_path, 1)
    return make_dataset(str(images_path), str(images_path), images, str(labels_path), labels)
