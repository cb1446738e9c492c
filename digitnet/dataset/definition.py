"""What a data set is: pictures, labels and the names of the classes."""

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitnet.dataset.classes import DIGITS, identity
from digitnet.dataset.conventions import to_mnist
from digitnet.errors import DataError, listed

SIDE = 28  # pixels
NON_DIGIT = -1  # label of a picture that shows none of the classes
Paths = str | tuple[str, ...]  # where pictures are: a file or folder, or several


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Labelled pictures: images uint8 (n, 28, 28), 0 paper to 255 ink; labels int64 (n,).

    A label is an index into `class_names`, or NON_DIGIT. times: how often each picture is to be
    learned from in an epoch, int64 (n,); None for once. parts: hashes that identify the pictures
    however they are prepared: of the files of a folder, or of each of several sources; none for
    arrays. remarks: lines for the user on pixels that were brought to this convention.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    class_names: tuple[str, ...] = DIGITS
    repeats: NDArray[np.int64] | None = None
    hashes: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the pictures, labels, class names and times, in hexadecimal."""
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
        """The hash of the pictures of each source, which identifies it under any path."""
        return self.hashes or (hashlib.sha256(np.ascontiguousarray(self.images).data).hexdigest(),)

    def followed_by(self, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> "Dataset":
        """The same pictures, once each, and after them others (m, 28, 28) with labels (m,)."""
        return Dataset(
            np.concatenate([self.images, images]),
            np.concatenate([self.labels, labels]),
            self.class_names,
        )

    def transposed(self) -> "Dataset":
        """Return the pictures with rows and columns exchanged, in memory."""
        return replace(self, images=np.ascontiguousarray(self.images.transpose(0, 2, 1)))

    def renumbered(self, class_names: tuple[str, ...], source: str) -> "Dataset":
        """The same pictures with labels that are indices into another tuple of names.

        Classes correspond where they stand for the same answer. Raises DataError, naming `source`,
        for a class that corresponds to none of the names.
        """
        if self.class_names == class_names:
            return self
        places = {identity(name): place for place, name in enumerate(class_names)}
        for name in self.class_names:
            if identity(name) not in places:
                known = listed(class_names)
                raise DataError(f"{source}: expected classes among {known}; found {name!r}")
        indices = np.array([places[identity(name)] for name in self.class_names])
        return replace(self, labels=indices[self.labels], class_names=class_names)


@dataclass(frozen=True, eq=False, repr=False)
class Data:
    """What a path holds: pictures to train on and, where it has such a split, to test on."""

    training: Dataset
    test: Dataset | None

    def transposed(self) -> "Data":
        """Return both with rows and columns of the pictures exchanged."""
        return Data(self.training.transposed(), self.test and self.test.transposed())


def as_tuple(paths: Paths) -> tuple[str, ...]:
    """Return one or several paths as a tuple."""
    return (paths,) if isinstance(paths, str) else paths


def join_paths(paths: Paths) -> str:
    """Paths in a message."""
    return listed(as_tuple(paths))


def digits(
    images_name: str, images: NDArray[Any], labels_name: str, labels: NDArray[Any]
) -> Dataset:
    """A data set of digits, or a DataError that says what is wrong with which array.

    Images of unsigned bytes are not copied, unless they follow another convention than MNIST's;
    those of other whole numbers are, into such.
    """
    for name, array in ((images_name, images), (labels_name, labels)):
        if not np.issubdtype(array.dtype, np.integer):
            cure = "; multiply pixels up to 1 by 255, then .astype('uint8')" * (
                array.dtype.kind == "f"
            )
            raise DataError(f"{name}: expected whole numbers, found the type {array.dtype}{cure}")
    if images.shape[1:] not in ((SIDE, SIDE), (SIDE * SIDE,)):
        size = "×".join(map(str, images.shape[1:])) or "single numbers"
        raise DataError(f"{images_name}: expected pictures of {SIDE}×{SIDE} pixels, found {size}")
    if labels.ndim != 1:
        raise DataError(
            f"{labels_name}: expected labels in one row, found the shape {labels.shape}"
        )
    if len(images) != len(labels):
        raise DataError(
            f"{labels_name}: expected {len(images):,} labels, one for each picture of "
            f"{images_name}; found {len(labels):,}"
        )
    if len(images) == 0:
        raise DataError(f"{images_name}: expected pictures, found none")
    if images.dtype != np.uint8:
        if images.min() < 0 or images.max() > 255:
            raise DataError(f"{images_name}: expected pixels from 0 to 255, found others")
        images = images.astype(np.uint8)
    outside = np.flatnonzero((labels < 0) | (labels > 9))
    if len(outside):
        at = int(outside[0])
        raise DataError(
            f"{labels_name}: picture {at + 1:,}: expected a label from 0 to 9, found {labels[at]}"
        )
    images, remarks = to_mnist(images_name, images.reshape(-1, SIDE, SIDE))
    return Dataset(images, labels.astype(np.int64), remarks=remarks)
