"""Convert arrays of pictures and labels, as people have them, to uint8 (n, 28, 28) and int64 (n,).

Data sets of digits are made of such arrays.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitnet.arrays import SIDE
from digitnet.dataset.conventions import to_bytes, to_mnist
from digitnet.dataset.definition import DEFAULT_OPTIONS, Dataset, Origin, ReadOptions
from digitnet.dataset.drawing import draw
from digitnet.errors import DataError

SIDES = {side * side: side for side in (8, 16, 28, 32)}  # px: sides of pictures, by their pixels
MIN_SIDE = 8  # px: below this, no digit can be read
CLASSES_ADVICE = "for letters or other classes, make a folder of pictures for each class"


def make_dataset(
    file: str,
    images_name: str,
    images: NDArray[Any],
    labels_name: str,
    labels: NDArray[Any],
    options: ReadOptions = DEFAULT_OPTIONS,
    places: NDArray[np.int64] | None = None,
) -> Dataset:
    """Return a data set of digits, with labels from 0 to 9, from arrays of a file.

    images: as for `to_images`. labels: as for `to_labels`. places: int64 (n,), line of each picture
    in a table. Raises DataError, which names the wrong array.
    """
    pictures = to_pictures(images_name, images)
    indices = to_labels(labels_name, labels)
    if len(pictures) != len(indices):
        raise DataError(
            f"{labels_name}: expected {len(pictures):,} labels, one for each picture of "
            f"{images_name}; found {len(indices):,}"
        )
    converted, remarks = to_images(images_name, pictures, options)
    origin = Origin(file, len(converted), file, places)
    return Dataset(converted, indices, remarks=remarks, origins=(origin,))


def to_images(
    name: str, images: NDArray[Any], options: ReadOptions = DEFAULT_OPTIONS
) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """Return pictures as uint8 (n, 28, 28), ink 255 on 0, and a remark for each conversion.

    images: as for `to_pictures`; numbers as for `to_bytes`. uint8 pictures of 28×28 pixels that
    follow MNIST's convention are not copied. name: the name of the array in messages. Raises
    DataError for other arrays, and for no pictures.
    """
    pictures = to_pictures(name, images)
    if not len(pictures):
        raise DataError(f"{name}: expected pictures, found none")
    in_bytes, range_remarks = to_bytes(name, pictures)
    result, remarks = to_mnist(name, in_bytes)
    side = result.shape[1]
    if side != SIDE:
        result = draw(result, options)
        remarks += (
            f"{name}: expected pictures of {SIDE}×{SIDE} pixels, found {side}×{side}; "
            f"digitnet draws them to {SIDE}×{SIDE} as predict reads pictures",
        )
    return result, range_remarks + remarks


def to_pictures(name: str, images: NDArray[Any]) -> NDArray[Any]:
    """Return grey, square pictures as (n, side, side), without a copy where NumPy can do so.

    images: (n, side, side) or, for a side in SIDES, (n, side²); further axes may have the length 1;
    three equal channels may come first or last. Raises DataError for other shapes and for colours.
    """
    if images.ndim == 0:
        raise _shape_error(name, "a single number")
    grey = _without_channels(name, images)
    shape = grey.shape[1:]
    if len(shape) == 1 and shape[0] in SIDES:
        return grey.reshape(len(grey), SIDES[shape[0]], SIDES[shape[0]])
    if len(shape) == 2 and shape[0] == shape[1] >= MIN_SIDE:
        return grey
    found = "×".join(map(str, images.shape[1:])) or "single numbers"
    if images.ndim == 3 and images.shape[0] == images.shape[1] != images.shape[2]:
        found += "; if the last axis counts the pictures, save numpy.moveaxis(images, -1, 0)"
    raise _shape_error(name, found)


def _without_channels(name: str, images: NDArray[Any]) -> NDArray[Any]:
    """Return images without axes of length 1 and without three equal channels."""
    count, *shape = images.shape
    grey = images.reshape(count, *(length for length in shape if length != 1))
    if grey.ndim != 4 or 3 not in (grey.shape[1], grey.shape[3]):
        return grey
    channels = grey if grey.shape[3] == 3 else np.moveaxis(grey, 1, 3)
    for picture in channels:
        if not (picture == picture[:, :, :1]).all():
            axis = -1 if channels is grey else 1
            advice = f"save images.mean(axis={axis}).astype('uint8')"
            raise DataError(f"{name}: expected grey pictures, found colours; {advice}")
    return channels[:, :, :, 0]


def _shape_error(name: str, found: str) -> DataError:
    return DataError(f"{name}: expected pictures of {SIDE}×{SIDE} pixels, found {found}")


def to_labels(name: str, labels: NDArray[Any]) -> NDArray[np.int64]:
    """Return labels as int64 (n,), from 0 to 9.

    labels: (n,) or (n, 1), whole numbers of any type, also as text; or one-hot (n, classes). name:
    the name of the array in messages. Raises DataError, which names the first wrong label.
    """
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.dtype.kind in "SU":
        try:
            labels = labels.astype(np.int64)
        except (ValueError, OverflowError):
            found = "found other text"
            problem = f"expected labels from 0 to 9, {found}; {CLASSES_ADVICE}"
            raise DataError(f"{name}: {problem}") from None
    if labels.dtype.kind not in "biuf":
        raise DataError(f"{name}: expected labels from 0 to 9, found the type {labels.dtype}")
    if labels.ndim == 2 and labels.shape[1] > 1:
        labels = _from_one_hot(name, labels)
    if labels.ndim != 1:
        found = f"found the shape {labels.shape}"
        raise DataError(f"{name}: expected labels in one dimension, or one-hot, {found}")
    wrong = ~((labels >= 0) & (labels <= 9))  # NaN is wrong too
    if labels.dtype.kind == "f":
        wrong |= labels != np.rint(labels)
    if wrong.any():
        first = int(np.flatnonzero(wrong)[0])
        problem = f"expected a label from 0 to 9, found {labels[first]}"
        raise DataError(f"{name}: picture {first + 1:,}: {problem}; {CLASSES_ADVICE}")
    return labels.astype(np.int64)


def _from_one_hot(name: str, labels: NDArray[Any]) -> NDArray[np.int64]:
    """Return one-hot labels (n, classes) as indices (n,)."""
    wrong = (labels.sum(axis=1) != 1) | ((labels != 0) & (labels != 1)).any(axis=1)
    if wrong.any():
        first = int(np.flatnonzero(wrong)[0])
        problem = "expected a single label, or one-hot: a single 1 among zeros"
        raise DataError(f"{name}: picture {first + 1:,}: {problem}")
    indices: NDArray[np.int64] = labels.argmax(axis=1).astype(np.int64)
    return indices
