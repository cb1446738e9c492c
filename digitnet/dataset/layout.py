"""Find the data in a folder: its training, validation and test set, and the folders of classes."""

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from digitnet.dataset.classes import MAX_CLASSES, as_answer
from digitnet.dataset.definition import ReadOptions
from digitnet.dataset.listed import find_list
from digitnet.dataset.pairs import holds_pairs
from digitnet.errors import DataError, join_names
from digitnet.image.files import names_picture
from digitnet.paths import is_hidden, kind_of

SPLITS = {
    "train": "training",
    "training": "training",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
}
TABLES = (".csv", ".csv.gz", ".csv.zip", ".tsv", ".npz")  # files that are read if they are named
SEARCH_DEPTH = 2  # levels below the named folder in which data is looked for
CLASS_DEPTH = 2  # levels below a class folder in which its first picture is looked for
MAX_SEARCHED = 1000  # folders of one level: more are not searched


class Splits(NamedTuple):
    """The folders of the sets, and remarks about folders that are left out."""

    training: Path
    validation: Path | None
    test: Path | None
    remarks: tuple[str, ...]


class Subfolders(NamedTuple):
    """The visible subfolders of a folder, by what they hold; each list is sorted by name.

    splits: those that are named like a split. non_digits: pictures that show no class. classes: all
    others, except data_sets, which hold classes of their own.
    """

    splits: list[Path]
    non_digits: list[Path]
    classes: list[Path]
    data_sets: list[Path]


def find_data(folder: Path, options: ReadOptions) -> Path:
    """Return the folder that holds the data: the folder itself, or the only one below it.

    Return the folder itself if there is no data. Raises DataError if several folders of the same
    level hold data.
    """
    if holds_data(folder, options):
        return folder
    level = _without_test(_subfolders(folder))
    for _ in range(SEARCH_DEPTH):
        found = [below for below in level[:MAX_SEARCHED] if _may_hold_data(below, options)]
        if len(found) > 1:
            names = join_names([str(path.relative_to(folder)) for path in found])
            raise DataError(
                f"{folder}: expected one data set, found several: {names}; "
                "name one of them, or list several in data.path"
            )
        if found:
            return found[0]
        level = [deeper for below in level[:MAX_SEARCHED] for deeper in _try_subfolders(below)]
    return folder


def holds_data(folder: Path, options: ReadOptions) -> bool:
    """Return whether a folder itself holds IDX or .npy files, pictures with labels, or splits."""
    return (
        holds_pairs(folder)
        or holds_labels(folder, options)
        or any(holds_labels(below, options) for below in _training_folders(folder))
    )


def holds_labels(folder: Path, options: ReadOptions) -> bool:
    """Return whether a folder holds pictures with labels: class folders, a list, or a pattern."""
    return (
        holds_classes(folder, options)
        or find_list(folder) is not None
        or bool(options.label_pattern and first_picture(folder, 0))
    )


def holds_numbers(folder: Path, options: ReadOptions) -> bool:
    """Return whether a folder holds class folders that are named by numbers."""
    below = sort_subfolders(folder, options)
    return any(_is_number(path.name) and first_picture(path, CLASS_DEPTH) for path in below.classes)


def holds_classes(folder: Path, options: ReadOptions) -> bool:
    """Return whether a folder holds class folders.

    A single subfolder is a class if its name is a number, or if it holds pictures itself. With
    `options.label_pattern`, only numbers are names of classes.
    """
    below = sort_subfolders(folder, options)
    classes = [path for path in below.classes if first_picture(path, CLASS_DEPTH)]
    if any(_is_number(path.name) for path in classes):
        return True
    if below.data_sets or options.label_pattern:
        return False
    return len(classes) > 1 or any(first_picture(path, 0) for path in classes)


def find_splits(folder: Path, options: ReadOptions) -> Splits:
    """Return the folders of the sets in a folder, which is its own training set without `train`.

    A split without labels is left out, with a remark. Raises DataError for two folders of one
    split.
    """
    found: dict[str, Path] = {}
    remarks = []
    below = sort_subfolders(folder, options)
    for path in below.splits:
        split = SPLITS[path.name.lower()]
        if not holds_labels(path, options):
            if split == "training" and find_list(folder):
                continue  # the list may name the pictures in it
            remarks.append(
                f"{path}: expected pictures in one subfolder per class, found none; "
                f"the {split} set is left out"
            )
        elif split in found:
            raise DataError(
                f"{folder}: expected one folder for the {split} set, found "
                f"{found[split].name} and {path.name}; put their pictures together"
            )
        else:
            found[split] = path
    training = found.get("training", folder)
    left_out = below.data_sets if training is folder else [*below.classes, *below.data_sets]
    if names := join_names([path.name for path in left_out if first_picture(path, CLASS_DEPTH)]):
        expected = "class folders" if training is folder else f"all classes in {training.name}"
        remarks.append(f"{folder}: expected {expected}, found others, which are left out: {names}")
    return Splits(training, found.get("validation"), found.get("test"), tuple(remarks))


