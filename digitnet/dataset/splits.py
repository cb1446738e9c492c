"""Training and validation examples, drawn so that no picture is in both."""

import numpy as np
from numpy.typing import NDArray

from digitnet.dataset.definition import Dataset
from digitnet.randomness import Purpose, generator

Indices = NDArray[np.int64]


def split_indices(dataset: Dataset, held_out: int, *, seed: int) -> tuple[Indices, Indices]:
    """Return the indices of the training and of the validation examples, both ascending.

    held_out: how many examples are drawn for validation. A training example with the same pixels as
    a validation example is in neither: validation measures images that the network has not seen.
    """
    order = generator(seed, Purpose.SPLIT).permutation(len(dataset))
    validation, training = np.sort(order[:held_out]), np.sort(order[held_out:])
    images = dataset.images
    unseen = {hash(images[i].tobytes()) for i in validation}  # a few bytes for each, not 784
    if unseen:
        learned = (hash(images[i].tobytes()) not in unseen for i in training)
        training = training[np.fromiter(learned, np.bool_, len(training))]
    return training, validation
