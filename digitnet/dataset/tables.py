"""Data sets in one file: NumPy's `.npz` and Kaggle's `.csv`."""

import codecs
import re
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from digitnet.arrays import PIXELS, SIDE
from digitnet.dataset.definition import Data, Dataset, digits
from digitnet.errors import DataError, join_names
from digitnet.npz import NpzError, read_npz

COLUMNS = 1 + PIXELS
NUMBERED = [str(column) for column in range(COLUMNS)]  # names that pandas gives columns
SEPARATORS = {";": "semicolons", "\t": "tabs", " ": "spaces"}
CHUNK = 1000  # lines
NUMBER = re.compile(r"[-+]?[0-9]*[.]?[0-9]+(e[-+]?[0-9]+)?", re.ASCII)  # whole or not
MAX_LINE = 65_536  # characters: four times what whole numbers of 18 digits need


def read_npz_data(path: Path) -> Data:
    """Keras's layout (x_train, y_train, x_test, y_test) or plain `images` and `labels`."""
    try:
        arrays = read_npz(path)
    except NpzError as error:
        cure = "; unpack it first" if path.suffix.lower() == ".zip" else ""
        raise DataError(f"{path}: {error}{cure}") from None
    if "images" in arrays and "labels" in arrays:
        return Data(_digits(path, arrays, "images", "labels"), None)
    if "x_train" in arrays and "y_train" in arrays:
        test = "x_test" in arrays and "y_test" in arrays
        return Data(
            _digits(path, arrays, "x_train", "y_train"),
            _digits(path, arrays, "x_test", "y_test") if test else None,
        )
    found = join_names([f"{name:.60}" for name in sorted(arrays)]) or "none"
    raise DataError(
        f"{path}: expected the arrays x_train, y_train, x_test, y_test or images, labels; "
        f"found {found}"
    )


def _digits(path: Path, arrays: dict[str, NDArray[Any]], images: str, labels: str) -> Dataset:
    return digits(f"{path}: {images}", arrays[images], f"{path}: {labels}", arrays[labels])


def read_csv_data(path: Path) -> Data:
    """Read `label,pixel0,…,pixel783` a line, in UTF-8.

    Under a line of names, `label` may stand in any column; 0 to 784 are names, too.
    """
    parts, label = [], 0
    with path.open("rb") as file:
        if file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            raise DataError(f"{path}: expected UTF-8, found UTF-16; save it as CSV in UTF-8")
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        lines = _lines(path, file)
        first = next(lines, None)
        if first is None:
            raise DataError(f"{path}: expected lines of label and pixels, found none")
        names = [cell.strip(' "').lower() for cell in first[1].split(",")]
        if "label" in names or names == NUMBERED:
            label = names.index("label") if "label" in names else 0
            if len(names) != COLUMNS:
                raise _wrong_columns(path, *first)
        elif any(NUMBER.fullmatch(name) for name in names):
            parts.append(_rows(path, [first], label))
        elif len(names) != COLUMNS:
            raise _wrong_columns(path, *first)
        else:
            raise DataError(f"{path}: line {first[0]}: expected a column called label, found none")
        while chunk := list(islice(lines, CHUNK)):
            parts.append(_rows(path, chunk, label))
    table = np.concatenate(parts) if parts else np.empty((0, COLUMNS), np.uint8)
    pixels, labels = np.delete(table, label, axis=1), table[:, label]
    return Data(digits(str(path), pixels, str(path), labels), None)


def _lines(path: Path, file: TextIO) -> Iterator[tuple[int, str]]:
    """Yield the lines that are not blank with their numbers, from 1.

    Raises DataError for a line that is too long to be one of numbers.
    """
    for number in count(1):
        line = file.readline(MAX_LINE + 1)
        if not line:
            return
        if len(line) > MAX_LINE:
            raise DataError(
                f"{path}: line {number}: expected at most {MAX_LINE:,} characters, found more"
            )
        if line.strip():
            yield number, line.rstrip("\n")


def _rows(path: Path, chunk: list[tuple[int, str]], label: int) -> NDArray[np.uint8]:
    """Return lines as an array (lines, 785), or raise DataError naming the first wrong cell."""
    try:
        table = _table([line for _, line in chunk])
    except ValueError:
        table = None
    if table is not None and table.shape[1] == COLUMNS:
        most = np.full(COLUMNS, 255)
        most[label] = 9
        if (table >= 0).all() and (table <= most).all():
            return table.astype(np.uint8)
    for number, line in chunk:
        cells = line.split(",")
        if len(cells) != COLUMNS:
            raise _wrong_columns(path, number, line)
        for column, cell in enumerate(cells):
            limit, value = 9 if column == label else 255, _as_whole(cell)
            if value is None or not 0 <= value <= limit:
                raise DataError(
                    f"{path}: line {number}, column {column + 1}: "
                    f"expected a whole number from 0 to {limit}, found {cell.strip()!r:.40}"
                )
    raise DataError(
        f"{path}: lines {chunk[0][0]} to {chunk[-1][0]}: expected rows of whole numbers"
    )


def _table(lines: list[str]) -> NDArray[np.int64]:
    """Return lines of whole numbers as an array; ValueError for anything else."""
    return np.loadtxt(lines, np.int64, comments=None, delimiter=",", quotechar='"', ndmin=2)


def _as_whole(cell: str) -> int | None:
    """Return the number that `_table` reads in a cell, None if it reads none."""
    match = re.fullmatch(r'\s*"?\s*([-+]?[0-9]{1,18})\s*"?\s*', cell, re.ASCII)
    return int(match[1]) if match else None


def _wrong_columns(path: Path, number: int, line: str) -> DataError:
    found = f"{line.count(',') + 1}"
    for separator, name in SEPARATORS.items():
        if line.count(separator) == COLUMNS - 1:
            found = f"{name} between them"
    return DataError(
        f"{path}: line {number}: expected {COLUMNS} columns (label, then {SIDE}×{SIDE} pixels) "
        f"with commas between them, found {found}"
    )
