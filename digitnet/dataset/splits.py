"""Split a data set into training and validation, so that no picture is in both."""

import numpy as np
from numpy.typing import NDArray

from digitnet.dataset.definition import Dataset
from digitnet.randomness import Purpose, generator

Indices = NDArray[np.int64]


def split_indices(dataset: Dataset, held_out: int, *, seed: int) -> tuple[Indices, Indices]:
    """Return the indices of the training and of the validation examples, both ascending.

    held_out: the number of examples drawn for validation. Other examples with the same pixels as a
    validation example are in neither split: validation measures pictures the network has not seen.
    """
    order = generator(seed, Purpose.SPLIT).permutation(len(dataset))
    validation, training = np.sort(order[:held_out]), np.sort(order[held_out:])
    images = dataset.images
    hashes = {hash(images[i].tobytes()) for i in validation}  # smaller than 784 bytes per picture
    if hashes:
        is_new = (hash(images[i].tobytes()) not in hashes for i in training)
        training = training[np.fromiter(is_new, np.bool_, len(training))]
    return training, validation
