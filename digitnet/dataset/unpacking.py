"""Open tables as text, plain, gzipped or in a zip archive, without unpacking more than is right."""

import codecs
import gzip
import io
import os
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TextIO

from digitnet.dataset.formats import GZIP_MAGIC, ZIP_MAGIC, csv_members
from digitnet.errors import DataError, join_names
from digitnet.npz import COMPRESSIONS

Unpacked = IO[bytes] | gzip.GzipFile

UNPACKED_FREELY = 64 << 20  # bytes: any table may unpack to this size
MAX_RATIO = 100  # unpacked bytes per packed byte beyond that; MNIST as numpy.savetxt has about 50
BUFFER_BYTES = 1 << 16  # bytes unpacked at once


@contextmanager
def open_table(path: Path) -> Iterator[TextIO]:
    """Open the text of a table in UTF-8: a `.csv` or `.csv.gz` file, or the only one in a `.zip`.

    Raises DataError for UTF-16, a damaged archive, or one that unpacks to much more than it holds;
    in the block too.
    """
    limit = UNPACKED_FREELY + MAX_RATIO * os.path.getsize(path)
    try:
        with path.open("rb") as file:
            start = file.peek(4)[:4]
            if start[:2] == GZIP_MAGIC:
                with gzip.open(file) as unpacked:
                    yield _as_text(path, _bounded(path, unpacked, limit))
            elif start == ZIP_MAGIC:
                with (
                    zipfile.ZipFile(file) as archive,
                    archive.open(_member(path, archive)) as member,
                ):
                    yield _as_text(path, _bounded(path, member, limit))
            else:
                yield _as_text(path, file)
    except (gzip.BadGzipFile, zipfile.BadZipFile, zlib.error, EOFError) as error:
        problem = f"expected a complete archive, found a damaged file ({error})"
        raise DataError(f"{path}: {problem}") from None


def _member(path: Path, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    names = csv_members(path)
    if len(names) != 1:
        found = f"found {join_names(names)}"
        raise DataError(f"{path}: expected one table in the archive, {found}; unpack it")
    member = archive.getinfo(names[0])
    if member.flag_bits & 1:
        raise DataError(f"{path}: expected no password, found an encrypted archive; unpack it")
    if member.compress_type not in COMPRESSIONS:
        found = "found another compression than DEFLATE"
        raise DataError(f"{path}: expected a usual zip archive, {found}; unpack it")
    return member


def _as_text(path: Path, file: io.BufferedReader) -> TextIO:
    if file.peek(2)[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        raise DataError(f"{path}: expected UTF-8, found UTF-16; save it as CSV in UTF-8")
    return io.TextIOWrapper(file, encoding="utf-8-sig", errors="replace")


def _bounded(path: Path, file: Unpacked, limit: int) -> io.BufferedReader:
    return io.BufferedReader(_Bounded(path, file, limit), BUFFER_BYTES)


class _Bounded(io.RawIOBase):
    """The first `limit` bytes of an unpacked file; reading more raises DataError."""

    def __init__(self, path: Path, file: Unpacked, limit: int) -> None:
        self._path, self._file, self._limit, self._left = path, file, limit, limit

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        content = self._file.read(len(buffer))
        self._left -= len(content)
        if self._left < 0:
            limit = f"{self._limit:,} bytes unpacked"
            raise DataError(f"{self._path}: expected at most {limit}, found more")
        buffer[: len(content)] = content
        return len(content)
