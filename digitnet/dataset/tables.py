"""Data sets in one file: NumPy's `.npz` and Kaggle's `.csv`."""

import re
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitnet.dataset.definition import SIDE, Data, Dataset, digits
from digitnet.errors import DataError
from digitnet.npz import NpzError, read_npz

COLUMNS = 1 + SIDE * SIDE
CHUNK = 1000  # lines


def read_npz_data(path: Path) -> Data:
    """Keras's layout (x_train, y_train, x_test, y_test) or plain `images` and `labels`."""
    try:
        arrays = read_npz(path)
    except NpzError as error:
        raise DataError(f"{path}: {error}") from None
    if "images" in arrays and "labels" in arrays:
        return Data(_digits(path, arrays, "images", "labels"), None)
    if "x_train" in arrays and "y_train" in arrays:
        test = "x_test" in arrays and "y_test" in arrays
        return Data(
            _digits(path, arrays, "x_train", "y_train"),
            _digits(path, arrays, "x_test", "y_test") if test else None,
        )
    raise DataError(
        f"{path}: expected the arrays x_train, y_train, x_test, y_test or images, labels; "
        f"found {', '.join(sorted(arrays)) or 'none'}"
    )


def _digits(path: Path, arrays: dict[str, NDArray[Any]], images: str, labels: str) -> Dataset:
    return digits(f"{path}: {images}", arrays[images], f"{path}: {labels}", arrays[labels])


def read_csv_data(path: Path) -> Data:
    """`label,pixel0,…,pixel783` a line. Under a line of names, `label` may stand in any column."""
    parts, label = [], 0
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        lines = iter(enumerate(file, 1))
        first = next(lines, None)
        if first is None:
            raise DataError(f"{path}: expected lines of label and pixels, found an empty file")
        names = [name.strip(' "').lower() for name in first[1].rstrip("\r\n").split(",")]
        if any(_is_number(name) for name in names):
            parts.append(_rows(path, [first], label))
        elif len(names) != COLUMNS:
            raise _wrong_columns(path, 1, len(names))
        elif "label" not in names:
            raise DataError(f"{path}: line 1: expected a column called label, found none")
        else:
            label = names.index("label")
        while chunk := list(islice(lines, CHUNK)):
            parts.append(_rows(path, chunk, label))
    table = np.concatenate(parts) if parts else np.empty((0, COLUMNS), np.uint8)
    pixels, labels = np.delete(table, label, axis=1), table[:, label]
    return Data(digits(str(path), pixels, str(path), labels), None)


def _rows(path: Path, chunk: list[tuple[int, str]], label: int) -> NDArray[np.uint8]:
    """Lines as an array (lines, 785), or a DataError naming the first wrong line and column."""
    lines = [line for _, line in chunk if line.strip()]
    if not lines:
        return np.empty((0, COLUMNS), np.uint8)
    most = np.full(COLUMNS, 255)
    most[label] = 9
    try:
        table = np.loadtxt(lines, np.int64, comments=None, delimiter=",", quotechar='"', ndmin=2)
        if table.shape[1] == COLUMNS and (table >= 0).all() and (table <= most).all():
            return table.astype(np.uint8)
    except ValueError:
        pass
    for number, line in chunk:
        cells = line.rstrip("\r\n").split(",")
        if line.strip() and len(cells) != COLUMNS:
            raise _wrong_columns(path, number, len(cells))
        for column, (cell, limit) in enumerate(zip(cells if line.strip() else [], most), 1):
            if not (_is_number(cell) and 0 <= int(cell.strip(' "')) <= limit):
                raise DataError(
                    f"{path}: line {number}, column {column}: "
                    f"expected a whole number from 0 to {limit}, found {cell.strip()!r:.40}"
                )
    raise DataError(
        f"{path}: lines {chunk[0][0]} to {chunk[-1][0]}: expected rows of whole numbers"
    )


def _is_number(cell: str) -> bool:
    return re.fullmatch('[ "]*-?[0-9]{1,18}[ "]*', cell) is not None


def _wrong_columns(path: Path, line: int, found: int) -> DataError:
    return DataError(
        f"{path}: line {line}: expected {COLUMNS} columns (label, then {SIDE}×{SIDE} pixels), "
        f"found {found}"
    )
