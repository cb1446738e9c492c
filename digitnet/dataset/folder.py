"""Read pictures with labels, prepared as `predict` prepares pictures."""

import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitnet.dataset.classes import (
    DIGITS,
    MAX_CLASSES,
    name_classes,
    normalise_name,
    same_answer,
    sort_key,
)
from digitnet.dataset.definition import (
    NON_DIGIT,
    Data,
    Dataset,
    Origin,
    ReadOptions,
    Unreadable,
)
from digitnet.dataset.layout import (
    find_splits,
    holds_classes,
    holds_labels,
    holds_numbers,
    no_labels_error,
    sort_subfolders,
)
from digitnet.dataset.listed import LabelledPaths, find_list, read_list
from digitnet.dataset.preparation import check_same_files, is_blank, prepare_files
from digitnet.errors import DataError, join_names
from digitnet.image.files import names_picture, pictures_below


def read_picture_folder(folder: Path, options: ReadOptions) -> Data:
    """Return the pictures of a folder, or of its training, validation and test set.

    Raises DataError for a folder without labels, and for a class of the training set without
    pictures, unless `options.may_lack` is set.
    """
    splits = find_splits(folder, options)
    if not holds_labels(splits.training, options):
        raise no_labels_error(folder)
    training = _as_training(_read_set(splits.training, options), splits.training, options)
    names = training.class_names

    def read_other(path: Path | None) -> Dataset | None:
        return None if path is None else _read_set(path, options).renumbered(names, str(path))

    return Data(
        replace(training, remarks=(*splits.remarks, *training.remarks)),
        read_other(splits.test),
        read_other(splits.validation),
    )


def read_listed_pictures(path: Path, options: ReadOptions) -> Data:
    """Return the pictures that a CSV lists; raises DataError as `read_picture_folder` does."""
    return Data(_as_training(_read_list(path, options), path, options))


def _as_training(dataset: Dataset, source: Path, options: ReadOptions) -> Dataset:
    """Return the data set with a remark about its non-digits.

    Raises DataError for a class without pictures, unless `options.may_lack` is set.
    """
    if not options.may_lack:
        _check_complete(dataset, source)
    non_digits = len(dataset) - dataset.n_digits
    if not non_digits:
        return dataset
    remark = (
        f"{source}: {non_digits:,} of {len(dataset):,} pictures show no class; "
        "a network learns to give them equal probabilities"
    )
    return replace(dataset, remarks=(*dataset.remarks, remark))


def _read_set(folder: Path, options: ReadOptions) -> Dataset:
    """Return the pictures of one set: a folder that holds labels."""
    path = None if holds_numbers(folder, options) else find_list(folder)
    if path is not None:
        return _read_list(path, options)
    if holds_classes(folder, options):
        return _read_classes(folder, options)
    return _prepare_labelled(
        folder, _match_names(folder, options.label_pattern or "<label>"), options
    )


def _read_classes(folder: Path, options: ReadOptions) -> Dataset:
    """Return the pictures in the class folders of a folder, and in folders below these."""
    below = sort_subfolders(folder, options)
    empty = [path for path in below.classes if options.may_lack and not any_picture(path)]
    class_names = _check_names(folder, [path.name for path in below.classes if path not in empty])
    paths: list[str] = []
    labels: list[int] = []
    labelled = [(folder / name, label) for label, name in enumerate(class_names)]
    for path, label in [*labelled, *((path, NON_DIGIT) for path in below.non_digits)]:
        here = list(pictures_below(str(path)))
        paths += here
        labels += [label] * len(here)
    dataset = prepare_pictures(str(folder), paths, np.array(labels, np.int64), class_names, options)
    remarks = list(dataset.remarks)
    if empty:
        names = join_names([path.name for path in empty])
        remarks.append(f"{folder}: folders without pictures are passed over: {names}")
    if loose := _pictures_in(folder):
        remarks.append(
            f"{folder}: pictures beside the class folders have no label and are passed over: "
            f"{loose:,}"
        )
    return replace(dataset, remarks=tuple(remarks))


def _pictures_in(folder: Path) -> int:
    """Return the number of pictures in a folder itself."""
    with os.scandir(folder) as entries:
        return sum(names_picture(entry.name) and entry.is_file() for entry in entries)


def any_picture(folder: Path) -> bool:
    """Return whether there is a picture in a folder or below it."""
    return next(pictures_below(str(folder)), None) is not None


def _read_list(path: Path, options: ReadOptions) -> Dataset:
    return _prepare_labelled(path, read_list(path), options)


def _match_names(folder: Path, pattern: str) -> LabelledPaths:
    """Return the pictures of a folder, with the labels in their names; see `_compiled`."""
    result, names = LabelledPaths([], [], []), _compiled(pattern)
    for path in sorted(folder.iterdir()):
        if not names_picture(path.name) or path.is_dir():
            continue
        if match := names.fullmatch(path.name):
            result.paths.append(str(path))
            result.labels.append(match[1])
        else:
            problem = f"expected a name like {pattern} (data.label_pattern), found another"
            result.unlabelled.append(Unreadable(str(path), problem))
    return result


def _compiled(pattern: str) -> re.Pattern[str]:
    """Return the regular expression of a pattern such as `<label>_*`, which covers whole names.

    The label is its first group: text without `_`, `-`, `.` and spaces.
    """
    parts = re.escape(pattern).replace(r"\*", ".*?").split(re.escape("<label>"))
    return re.compile(r"([^_\-. ]+)".join(parts))


