"""Find out what the columns of a table hold: a label, pixels, or an index that is ignored."""

import re
from pathlib import Path
from typing import NamedTuple

from digitnet.arrays import PIXELS, SIDE
from digitnet.dataset.shapes import SIDES
from digitnet.errors import DataError

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
LABEL_NAMES = ("label", "class", "digit", "target")
INDEX_NAMES = ("", "unnamed: 0", "index", "id", "imageid")  # the first two are pandas'
NUMBER = re.compile(r"[-+]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][-+]?[0-9]+)?")


class Columns(NamedTuple):
    """What the columns of a table hold.

    width: number of all columns. label: the column of the labels, or None. pixels: the columns of
    the pixels, as many as in SIDES. fractions: whether pixels are numbers from -1 to 1, instead of
    whole numbers from 0 to 255.
    """

    separator: str
    width: int
    label: int | None
    pixels: list[int]
    fractions: bool = False

    @property
    def used(self) -> list[int]:
        """The columns of label and pixels, the label first."""
        return self.pixels if self.label is None else [self.label, *self.pixels]


def read_header(path: Path, number: int, line: str, *, labelled: bool) -> tuple[Columns, bool]:
    """Return the columns of a table, and whether its first line, with this number, is a header.

    Without a header, the first column holds the labels, unless all columns are pixels. labelled:
    whether labels are required. Raises DataError for a number of columns that no digits have, and
    for a header without a label's name.
    """
    separator = max(SEPARATORS, key=line.count)
    names = [cell.strip(' "').lower() for cell in line.split(separator)]
    columns = [column for column, name in enumerate(names) if name not in INDEX_NAMES]
    label = next((names.index(name) for name in LABEL_NAMES if name in names), None)
    is_numbered = _are_numbered([names[column] for column in columns])
    has_header = label is not None or is_numbered or not any(map(NUMBER.fullmatch, names))
    if not has_header:
        columns = list(range(len(names)))
    if label is None and (is_numbered or not has_header) and len(columns) - 1 in SIDES:
        label = columns[0]
    pixels = [column for column in columns if column != label]
    if len(pixels) in SIDES and not (labelled and label is None):
        return Columns(separator, len(names), label, pixels), has_header
    if label is None and has_header and {len(pixels), len(pixels) - 1} & SIDES.keys():
        expected = "expected a column called label"
        raise DataError(f"{path}: line {number}: {expected}, found none")
    width = len(pixels) + 1 if len(pixels) in SIDES else 1 + PIXELS
    raise columns_error(path, number, line, separator, width)


def _are_numbered(names: list[str]) -> bool:
    """Return whether columns are called 0, 1, 2, … or 1, 2, 3, …, as pandas does by default."""
    return len(names) > 1 and any(
        names == [str(number) for number in range(first, first + len(names))] for first in (0, 1)
    )


def columns_error(path: Path, number: int, line: str, separator: str, expected: int) -> DataError:
    """Return the error for a line with another number of columns than expected."""
    found = f"{line.count(separator) + 1}"
    if line.strip().count(" ") == expected - 1:
        found = "spaces between them"
    meaning = f" (label, then {SIDE}×{SIDE} pixels)" if expected == 1 + PIXELS else ""
    return DataError(
        f"{path}: line {number}: expected {expected} columns{meaning} with "
        f"{SEPARATORS[separator]} between them, found {found}"
    )
