"""Read tables of pictures (CSV), one per line, with labels or without."""

from collections.abc import Iterator
from itertools import chain, count, islice
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import numpy as np
from numpy.typing import NDArray

from digitnet.dataset.definition import Data, ReadOptions
from digitnet.dataset.header import NUMBER, Columns, columns_error, read_header
from digitnet.dataset.shapes import CLASSES_ADVICE, make_dataset
from digitnet.dataset.unpacking import open_table
from digitnet.errors import DataError

LINES_PER_CHUNK = 1000  # lines parsed at once
MAX_BLANK = 10_000  # blank lines of a file: a packed file may have billions
MAX_LINE = 65_536  # characters: four times the length of 785 whole numbers with 18 digits


class Table(NamedTuple):
    """Pictures of a table: pixels (n, side²), labels int64 (n,) if there are any, and line numbers.

    pixels: uint8, or float32 from -1 to 1. lines: int64 (n,), from 1.
    """

    pixels: NDArray[Any]
    labels: NDArray[np.int64] | None
    lines: NDArray[np.int64]


def read_csv_data(path: Path, options: ReadOptions) -> Data:
    """Return the data of a table with a label and the pixels of a picture per line.

    Raises DataError, which names the line.
    """
    table, name = read_table(path, labelled=True), str(path)
    assert table.labels is not None
    return Data(
        make_dataset(name, name, table.pixels, name, table.labels, options, table.lines), None
    )


def read_table(path: Path, *, labelled: bool = False) -> Table:
    """Return the pictures of a CSV file, plain or packed, in UTF-8.

    The separator is a comma, semicolon or tab. The first line may be a header; see `read_header`.
    labelled: whether labels are required. Raises DataError, which names the line.
    """
    with open_table(path) as file:
        lines = _lines(path, file)
        first = next(lines, None)
        if first is None:
            raise DataError(f"{path}: expected lines of label and pixels, found only blank lines")
        columns, has_header = read_header(path, *first, labelled=labelled)
        if not has_header:
            lines = chain([first], lines)
        parts: list[NDArray[Any]] = [np.empty((0, len(columns.pixels)), np.uint8)]
        labels, numbers = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
        while chunk := list(islice(lines, LINES_PER_CHUNK)):
            if len(numbers) == 1:
                columns = columns._replace(fractions=_has_fractions(chunk, columns))
                parts = [part.astype(_pixel_type(columns)) for part in parts]
            table = _parse_lines(path, chunk, columns)
            parts.append(table[:, -len(columns.pixels) :].astype(_pixel_type(columns)))
            labels.append(table[:, 0].astype(np.int64))
            numbers.append(np.array([number for number, _ in chunk]))
    pixels, all_labels = np.concatenate(parts), np.concatenate(labels)
    if not has_header and columns.label is not None:
        _refuse_label_last(path, pixels, all_labels)
    has_labels = columns.label is not None
    return Table(pixels, all_labels if has_labels else None, np.concatenate(numbers))


def _pixel_type(columns: Columns) -> type[np.number]:
    return np.float32 if columns.fractions else np.uint8


def _lines(path: Path, file: TextIO) -> Iterator[tuple[int, str]]:
    """Yield line numbers, from 1, and lines; blank lines are skipped.

    Raises DataError for a line longer than MAX_LINE, and for more than MAX_BLANK blank lines.
    """
    blank = 0
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
            continue
        blank += 1
        if blank > MAX_BLANK:
            raise DataError(f"{path}: expected at most {MAX_BLANK:,} blank lines, found more")


def _parse_lines(path: Path, chunk: list[tuple[int, str]], columns: Columns) -> NDArray[Any]:
    """Return the used columns of lines, (lines, used): the label, if there is one, then pixels.

    Raises DataError, which names the first wrong cell.
    """
    table = _load_table(chunk, columns)
    if table is not None:
        least = np.full(table.shape[1], -1 if columns.fractions else 0)
        most = np.full(table.shape[1], 1 if columns.fractions else 255)
        if columns.label is not None:
            least[0], most[0] = 0, 9
        whole = table[:, : len(least) - len(columns.pixels)] if columns.fractions else table
        if ((table >= least) & (table <= most)).all() and (whole == np.rint(whole)).all():
            return table
    for number, line in chunk:
        cells = line.split(columns.separator)
        if len(cells) != columns.width:
            raise columns_error(path, number, line, columns.separator, columns.width)
        for column in sorted(columns.used):
            if problem := _problem(cells[column], columns, is_label=column == columns.label):
                raise DataError(f"{path}: line {number}, column {column + 1}: {problem}")
    raise DataError(
        f"{path}: lines {chunk[0][0]} to {chunk[-1][0]}: expected rows of whole numbers"
    )


def _load_table(chunk: list[tuple[int, str]], columns: Columns) -> NDArray[Any] | None:
    """Return the used columns of lines of numbers as an array; None for anything else.

    int64, or float64 where a number is written with a point or an exponent.
    """
    lines = [line for _, line in chunk]
    separators = columns.width - 1
    if any(line.count(columns.separator) != separators for line in lines):
        return None
    is_whole = not any("." in line or "e" in line or "E" in line for line in lines)
    try:
        table = np.loadtxt(
            lines,
            np.int64 if is_whole else np.float64,
            comments=None,
            delimiter=columns.separator,
            quotechar='"',
            usecols=columns.used,
            ndmin=2,
        )
    except ValueError:
        return None
    return table if len(table) == len(lines) else None  # a quote may hide line ends


def _has_fractions(chunk: list[tuple[int, str]], columns: Columns) -> bool:
    """Return whether the pixels in lines are from -1 to 1, and not all whole."""
    table = _load_table(chunk, columns)
    if table is None:
        return False
    pixels = table[:, -len(columns.pixels) :]
    return bool((abs(pixels) <= 1).all() and (pixels != np.rint(pixels)).any())


def _problem(cell: str, columns: Columns, *, is_label: bool) -> str | None:
    """Return what is wrong with a cell, or None."""
    fractions = columns.fractions and not is_label
    least, most = (-1, 1) if fractions else (0, 9 if is_label else 255)
    text = cell.strip(' "\t')
    value = float(text) if NUMBER.fullmatch(text) else None
    if value is not None and least <= value <= most and (fractions or value == round(value)):
        return None
    kind = "number" if fractions else "whole number"
    advice = f"; {CLASSES_ADVICE}" if is_label and value is not None and value > most else ""
    return f"expected a {kind} from {least} to {most}, found {cell.strip()!r:.40}{advice}"


def _refuse_label_last(path: Path, pixels: NDArray[Any], labels: NDArray[np.int64]) -> None:
    """Raise DataError if the last column of a table without a header seems to hold the labels."""
    last = pixels[:, -1]
    is_constant = len(labels) > 1 and labels.min() == labels.max()
    if is_constant and last.max() <= 9 and len(np.unique(last)) > 2:
        found = f"found {labels[0]} in each, and other digits in the last column"
        advice = "write a header with the name label"
        raise DataError(f"{path}: expected labels in the first column, {found}; {advice}")
