"""Read CSV files that list pictures: a column of file names and a column of labels."""

import csv
import os
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, TextIO

from digitnet.dataset.classes import MAX_CLASS_NAME
from digitnet.dataset.definition import Unreadable
from digitnet.errors import DataError, join_names
from digitnet.paths import is_hidden, kind_of, status_at

SUFFIXES = (".csv", ".tsv")
SEPARATORS = ",;\t"
FILE_COLUMNS = ("filename", "file", "filepath", "imagename", "image", "imagepath", "path", "name")
LABEL_COLUMNS = ("label", "class", "digit", "target")
MAX_LINE = 65_536  # characters
MAX_COLUMNS = 100  # more are a table of pixels


class Columns(NamedTuple):
    """Where the lines of a list have the file name and the label."""

    separator: str
    file: int
    label: int


class LabelledPaths(NamedTuple):
    """Paths of pictures and their labels, as text, both (n,), and the pictures without a label."""

    paths: list[str]
    labels: list[str]
    unlabelled: list[Unreadable]


def lists_pictures(path: Path) -> bool:
    """Return whether a file is a CSV whose header has columns of file names and of labels."""
    if path.suffix.lower() not in SUFFIXES:
        return False
    with _open(path) as file:
        return _find_columns(file) is not None


def find_list(folder: Path) -> Path | None:
    """Return the CSV in a folder that lists pictures, or None.

    Raises DataError if there are several.
    """
    with os.scandir(folder) as entries:
        names = sorted(
            entry.name
            for entry in entries
            if entry.name.lower().endswith(SUFFIXES) and not is_hidden(entry.name)
        )
    paths = [folder / name for name in names]
    lists = [path for path in paths if kind_of(path) == "file" and lists_pictures(path)]
    if len(lists) > 1:
        found = join_names([path.name for path in lists])
        raise DataError(
            f"{folder}: expected one CSV that lists pictures, found {found}; name one of them"
        )
    return lists[0] if lists else None


def read_list(path: Path) -> LabelledPaths:
    """Return the pictures that a CSV lists, in its order.

    A file name is relative to the folder of the CSV. If there is no such file, the file of the same
    name is used in a folder below. Raises DataError, which names the line, for a damaged CSV.
    """
    result = LabelledPaths([], [], [])
    with _open(path) as file:
        columns = _find_columns(file)
        if columns is None:
            raise DataError(f"{path}: expected a header with filename and label, found another")
        files = ListedFiles(path.parent)
        for line, row in _rows(path, file, columns.separator):
            name, label = (
                row[column].strip() if column < len(row) else ""
                for column in (columns.file, columns.label)
            )
            if not name:
                problem = "expected the name of a file, found none"
                result.unlabelled.append(Unreadable(f"{path}: line {line}", problem))
            elif reason := _label_problem(label):
                where = f"{path}: line {line}"
                result.unlabelled.append(Unreadable(files.find(name), f"{reason} ({where})"))
            else:
                result.paths.append(files.find(name))
                result.labels.append(label)
    return result


class ListedFiles:
    """The files that a list in a folder may name."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, name: str) -> str:
        """Return the path of a file, or of the only picture of the same name in a folder below.

        Return the path beside the list if there is neither.
        """
        path = self._folder / name
        if status_at(path) is None:
            same = self._below.get(os.path.basename(name), ())
            if len(same) == 1:
                return same[0]
        return str(path)

    @cached_property
    def _below(self) -> dict[str, list[str]]:
        from digitnet.image.files import pictures_below  # imports Pillow

        paths: dict[str, list[str]] = {}
        for path in pictures_below(str(self._folder)):
            paths.setdefault(os.path.basename(path), []).append(path)
        return paths


def _open(path: Path) -> TextIO:
    """Open a CSV; file names that are not UTF-8 stay what they are in the file system."""
    return path.open(encoding="utf-8-sig", errors="surrogateescape", newline="")


def _find_columns(file: TextIO) -> Columns | None:
    """Read the header of a CSV; return its columns of file names and labels, or None."""
    header = file.readline(MAX_LINE)
    for separator in SEPARATORS:
        if header.count(separator) >= MAX_COLUMNS:
            return None
        cells = header.split(separator)
        names = [cell.strip(' "\r\n').lower().replace("_", "").replace(" ", "") for cell in cells]
        file_column = next((name for name in FILE_COLUMNS if name in names), None)
        label_column = next((name for name in LABEL_COLUMNS if name in names), None)
        if file_column and label_column:
            return Columns(separator, names.index(file_column), names.index(label_column))
    return None


def _rows(path: Path, file: TextIO, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the number of each line after the header, and its cells; blank lines are skipped.

    Raises DataError for a line that is too long, or that is no CSV.
    """
    rows = csv.reader(_lines(path, file), delimiter=separator)
    try:
        for row in rows:
            if any(cell.strip() for cell in row):
                yield rows.line_num + 1, row
    except csv.Error as error:
        problem = f"expected cells of a CSV, found: {error}"
        raise DataError(f"{path}: line {rows.line_num + 1}: {problem}") from None


def _lines(path: Path, file: TextIO) -> Iterator[str]:
    number = 1
    while line := file.readline(MAX_LINE + 1):
        number += 1
        if len(line) > MAX_LINE:
            raise DataError(
                f"{path}: line {number}: expected at most {MAX_LINE:,} characters, found more"
            )
        yield line


def _label_problem(label: str) -> str | None:
    """Return what is wrong with a label, or None."""
    if not label:
        return "expected a label, found none"
    if len(label) > MAX_CLASS_NAME:
        return f"expected a label of at most {MAX_CLASS_NAME} characters, found {len(label):,}"
    if label.encode(errors="replace").decode() != label:
        return "expected a label in UTF-8, found another encoding"
    return None
