"""Read pairs of files, one with images and one with labels, which are matched by name."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from digitnet.dataset.archives import only_array
from digitnet.dataset.definition import Data, Dataset, ReadOptions
from digitnet.dataset.idx import read_idx
from digitnet.dataset.npy import read_npy
from digitnet.dataset.shapes import make_dataset
from digitnet.errors import DataError
from digitnet.paths import is_hidden, kind_of

IMAGES_NAME = re.compile(
    r"(?P<before>.*?)[-_.]?"
    r"((?P<word>images|imgs)(?P<after>[-.]idx3-ubyte(\.gz)?|.*\.np[yz])"
    r"|(?P<x>(?<![A-Za-z])[xX])(?P<after_x>([-_.].*)?\.np[yz]))"
)
SPLITS = {  # by the end of a name, without its extension
    "train": re.compile(r".*train"),
    "test": re.compile(r".*(t10k|test)"),
    "validation": re.compile(r"(.*[-_.])?(val|valid|validation)"),
}


def read_folder_of_pairs(folder: Path, options: ReadOptions) -> Data | None:
    """Return the pairs of IDX (plain or gzipped), `.npy` and `.npz` files of a folder, or None.

    Raises DataError if a split has two pairs, and for any wrong file.
    """
    found: dict[str, Path] = {}
    for path, split in _images_files(folder):
        other = found.setdefault(split, path)
        if other.name.removesuffix(".gz") != path.name.removesuffix(".gz"):
            raise DataError(
                f"{folder}: expected one pair of files per split, found two: "
                f"{path.name}, {other.name}"
            )
        found[split] = path
    if not found:
        return None
    pairs = {split: read_pair(path, options) for split, path in found.items()}
    for split in ("train", "", "test", "validation"):
        if training := pairs.pop(split, None):
            return Data(training, pairs.get("test"), pairs.get("validation"))
    return None


def holds_pairs(folder: Path) -> bool:
    """Return whether a folder holds the files that `read_folder_of_pairs` reads."""
    return any(_images_files(folder))


def _images_files(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield the files of images in a folder and the splits that they name."""
    for path in sorted(folder.iterdir(), reverse=True):  # reversed: a plain file wins over its .gz
        match = IMAGES_NAME.fullmatch(path.name)
        if match is None or is_hidden(path.name) or path.is_dir():
            continue
        if _is_certain(match) or has_labels(path):
            yield path, _split_of(match)


def _is_certain(match: re.Match[str]) -> bool:
    """Return whether a name that matched IMAGES_NAME is one of images, even without labels."""
    return match["x"] is None and not match["after"].endswith(".npz")


def _split_of(match: re.Match[str]) -> str:
    """Return the split in a name that matched IMAGES_NAME, or "" if it names none."""
    after = match["after"] or match["after_x"]
    for part in (match["before"], re.sub(r"\.np[yz]$", "", after)):
        for split, name in SPLITS.items():
            if name.fullmatch(part):
                return split
    return ""


def has_labels(images_path: Path) -> bool:
    """Return whether a file of images is one of a pair: its name leads to a file of labels."""
    return any(kind_of(path) not in (None, "folder") for path in _labels_paths(images_path))


def _labels_paths(images_path: Path) -> Iterator[Path]:
    """Yield the paths where the labels of an images file may be, likeliest first."""
    match = IMAGES_NAME.fullmatch(images_path.name)
    if match is None:
        return
    group = "x" if match["x"] else "word"
    start, end = match.span(group)
    for word in {"x": ("y",), "X": ("y", "Y")}.get(match[group], ("labels",)):
        rest = images_path.name[end:].replace("idx3", "idx1")
        name = images_path.name[:start] + word + rest
        yield images_path.with_name(name)
        unpacked = name.removesuffix(".gz")
        yield images_path.with_name(unpacked if unpacked != name else name + ".gz")


def read_pair(images_path: Path, options: ReadOptions) -> Dataset:
    """Return the data set of a file with images and the file with labels in the same folder.

    Raises DataError if the name does not lead to a file with labels, and for any wrong file.
    """
    candidates = list(_labels_paths(images_path))
    if not candidates:
        raise DataError(
            f"{images_path}: expected a name like train-images-idx3-ubyte or train-images.npy, "
            f"found {images_path.name}; rename it and the file of labels beside it"
        )
    for labels_path in candidates:
        if kind_of(labels_path) not in (None, "folder"):
            break
    else:
        raise DataError(
            f"{images_path}: expected its labels, {candidates[0].name}, in the same folder, "
            "found none"
        )
    images, labels = _read_array(images_path, 3), _read_array(labels_path, 1)
    name = str(images_path)
    return make_dataset(name, name, images, str(labels_path), labels, options)


def _read_array(path: Path, idx_dimensions: int) -> NDArray[Any]:
    if path.suffix == ".npz":
        return only_array(path)
    return read_npy(path) if path.suffix == ".npy" else read_idx(path, idx_dimensions)
