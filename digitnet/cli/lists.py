"""Read a list of paths: as it arrives, or some of its lines."""

import codecs
import errno
import os
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, BinaryIO

from digitnet.errors import DigitnetError
from digitnet.paths import why_missing

if TYPE_CHECKING:
    from digitnet.image.workers import NamedPicture

LIST_CHUNK = 65536  # bytes of a list read at once, at most
PATH_MAX = 4096  # bytes: Linux opens no file with a path of this length
SHOWN_PATH = 60  # bytes of a longer path in messages


class PathList:
    """The pictures whose paths are in a file, or on stdin if `path` is -.

    separator: the byte after each path, a newline or NUL. Each line counts; an empty one gives no
    picture.
    """

    def __init__(self, path: str, separator: bytes) -> None:
        self.path, self.separator = path, separator

    def count(self) -> int:
        """Return the number of lines. Raises DigitnetError if the list cannot be read."""
        lines, end = 0, self.separator
        for chunk in self._chunks():
            lines += chunk.count(self.separator)
            end = chunk[-1:] or end
        return lines + (end != self.separator)

    def batches(self, first: int, last: int) -> Iterator["list[NamedPicture]"]:
        """Yield the paths in the lines `first` to `last - 1` as they arrive."""
        return _named_paths(cut(self._chunks(), self.separator, first, last), self.separator)

    def _chunks(self) -> Iterator[bytes]:
        """Yield the bytes of the list without its byte order mark, as they arrive."""
        try:
            if self.path == "-":
                yield from _read_chunks(binary_stdin())
            else:
                with open(self.path, "rb") as file:
                    yield from _read_chunks(file)
        except FileNotFoundError:
            raise DigitnetError(f"{self.path}: {why_missing(self.path)}") from None
        except OSError as error:
            raise DigitnetError(f"{self.path}: {error.strerror}") from None


def _read_chunks(file: BinaryIO) -> Iterator[bytes]:
    mark = codecs.BOM_UTF8
    while chunk := file.read1(LIST_CHUNK):  # type: ignore[attr-defined]
        yield chunk.removeprefix(mark)
        mark = b""


def cut(chunks: Iterable[bytes], separator: bytes, first: int, last: int) -> Iterator[bytes]:
    """Yield the bytes of the lines `first` to `last - 1`, counted from 0, with their ends."""
    line = 0  # in which the chunk begins
    for chunk in chunks:
        if line >= last:
            return
        ends = chunk.count(separator)
        start = _line_start(chunk, separator, first - line, ends)
        end = _line_start(chunk, separator, last - line, ends)
        if start < end:
            yield chunk[start:end]
        line += ends


def _line_start(chunk: bytes, separator: bytes, line: int, ends: int) -> int:
    """Return where a line of a chunk begins: 0 for earlier lines, the chunk's end for later ones.

    line: counted from the one in which the chunk begins. ends: the separators in the chunk.
    """
    if line <= 0:
        return 0
    if line > ends:
        return len(chunk)
    return len(chunk) - len(chunk.split(separator, line)[line])


def _named_paths(chunks: Iterable[bytes], separator: bytes) -> Iterator["list[NamedPicture]"]:
    """Yield the paths in chunks of a list, using little memory for a path of any length."""
    carriage_return = b"\r" if separator == b"\n" else b""  # lists from Windows
    rest, skipping = b"", False  # skipping: the current path is too long and already yielded
    for chunk in chunks:
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


def binary_stdin() -> BinaryIO:
    """Return stdin for bytes. Raises OSError if it is closed."""
    if sys.stdin is None:
        raise OSError(errno.EBADF, "standard input is closed")
    return sys.stdin.buffer
