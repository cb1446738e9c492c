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
    return without_copies(dataset, training, dataset, validation), validation


def without_copies(
    training: Dataset, indices: Indices, validation: Dataset, held_out: Indices | None = None
) -> Indices:
    """Return the indices of training pictures that differ from all validation pictures.

    held_out: indices of the validation pictures in `validation`; None for all.
    """
    chosen = range(len(validation)) if held_out is None else held_out
    # smaller than 784 bytes per picture
    hashes = {hash(validation.images[i].tobytes()) for i in chosen}
    if not hashes:
        return indices
    is_new = (hash(training.images[i].tobytes()) not in hashes for i in indices)
    return indices[np.fromiter(is_new, np.bool_, len(indices))]
