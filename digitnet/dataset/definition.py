"""Data sets: pictures, labels and class names."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from digitnet.dataset.classes import DIGITS, normalise_name
from digitnet.errors import DataError, join_names
from digitnet.fleet.fleet import ALONE, Fleet

if TYPE_CHECKING:
    from digitnet.image.evidence import Score

NON_DIGIT = -1  # label of a picture that shows no class
NON_DIGIT_FOLDERS = ("none", "nothing", "nan")  # folders of pictures without any digit
Paths = str | tuple[str, ...]  # one or several files or folders of pictures
Report = Callable[[int, int], None]  # called with the pictures prepared so far, and with all


@dataclass(frozen=True)
class ReadOptions:
    """How to read labelled pictures.

    transposed: rows and columns of the pictures in arrays are exchanged, as in EMNIST; folders of
    pictures are not affected. score: the network that chooses between candidates for the digit in a
    picture of a folder. score_classes: if given, `score` is used only for a source whose classes
    are all among these. non_digits: names of folders whose pictures show no class. label_pattern:
    how pictures are named, with `<label>` once and perhaps `*`. strict: the first picture that
    cannot be read ends reading. parallel: several processes prepare pictures. report: is told how
    many pictures are prepared. may_lack: a class of the training set may have no picture that can
    be read. fleet: ranks that all read the same data; each prepares a part of the pictures.
    """

    transposed: bool = False
    score: "Score | None" = None
    score_classes: tuple[str, ...] | None = None
    non_digits: tuple[str, ...] = NON_DIGIT_FOLDERS
    label_pattern: str | None = None
    strict: bool = False
    parallel: bool = False
    report: Report | None = None
    may_lack: bool = False
    fleet: Fleet = ALONE


DEFAULT_OPTIONS = ReadOptions()


class Origin(NamedTuple):
    """Where consecutive pictures of a data set come from.

    source: the path that the user named. length: number of pictures. file: the file that holds the
    pictures. places: for each picture, the path of its own file, or its line in `file`; None if
    `file` is an array.
    """

    source: str
    length: int
    file: str
    places: Sequence[str] | NDArray[np.int64] | None = None

    def name_of(self, index: int) -> str:
        """Return a picture's path, `FILE:LINE`, or `FILE#index`, counted from 0."""
        if self.places is None:
            return f"{self.file}#{index}"
        place = self.places[index]
        return place if isinstance(place, str) else f"{self.file}:{place}"


def name_in(origins: Sequence[Origin], index: int) -> str:
    """Return the name of a picture of a data set with these origins; see `Dataset.name_of`."""
    for origin in origins:
        if index < origin.length:
            return origin.name_of(index)
        index -= origin.length
    raise IndexError("the origin of the picture is unknown")


