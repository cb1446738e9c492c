"""Pairs of files, one of images and one of labels beside it, found by their names."""

import re
from pathlib import Path

from digitnet.dataset.definition import Data, Dataset, digits
from digitnet.dataset.idx import read_idx
from digitnet.dataset.npy import read_npy
from digitnet.errors import DataError
from digitnet.paths import kind_of

IMAGES = re.compile(r"(?P<before>.*?)[-_.]?images(?P<after>[-.]idx3-ubyte(\.gz)?|.*\.npy)")


def read_folder_of_pairs(folder: Path) -> Data | None:
    """The pairs of IDX files, plain or gzipped, and of `.npy` files in a folder; None without any.

    Raises DataError for two pairs of one split, and for what is wrong with any of the files.
    """
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir(), reverse=True):  # so that a plain file wins over its .gz
        match = IMAGES.fullmatch(path.name)
        if match and not path.is_dir():
            split = _split(match)
            other = found.setdefault(split, path)
            if other.name.removesuffix(".gz") != path.name.removesuffix(".gz"):
                raise DataError(
                    f"{folder}: expected one pair of files a split, found two: "
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


def _split(match: re.Match[str]) -> str:
    for part in (match["before"], match["after"].removesuffix(".npy")):
        if part.endswith("train"):
            return "train"
        if part.endswith(("t10k", "test")):
            return "test"
    return ""


def read_pair(images_path: Path) -> Dataset:
    """A file of images with the file of labels beside it.

    Raises DataError where its name leads to no labels, and for what is wrong with either file.
    """
    if not IMAGES.fullmatch(images_path.name):
        raise DataError(
            f"{images_path}: expected a name like train-images-idx3-ubyte or train-images.npy, by "
            "which the file of labels beside it is found"
        )
    labels_name = images_path.name.replace("images", "labels").replace("idx3", "idx1")
    labels_path = images_path.with_name(labels_name)
    if kind_of(labels_path) in (None, "folder"):
        other = labels_name.removesuffix(".gz")
        labels_path = images_path.with_name(other if other != labels_name else labels_name + ".gz")
    if kind_of(labels_path) in (None, "folder"):
        raise DataError(f"{images_path}: its labels, {labels_name}, are not beside it")
    if images_path.suffix == ".npy":
        images, labels = read_npy(images_path), read_npy(labels_path)
    else:
        images, labels = read_idx(images_path, 3), read_idx(labels_path, 1)
    return digits(str(images_path), images, str(labels_path), labels)
