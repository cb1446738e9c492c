"""Split a data set into training and validation, so that no picture is in both."""

import numpy as np
from numpy.typing import NDArray

from digitnet.dataset.definition import NON_DIGIT, Dataset
from digitnet.randomness import Purpose, generator

Indices = NDArray[np.int64]


def split_indices(dataset: Dataset, held_out: int, *, seed: int) -> tuple[Indices, Indices]:
    """Return the indices of the training and of the validation examples, both ascending.

    held_out: the number of examples drawn for validation. Non-digits are not drawn. Other examples
    with the same pixels as a validation example are in neither split: validation measures pictures
    the network has not seen.
    """
    is_non_digit = dataset.labels == NON_DIGIT
    digits, non_digits = np.flatnonzero(~is_non_digit), np.flatnonzero(is_non_digit)
    order = generator(seed, Purpose.SPLIT).permutation(len(digits))
    validation = np.sort(digits[order[:held_out]])
    training = np.sort(np.concatenate([digits[order[held_out:]], non_digits]))
    images = dataset.images
    hashes = {hash(images[i].tobytes()) for i in validation}  # smaller than 784 bytes per picture
    if hashes:
        is_new = (hash(images[i].tobytes()) not in hashes for i in training)
        training = training[np.fromiter(is_new, np.bool_, len(training))]
    return training, validation