class Unreadable(NamedTuple):
    """A picture that was left out because it cannot be read."""

    picture: str
    problem: str

    def __str__(self) -> str:
        return f"{self.picture}: {self.problem}"


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Labelled pictures.

    images: uint8 (n, 28, 28), from 0 background to 255 ink.
    labels: int64 (n,), indices into `class_names`, or NON_DIGIT.
    repeats: int64 (n,), how often an epoch uses each picture; None: once.
    hashes: identify pictures that were read from a folder or from several sources, regardless of
        how pictures are prepared: one hash per source; empty for arrays.
    remarks: lines for the user about what was converted, or is read otherwise than expected.
    origins: where the pictures come from, in the same order; empty if unknown.
    digits: int64 (n,), how many digits each picture seems to hold; None: one.
    priors: float64 (n,), `Reading.prior` of each picture, nats; None: 0.
    unreadable: pictures that were left out.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    class_names: tuple[str, ...] = DIGITS
    repeats: NDArray[np.int64] | None = None
    hashes: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    origins: tuple[Origin, ...] = ()
    digits: NDArray[np.int64] | None = None
    priors: NDArray[np.float64] | None = None
    unreadable: tuple[Unreadable, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def n_digits(self) -> int:
        """The number of pictures that show a class."""
        return int((self.labels != NON_DIGIT).sum())

    @cached_property
    def fingerprint(self) -> str:
        """The SHA-256 of pictures, labels, class names and repeats, in hexadecimal."""
        digest = hashlib.sha256("\0".join(self.class_names).encode())
        digest.update(np.ascontiguousarray(self.labels).data)
        if self.hashes:
            digest.update("".join(self.hashes).encode())
        else:
            digest.update(np.ascontiguousarray(self.images).data)
        if self.repeats is not None:
            digest.update(self.repeats.data)
        return digest.hexdigest()

    @cached_property
    def source_hashes(self) -> tuple[str, ...]:
        """The hash of each source's pictures, which identifies the source under any path."""
        return self.hashes or (hashlib.sha256(np.ascontiguousarray(self.images).data).hexdigest(),)

    def name_of(self, index: int) -> str:
        """Return where a picture comes from; see `Origin.name_of`. Raises IndexError if unknown."""
        return name_in(self.origins, index)

    @property
    def files(self) -> list[str | None]:
        """The path of each picture that has a file of its own, else None, (n,)."""
        files: list[str | None] = []
        for origin in self.origins:
            if origin.places is None or isinstance(origin.places, np.ndarray):
                files += [None] * origin.length
            else:
                files += origin.places
        return files or [None] * len(self)

    def followed_by(self, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> "Dataset":
        """Return this data set with images (m, 28, 28) and labels (m,) appended.

        The result has no repeats, hashes, remarks or origins.
        """
        return Dataset(
            np.concatenate([self.images, images]),
            np.concatenate([self.labels, labels]),
            self.class_names,
        )

    def transposed(self) -> "Dataset":
        """Return the data set with rows and columns of its pictures exchanged, as a copy."""
        return replace(self, images=np.ascontiguousarray(self.images.transpose(0, 2, 1)))

    def renumbered(self, class_names: tuple[str, ...], source: str) -> "Dataset":
        """Return the data set with labels that are indices into the given `class_names`.

        Names correspond if they stand for the same answer. Raises DataError, which names `source`,
        for a class without a corresponding name.
        """
        if self.class_names == class_names:
            return self
        index_of = {normalise_name(name): index for index, name in enumerate(class_names)}
        for name in self.class_names:
            if normalise_name(name) not in index_of:
                known = join_names(class_names)
                raise DataError(f"{source}: expected classes among {known}; found {name!r}")
        indices = np.array([index_of[normalise_name(name)] for name in self.class_names])
        labels = np.where(self.labels == NON_DIGIT, NON_DIGIT, indices[self.labels])
        return replace(self, labels=labels, class_names=class_names)


@dataclass(frozen=True, eq=False, repr=False)
class Data:
    """The contents of a path: a training set and, if the path has them, a test and validation set.

    validation: pictures to choose the best epoch by, instead of held-out training pictures.
    """

    training: Dataset
    test: Dataset | None = None
    validation: Dataset | None = None

    @property
    def sets(self) -> tuple[Dataset, ...]:
        """The sets that exist."""
        return tuple(
            each for each in (self.training, self.validation, self.test) if each is not None
        )

    def map(self, change: Callable[[Dataset], Dataset]) -> "Data":
        """Return the data with `change` applied to each set."""
        return Data(
            change(self.training),
            None if self.test is None else change(self.test),
            None if self.validation is None else change(self.validation),
        )

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of all that training learns from and chooses by, in hexadecimal."""
        if self.validation is None:
            return self.training.fingerprint
        both = self.training.fingerprint + self.validation.fingerprint
        return hashlib.sha256(both.encode()).hexdigest()

    def transposed(self) -> "Data":
        """Return all sets with rows and columns of their pictures exchanged."""
        return self.map(Dataset.transposed)


def as_tuple(paths: Paths) -> tuple[str, ...]:
    """Return one or several paths as a tuple."""
    return (paths,) if isinstance(paths, str) else paths


def join_paths(paths: Paths) -> str:
    """Return one or several paths as text for a message."""
    return join_names(as_tuple(paths))
