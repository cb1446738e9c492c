"""Find the pictures of `digitnet predict`: files, folders, lists, stdin and files of arrays."""

import os
import sys
from collections.abc import Iterable, Iterator
from itertools import groupby, islice
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias

from digitnet.cli.lists import PathList, binary_stdin
from digitnet.dataset.formats import array_format
from digitnet.errors import DataError, ImageError

if TYPE_CHECKING:
    from digitnet.image.workers import NamedPicture

FOLDER_BATCH = 1000  # paths of a folder per batch
ARRAY_SUFFIXES = (".npy", ".npz", ".csv", ".tsv", ".csv.gz", ".csv.zip", "-ubyte", "-ubyte.gz")
ALL = sys.maxsize  # as `last`: to the end


class ArrayFile(NamedTuple):
    """The pictures `first` to `last - 1` in a file of arrays, which are prepared already."""

    path: str
    first: int = 0
    last: int = ALL


Batch: TypeAlias = list["NamedPicture"] | ArrayFile


class Source(Protocol):
    """Something that holds pictures, in order."""

    def count(self) -> int:
        """Return how many pictures there are; each error counts as one."""

    def batches(self, first: int, last: int) -> Iterator[Batch]:
        """Yield the pictures `first` to `last - 1` in batches of what can be read without waiting.

        Pictures before them are not opened.
        """


def find_sources(
    images: Iterable[str], files_from: str | None, separator: bytes, digits: int | None
) -> Iterator[Source]:
    """Yield the sources named on the command line: IMAGEs, then the list.

    Files of arrays are recognised among IMAGEs only. digits: the digits in a picture, or None.
    """
    for kind, names in groupby(images, _kind_of_image):
        if kind == "folder":
            yield from map(Folder, names)
        elif kind == "arrays":
            yield from (Arrays(name, digits) for name in names)
        else:
            yield Files(list(names))
    if files_from is not None:
        yield PathList(files_from, separator)


def all_batches(sources: Iterable[Source]) -> Iterator[Batch]:
    """Yield all pictures of the sources."""
    for source in sources:
        yield from source.batches(0, ALL)


def _kind_of_image(name: str) -> str:
    if name == "-":
        return "stdin"
    if os.path.isdir(name):
        return "folder"
    return "arrays" if array_format(name) else "file"


class Files:
    """Files that are a picture each; - is stdin."""

    def __init__(self, names: list[str]) -> None:
        self.names = names

    def count(self) -> int:
        return len(self.names)

    def batches(self, first: int, last: int) -> Iterator["list[NamedPicture]"]:
        yield [(name, _read_stdin() if name == "-" else name) for name in self.names[first:last]]


class Folder:
    """All pictures in a folder and its subfolders."""

    def __init__(self, path: str) -> None:
        self.path = path

    def count(self) -> int:
        from digitnet.image.files import pictures_below

        return sum(1 for _ in pictures_below(self.path)) or 1

    def batches(self, first: int, last: int) -> Iterator["list[NamedPicture]"]:
        from digitnet.image.files import pictures_below

        paths = islice(pictures_below(self.path), first, last)
        is_empty = first == 0
        while batch := list(islice(paths, FOLDER_BATCH)):
            yield [(path, path) for path in batch]
            is_empty = False
        if is_empty:
            yield [(self.path, _without_pictures(self.path))]


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


class Arrays:
    """The pictures in a file of arrays, or one error if they are asked for numbers.

    digits: the digits in a picture, or None.
    """

    def __init__(self, path: str, digits: int | None) -> None:
        self.path, self.digits = path, digits

    def count(self) -> int:
        return 1 if self.digits != 1 else array_count(self.path) or 1

    def batches(self, first: int, last: int) -> Iterator[ArrayFile]:
        yield ArrayFile(self.path, first, last)


def array_count(path: str) -> int:
    """Return the number of pictures in a file of arrays; 0 if it cannot be read."""
    from digitnet.dataset.definition import ReadOptions
    from digitnet.dataset.unlabelled import read_images

    try:
        return len(read_images(path, ReadOptions(parallel=True)).images)
    except DataError:
        return 0


def _read_stdin() -> bytes | ImageError:
    """Return stdin up to the size that a picture may have, or the error of reading it."""
    from digitnet.image.files import MAX_FILE_BYTES

    try:
        return binary_stdin().read(MAX_FILE_BYTES + 1)
    except OSError as error:
        return ImageError("-", str(error.strerror))
