"""Find the pictures of `digitnet predict`: files, folders, lists, stdin and files of arrays."""

import codecs
import errno
import os
import sys
from collections.abc import Iterator
from itertools import chain, groupby, islice
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from digitnet.dataset.formats import array_format
from digitnet.errors import DigitnetError, ImageError
from digitnet.paths import why_missing

if TYPE_CHECKING:
    from digitnet.image.workers import NamedPicture

FOLDER_BATCH = 1000  # paths of a folder per batch
LIST_CHUNK = 65536  # bytes of a list read at once, at most
PATH_MAX = 4096  # bytes: Linux opens no file with a path of this length
ARRAY_SUFFIXES = (".npy", ".npz", ".csv", ".tsv", ".csv.gz", ".csv.zip", "-ubyte", "-ubyte.gz")
SHOWN_PATH = 60  # bytes of a longer path in messages


class ArrayFile(NamedTuple):
    """A file of pictures in arrays, which are prepared already."""

    path: str


def batches(
    images: tuple[str, ...], files_from: str | None, separator: bytes
) -> Iterator["list[NamedPicture] | ArrayFile"]:
    """Yield names, each with its picture: a path, or bytes or an error from stdin; or array files.

    IMAGEs come first, then the list. A batch holds what can be read without waiting. Array files
    are recognised among IMAGEs only.
    """
    from digitnet.image.files import MAX_FILE_BYTES, pictures_below

    for kind, names in groupby(images, _kind_of_image):
        if kind == "folder":
            for name in names:
                paths = pictures_below(name)
                first = next(paths, None)
                if first is None:
                    yield [(name, _without_pictures(name))]
                else:
                    yield from _folder_batches(chain([first], paths))
        elif kind == "arrays":
            yield from map(ArrayFile, names)
        else:
            yield [(n, _read_stdin(MAX_FILE_BYTES + 1) if kind == "stdin" else n) for n in names]
    try:
        if files_from == "-":
            yield from _list_batches(_stdin(), separator)
        elif files_from is not None:
            with open(files_from, "rb") as file:
                yield from _list_batches(file, separator)
    except FileNotFoundError:
        raise DigitnetError(f"{files_from}: {why_missing(str(files_from))}") from None
    except OSError as error:
        raise DigitnetError(f"{files_from}: {error.strerror}") from None


def _kind_of_image(name: str) -> str:
    if name == "-":
        return "stdin"
    if os.path.isdir(name):
        return "folder"
    return "arrays" if array_format(name) else "file"


def _without_pictures(folder: str) -> str | ImageError:
    """Return a folder without pictures, or why it cannot be read if it holds files of arrays."""
    try:
        names = sorted(name for name in os.listdir(folder) if name.lower().endswith(ARRAY_SUFFIXES))
    except OSError:
        return folder
    if not names:
        return folder
    images = [name for name in names if "label" not in name.lower() and name[0] not in "yY"]
    example = os.path.join(folder, (images or names)[0])
    return ImageError(
        folder,
        f"expected pictures, found a folder of data; name its files, such as {example}, or, "
        f"for the accuracy, use digitnet evaluate --data {folder}",
    )


def _folder_batches(paths: Iterator[str]) -> Iterator["list[NamedPicture]"]:
    while batch := list(islice(paths, FOLDER_BATCH)):
        yield [(path, path) for path in batch]


def _list_batches(file: BinaryIO, separator: bytes) -> Iterator["list[NamedPicture]"]:
    """Yield the paths of a list as they arrive, using little memory for a path of any length."""
    carriage_return = b"\r" if separator == b"\n" else b""  # lists from Windows
    rest, skipping = b"", False  # skipping: the current path is too long and already yielded
    is_first = True
    while chunk := file.read1(LIST_CHUNK):  # type: ignore[attr-defined]
        if is_first:
            is_first, chunk = False, chunk.removeprefix(codecs.BOM_UTF8)
        *lines, rest = (rest + chunk).split(separator)
        if skipping and lines:
            del lines[0]
            skipping = False
        if not skipping and len(rest) >= PATH_MAX:
            lines.append(rest)
            skipping = True
        if skipping:
            rest = b""
        yield [_named(path) for line in lines if (path := line.removesuffix(carriage_return))]
    if path := rest.removesuffix(carriage_return):
        yield [_named(path)]


def _named(path: bytes) -> "NamedPicture":
    if len(path) < PATH_MAX:
        return os.fsdecode(path), os.fsdecode(path)
    return os.fsdecode(path[:SHOWN_PATH]) + "…", "-" * PATH_MAX  # opening it gives the error


def _read_stdin(limit: int) -> bytes | ImageError:
    """Return at most `limit` bytes of stdin, or the error of reading it."""
    try:
        return _stdin().read(limit)
    except OSError as error:
        return ImageError("-", str(error.strerror))


def _stdin() -> BinaryIO:
    if sys.stdin is None:
        raise OSError(errno.EBADF, "standard input is closed")
    return sys.stdin.buffer
