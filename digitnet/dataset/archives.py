"""Read data sets in one `.npz` file, whose arrays are recognised by their names."""

from pathlib import Path
from typing import Any, NamedTuple

from numpy.typing import NDArray

from digitnet.dataset.definition import Data, Dataset, ReadOptions
from digitnet.dataset.shapes import make_dataset
from digitnet.errors import DataError, join_names
from digitnet.npz import NpzError, read_npz

Pair = tuple[str, str]  # names of an array of images and its array of labels


class Names(NamedTuple):
    """The names of the arrays of a data set; test and validation set may be missing."""

    training: Pair
    test: Pair | None = None
    validation: Pair | None = None


NAMES = (  # the first that fit are used
    Names(("x_train", "y_train"), ("x_test", "y_test"), ("x_val", "y_val")),  # Keras
    Names(  # MedMNIST
        ("train_images", "train_labels"),
        ("test_images", "test_labels"),
        ("val_images", "val_labels"),
    ),
    Names(("images", "labels")),
    Names(("data", "target")),  # scikit-learn
    Names(("x", "y")),
    Names(("arr_0", "arr_1"), ("arr_2", "arr_3")),  # numpy.savez without names
)
EXPECTED = (
    "expected the arrays x_train, y_train, x_test, y_test, or images, labels, or "
    "train_images, train_labels"
)


def read_npz_data(path: Path, options: ReadOptions) -> Data:
    """Return the data of an `.npz` file with arrays called as in NAMES, in upper or lower case.

    Raises DataError for other names, and for any wrong array.
    """
    arrays = _read_arrays(path)

    def dataset(pair: Pair | None) -> Dataset | None:
        if pair is None or not arrays.keys() >= set(pair):
            return None
        images, labels = pair
        where = f"{path}: {images}", f"{path}: {labels}"
        return make_dataset(str(path), where[0], arrays[images], where[1], arrays[labels], options)

    for names in NAMES:
        if training := dataset(names.training):
            return Data(training, dataset(names.test), dataset(names.validation))
    raise _names_error(path, arrays, EXPECTED)


def images_in_npz(path: Path) -> tuple[str, NDArray[Any]]:
    """Return the name and the array of the images in an `.npz` file; labels may be missing.

    These are the test images where there are any; else the training images; else the only array.
    Raises DataError for other names.
    """
    arrays = _read_arrays(path)
    for names in NAMES:
        for pair in (names.test, names.training, names.validation):
            if pair and pair[0] in arrays:
                return f"{path}: {pair[0]}", arrays[pair[0]]
    if len(arrays) == 1:
        name, array = next(iter(arrays.items()))
        return f"{path}: {name}", array
    raise _names_error(path, arrays, "expected one array, or images called x_test or images")


def only_array(path: Path) -> NDArray[Any]:
    """Return the only array of an `.npz` file; raises DataError if it has none or several."""
    arrays = _read_arrays(path)
    if len(arrays) != 1:
        raise _names_error(path, arrays, "expected one array")
    return next(iter(arrays.values()))


def _read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Return the arrays by their names in lower case; of two such names, the one in lower case."""
    try:
        arrays = read_npz(path)
    except NpzError as error:
        advice = "; unpack it first" if path.suffix.lower() == ".zip" else ""
        raise DataError(f"{path}: {error}{advice}") from None
    return {name.lower(): arrays[name] for name in sorted(arrays)}


def _names_error(path: Path, arrays: dict[str, NDArray[Any]], expected: str) -> DataError:
    found = join_names([f"{name:.60}" for name in sorted(arrays)]) or "none"
    return DataError(f"{path}: {expected}; found {found}")
