"""Prepare the pictures of files: alone, or a part in each rank of a training."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from digitnet.arrays import SIDE
from digitnet.dataset.definition import NON_DIGIT, ReadOptions, Report, Unreadable
from digitnet.errors import DataError
from digitnet.fleet.fleet import Fleet
from digitnet.fleet.work import divide_work
from digitnet.image.look import Reading
from digitnet.image.reading import BLANK, reading_steps
from digitnet.image.workers import Workers, worker_count

DIGEST_BYTES = hashlib.sha256().digest_size


class Prepared(NamedTuple):
    """Prepared pictures of n files.

    images: uint8 (n, 28, 28). digits: int64 (n,). priors: float64 (n,), nats; see `Dataset`.
    digests: uint8 (n, 32), the SHA-256 of each file; zeros unless asked for. problems: why a
    picture cannot be read, by its index, in order; its rows in the arrays mean nothing.
    """

    images: NDArray[np.uint8]
    digits: NDArray[np.int64]
    priors: NDArray[np.float64]
    digests: NDArray[np.uint8]
    problems: dict[int, str]

    @classmethod
    def unread(cls, n: int) -> "Prepared":
        """Return n pictures of one digit and without ink."""
        return cls(
            np.zeros((n, SIDE, SIDE), np.uint8),
            np.ones(n, np.int64),
            np.zeros(n),
            np.zeros((n, DIGEST_BYTES), np.uint8),
            {},
        )

    def part(self, rows: slice) -> "Prepared":
        """Return views of some rows, without problems."""
        images, digits = self.images[rows], self.digits[rows]
        return Prepared(images, digits, self.priors[rows], self.digests[rows], {})

    def put(self, rows: slice, part: "Prepared") -> None:
        """Replace some rows by a part, and add its problems."""
        self.images[rows], self.digits[rows] = part.images, part.digits
        self.priors[rows], self.digests[rows] = part.priors, part.digests
        self.problems.update((rows.start + row, why) for row, why in part.problems.items())


def prepare_files(
    source: str,
    paths: Sequence[str],
    labels: NDArray[np.int64],
    options: ReadOptions,
    *,
    hashed: bool = False,
) -> Prepared:
    """Return the pictures at paths (n,), prepared by the network of `options`; labels: (n,).

    Each rank of `options.fleet` prepares a part; all must call this with as many paths. source:
    names the pictures in messages. hashed: also hash the files. Raises DataError for the first
    picture that cannot be read if `options.strict` is set, except for a blank one of no class.
    """
    prepared = Prepared.unread(len(paths))

    def prepare(rows: slice, report: Report | None) -> Prepared:
        part = prepared.part(rows)
        _prepare(part, paths[rows], labels[rows], options, report, hashed)
        return part

    parts = divide_work(
        options.fleet,
        len(paths),
        prepare,
        subject=f"{len(paths):,} pictures in {source}",
        report=options.report,
    )
    for rows, part in parts:
        prepared.put(rows, part)
        if options.strict:
            for row, problem in part.problems.items():
                index = rows.start + row
                if not is_blank(labels[index], problem):
                    raise DataError(str(Unreadable(paths[index], problem)))
    return prepared


def is_blank(label: int, problem: str) -> bool:
    """Return whether a picture that cannot be read is a blank one that shows no class."""
    return bool(label == NON_DIGIT) and problem in BLANK


def _prepare(
    part: Prepared,
    paths: Sequence[str],
    labels: NDArray[np.int64],
    options: ReadOptions,
    report: Report | None,
    hashed: bool,
) -> None:
    """Fill a part with its pictures. If `options.strict` is set, stop where one cannot be read."""
    workers = Workers(worker_count() if options.parallel else 1, reading_steps(options.score))
    done = 0
    try:
        for portion in workers.prepare([(path, path) for path in paths]):
            for path, reading in portion:
                if isinstance(reading, Reading):
                    part.images[done] = reading.image
                    part.digits[done], part.priors[done] = reading.digits, reading.prior
                    if hashed:
                        digest = hashlib.sha256(Path(path).read_bytes()).digest()
                        part.digests[done] = np.frombuffer(digest, np.uint8)
                else:
                    part.problems[done] = reading.problem
                    if options.strict and not is_blank(labels[done], reading.problem):
                        return
                done += 1
            if report:
                report(done, len(paths))
    finally:
        workers.close()


def check_same_files(
    source: str,
    paths: Sequence[str],
    labels: NDArray[np.int64],
    class_names: Sequence[str],
    fleet: Fleet,
) -> None:
    """Raise DataError in all ranks unless they have listed the same files with the same labels.

    Copies of a file are compared by their sizes: each rank reads only the part that it prepares.
    """
    if fleet.size == 1:
        return

    def files() -> Iterator[str]:
        for path, label in zip(paths, labels.tolist()):
            name = "no class" if label == NON_DIGIT else f"class {class_names[label]}"
            yield f"{path} ({name}, {_size(path)} bytes)"

    digest, subject = hashlib.sha256(), f"the pictures in {source}"
    for file in files():
        digest.update(f"{file}\0".encode(errors="surrogatepass"))
    digests = fleet.gather(digest.digest(), subject)
    rank = next((rank for rank, each in enumerate(digests) if each != digests[0]), None)
    if rank is not None:
        lists = fleet.gather(list(files()), subject)
        raise DataError(f"{source}: {_difference(lists[0], lists[rank], rank)}")


def _size(path: str) -> int | str:
    try:
        return os.path.getsize(path)
    except OSError:
        return "?"


def _difference(first: list[str], other: list[str], rank: int) -> str:
    """Describe where the list of files of a rank begins to differ from that of rank 0."""
    one, two = next(pair for pair in zip_longest(first, other) if pair[0] != pair[1])
    return (
        f"expected the same pictures and labels in all ranks, found {len(first):,} in rank 0 and "
        f"{len(other):,} in rank {rank}; the first that differ are {one or 'none'} and "
        f"{two or 'none'}"
    )