def sort_subfolders(folder: Path, options: ReadOptions) -> Subfolders:
    """Return the subfolders of a folder, sorted by what they hold.

    Raises DataError for too many classes.
    """
    non_digits = {name.lower() for name in options.non_digits}
    result = Subfolders([], [], [], [])
    for path in _subfolders(folder):
        if path.name.lower() in SPLITS:
            result.splits.append(path)
        elif path.name.lower() in non_digits:
            result.non_digits.append(path)
        elif _is_data_set(path):
            result.data_sets.append(path)
        else:
            result.classes.append(path)
    if len(result.classes) > MAX_CLASSES:
        found = f"found {len(result.classes):,}"
        raise DataError(f"{folder}: expected at most {MAX_CLASSES:,} folders of classes, {found}")
    return result


def no_labels_error(folder: Path) -> DataError:
    """Return the error for a folder that holds no data, or pictures without labels."""
    picture = None
    for path in [*_training_folders(folder), folder]:
        picture = picture or first_picture(path, SEARCH_DEPTH)
    if picture is None:
        tables = [path for path in sorted(folder.iterdir()) if path.name.lower().endswith(TABLES)]
        named = [path for path in tables if "train" in path.name.lower()] or tables
        advice = f"; to read a file, name it, such as {named[0]}" if named else ""
        return DataError(
            f"{folder}: expected IDX or .npy files, or pictures in one subfolder per class; "
            f"found neither{advice}"
        )
    return DataError(
        f"{folder}: expected pictures with labels, found none for {picture}; put the pictures of "
        "each class in a subfolder, list file names and labels in a CSV, or set data.label_pattern"
    )


def first_picture(folder: Path, depth: int) -> str | None:
    """Return the path of a picture in a folder, or at most `depth` levels below; None without one.

    A folder that cannot be read counts as a picture, which cannot be read either.
    """
    below = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir():
                    below.append(entry.name)
                elif names_picture(entry.name):
                    return entry.path
    except FileNotFoundError:  # deleted meanwhile
        return None
    except OSError:
        return str(folder)
    if depth:
        for name in sorted(name for name in below if not is_hidden(name)):
            if picture := first_picture(folder / name, depth - 1):
                return picture
    return None


def _subfolders(folder: Path) -> list[Path]:
    """Return the visible subfolders of a folder, by name, following links."""
    with os.scandir(folder) as entries:
        names = sorted(
            entry.name
            for entry in entries
            if not is_hidden(entry.name) and not entry.is_file(follow_symlinks=False)
        )
    return [path for path in (folder / name for name in names) if kind_of(path) == "folder"]


def _training_folders(folder: Path) -> list[Path]:
    return [path for path in _subfolders(folder) if SPLITS.get(path.name.lower()) == "training"]


def _try_subfolders(folder: Path) -> list[Path]:
    try:
        return _subfolders(folder)
    except OSError:
        return []


def _may_hold_data(folder: Path, options: ReadOptions) -> bool:
    """Return whether a folder holds data; False if it cannot be read."""
    with contextlib.suppress(OSError):
        return holds_data(folder, options)
    return False


def _without_test(folders: Sequence[Path]) -> list[Path]:
    """Return the folders without test and validation sets if there is a training set among them."""
    splits = [SPLITS.get(path.name.lower()) for path in folders]
    if "training" not in splits:
        return list(folders)
    return [path for path, split in zip(folders, splits) if split in (None, "training")]


def _is_data_set(folder: Path) -> bool:
    """Return whether a subfolder without pictures and number holds numbers or a training set."""
    if _is_number(folder.name) or first_picture(folder, 0):
        return False
    return any(
        _is_number(below.name) or SPLITS.get(below.name.lower()) == "training"
        for below in _try_subfolders(folder)
    )


def _is_number(name: str) -> bool:
    return isinstance(as_answer(name), int)
