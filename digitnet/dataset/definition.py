"""Data sets: pictures, labels and class names."""

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitnet.arrays import PIXELS, SIDE
from digitnet.dataset.classes import DIGITS, normalise_name
from digitnet.dataset.conventions import to_mnist
from digitnet.errors import DataError, join_names

NON_DIGIT = -1  # label of a picture that shows no class
Paths = str | tuple[str, ...]  # one or several files or folders of pictures


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Labelled pictures.

    images: uint8 (n, 28, 28), from 0 background to 255 ink.
    labels: int64 (n,), indices into `class_names`, or NON_DIGIT.
    repeats: int64 (n,), how often an epoch uses each picture; None: once.
    hashes: identify pictures that were read from a folder or from several sources, regardless of
        how pictures are prepared: one hash per source; empty for arrays.
    remarks: lines for the user about pixels that were converted to MNIST's convention.
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

    def followed_by(self, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> "Dataset":
        """Return this data set with images (m, 28, 28) and labels (m,) appended.

        The result has no repeats, hashes or remarks.
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
        return replace(self, labels=indices[self.labels], class_names=class_names)


@dataclass(frozen=True, eq=False, repr=False)
class Data:
    """The contents of a path: a training set and, if the path has one, a test set."""

    training: Dataset
    test: Dataset | None

    def transposed(self) -> "Data":
        """Return both sets with rows and columns of their pictures exchanged."""
        return Data(self.training.transposed(), self.test and self.test.transposed())


def as_tuple(paths: Paths) -> tuple[str, ...]:
    """Return one or several paths as a tuple."""
    return (paths,) if isinstance(paths, str) else paths


def join_paths(paths: Paths) -> str:
    """Return one or several paths as text for a message."""
    return join_names(as_tuple(paths))


def make_dataset(
    images_name: str, images: NDArray[Any], labels_name: str, labels: NDArray[Any]
) -> Dataset:
    """Return a data set of digits, with labels from 0 to 9.

    images: whole numbers from 0 to 255, (n, 28, 28) or (n, 784). uint8 images that follow MNIST's
    convention are not copied. labels: whole numbers (n,). Raises DataError, which names the wrong
    array.
    """
    for name, array in ((images_name, images), (labels_name, labels)):
        if not np.issubdtype(array.dtype, np.integer):
            advice = "; multiply pixels up to 1 by 255, then .astype('uint8')" * (
                array.dtype.kind == "f"
            )
            raise DataError(f"{name}: expected whole numbers, found the type {array.dtype}{advice}")
    if images.shape[1:] not in ((SIDE, SIDE), (PIXELS,)):
        size = "×".join(map(str, images.shape[1:])) or "single numbers"
        raise DataError(f"{images_name}: expected pictures of {SIDE}×{SIDE} pixels, found {size}")
    if labels.ndim != 1:
        raise DataError(
            f"{labels_name}: expected labels in one dimension, found the shape {labels.shape}"
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
        first = int(outside[0])
        raise DataError(
            f"{labels_name}: picture {first + 1:,}: expected a label from 0 to 9, "
            f"found {labels[first]}"
        )
    images, remarks = to_mnist(images_name, images.reshape(-1, SIDE, SIDE))
    return Dataset(images, labels.astype(np.int64), remarks=remarks)
