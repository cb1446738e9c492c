"""Recognise files of arrays by their first bytes and their name."""

import os
from typing import Literal

from digitnet.paths import AnyPath, kind_of

ArrayFormat = Literal["csv", "idx", "npy", "npz"]

GZIP_MAGIC = b"\x1f\x8b"
ZIP_MAGIC = b"PK\3\4"
NPY_MAGIC = b"\x93NUM"
IDX_MAGIC = b"\0\0\x08"  # of unsigned bytes
MAGICS: dict[bytes, ArrayFormat] = {
    NPY_MAGIC: "npy",
    ZIP_MAGIC: "npz",
    IDX_MAGIC: "idx",
    GZIP_MAGIC: "idx",
}
CSV_SUFFIXES = (".csv", ".tsv")
MACOS_FOLDER = "__MACOSX/"  # in zip archives made on macOS: metadata of each file
# Files with these names are pictures: nothing is read before the picture is decoded.
PICTURE_SUFFIXES = (
    ".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".heic", ".avif",
)  # fmt: skip


def array_format(path: AnyPath) -> ArrayFormat | None:
    """Return the format of a file of arrays; None for pictures and whatever cannot be opened."""
    if os.fspath(path).lower().endswith(PICTURE_SUFFIXES):
        return None
    try:
        if kind_of(path) != "file":
            return None
        with open(path, "rb") as file:
            start = file.read(4)
        if is_csv(path, start):
            return "csv"
    except OSError:
        return None
    for magic, kind in MAGICS.items():
        if start.startswith(magic):
            return kind
    return None


def is_csv(path: AnyPath, start: bytes) -> bool:
    """Return whether a file is a table: plain, gzipped, or in a zip archive.

    start: the first four bytes of the file. Raises OSError if an archive cannot be read.
    """
    if start == ZIP_MAGIC:
        return bool(csv_members(path))
    name = os.fspath(path).lower()
    if start.startswith(GZIP_MAGIC):
        return name.endswith(tuple(f"{suffix}.gz" for suffix in CSV_SUFFIXES))
    return name.endswith(CSV_SUFFIXES) and start != NPY_MAGIC and not start.startswith(b"\0\0")


def csv_members(path: AnyPath) -> list[str]:
    """Return the names of the tables in a zip archive; raises OSError if it cannot be read."""
    from digitnet.npz import member_names

    return [
        name
        for name in member_names(path)
        if name.lower().endswith(CSV_SUFFIXES) and not name.startswith(MACOS_FOLDER)
    ]