def _prepare_labelled(source: Path, pictures: LabelledPaths, options: ReadOptions) -> Dataset:
    """Return prepared pictures with labels that are text."""
    if options.strict and pictures.unlabelled:
        raise DataError(str(pictures.unlabelled[0]))
    without = {name.lower() for name in options.non_digits}
    is_class = [label.lower() not in without for label in pictures.labels]
    class_names = name_classes(label for label, kept in zip(pictures.labels, is_class) if kept)
    if len(class_names) > MAX_CLASSES:
        found = f"found {len(class_names):,}"
        raise DataError(f"{source}: expected at most {MAX_CLASSES:,} classes, {found}")
    index_of = {normalise_name(name): index for index, name in enumerate(class_names)}
    labels = np.array(
        [
            index_of[normalise_name(label)] if kept else NON_DIGIT
            for label, kept in zip(pictures.labels, is_class)
        ],
        np.int64,
    )
    return prepare_pictures(
        str(source), pictures.paths, labels, class_names, options, pictures.unlabelled
    )


def prepare_pictures(
    source: str,
    paths: Sequence[str],
    labels: NDArray[np.int64],
    class_names: tuple[str, ...],
    options: ReadOptions,
    unlabelled: Sequence[Unreadable] = (),
) -> Dataset:
    """Return the pictures at paths (n,), prepared as `predict` prepares them, with labels (n,).

    Pictures that cannot be read are left out and listed as `unreadable`, after `unlabelled`
    pictures. Blank pictures that show no class are left out. Raises DataError if `options.strict`
    is set and a picture cannot be read, or if none can, or if ranks have listed different pictures.
    """
    if options.score_classes is not None and not set(class_names) <= set(options.score_classes):
        options = replace(options, score=None)
    check_same_files(source, paths, labels, class_names, options.fleet)
    prepared = prepare_files(source, paths, labels, options, hashed=True)
    readable, unreadable, blank = np.ones(len(paths), np.bool_), list(unlabelled), 0
    for index, problem in prepared.problems.items():
        readable[index] = False
        if is_blank(labels[index], problem):
            blank += 1
        else:
            unreadable.append(Unreadable(paths[index], problem))
    kept = np.flatnonzero(readable).tolist()
    if not kept:
        if not unreadable:
            raise DataError(f"{source}: expected pictures{' with ink' * bool(paths)}, found none")
        first, others = unreadable[0], len(unreadable) - 1
        raise DataError(f"{first}" + f"; nor can the other {others:,} be read" * bool(others))
    return Dataset(
        prepared.images if readable.all() else prepared.images[kept],
        labels[kept],
        class_names,
        hashes=(hashlib.sha256(prepared.digests[kept].data).hexdigest(),),
        origins=(Origin(source, len(kept), source, [paths[index] for index in kept]),),
        digits=prepared.digits[kept],
        priors=prepared.priors[kept],
        unreadable=tuple(unreadable),
        remarks=(f"{source}: blank pictures of no class are left out: {blank:,}",) * bool(blank),
    )


def prepare_again(dataset: Dataset, indices: NDArray[np.int64], options: ReadOptions) -> Dataset:
    """Return a data set in which the pictures at `indices` are prepared by the network of options.

    Only pictures with files of their own are prepared. A picture that cannot be read stays as it
    is. Raises DataError for the first of them if `options.strict` is set.
    """
    files = dataset.files
    paths = {index: file for index in indices.tolist() if (file := files[index]) is not None}
    images, n = dataset.images.copy(), len(dataset)
    digits = np.ones(n, np.int64) if dataset.digits is None else dataset.digits.copy()
    priors = np.zeros(n) if dataset.priors is None else dataset.priors.copy()
    labels, source = dataset.labels[list(paths)], "the data set"
    prepared = prepare_files(source, list(paths.values()), labels, options)
    for row, index in enumerate(paths):
        if row not in prepared.problems:
            images[index] = prepared.images[row]
            digits[index], priors[index] = prepared.digits[row], prepared.priors[row]
    return replace(dataset, images=images, digits=digits, priors=priors)


def _check_complete(dataset: Dataset, folder: Path) -> None:
    """Raise DataError for a class without pictures. Labels that are text may lack some digits."""
    for label in sorted(set(range(len(dataset.class_names))) - set(dataset.labels.tolist())):
        path = folder / dataset.class_names[label]
        if path.is_dir() or dataset.class_names != DIGITS:
            raise DataError(f"{path}: expected pictures of this class, found none")


def _check_names(folder: Path, names: Sequence[str]) -> tuple[str, ...]:
    """Return names of class folders: text first, then numbers in numeric order.

    Raises DataError for a name that is not UTF-8, and for two that stand for the same answer.
    """
    for name in names:
        if name.encode(errors="replace").decode() != name:
            raise DataError(f"{folder / name}: expected a class name in UTF-8; rename the folder")
    if same := same_answer(names):
        one, other = (folder / name for name in same)
        raise DataError(
            f"{other}: expected a different answer for each class, found {one} in the same folder; "
            "rename one of the two, or put their pictures together"
        )
    return tuple(sorted(names, key=sort_key))
