"""Training and validation examples, drawn so that no picture is in both."""

import numpy as np
from numpy.typing import NDArray

from digitnet.dataset.definition import Dataset

Indices = NDArray[np.int64]


def split_indices(
    dataset: Dataset, held_out: int, *, rng: np.random.Generator
) -> tuple[Indices, Indices]:
    """Return the indices of examples to learn from and, drawn at random, of `held_out` others.

    Both ascend. An example whose picture is held out under another index, with whatever label, is
    in neither: validation measures pictures that the network has not seen.
    """
    order = rng.permutation(len(dataset))
    validation, training = np.sort(order[:held_out]), np.sort(order[held_out:])
    if held_out:
        keys = _keys(dataset)
        training = training[~np.isin(keys[training], keys[validation])]
    return training, validation


def _keys(dataset: Dataset) -> NDArray[np.int64]:
    """Return a number for each picture, (n,), that equal pictures share, in this process."""
    pixels = dataset.images.reshape(len(dataset), -1)
    return np.fromiter((hash(row.tobytes()) for row in pixels), np.int64, len(dataset))
