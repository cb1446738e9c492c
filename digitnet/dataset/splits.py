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
    images = dataset.images
    unseen = {hash(images[i].tobytes()) for i in validation}  # a few bytes for each, not 784
    if unseen:
        learned = (hash(images[i].tobytes()) not in unseen for i in training)
        training = training[np.fromiter(learned, np.bool_, len(training))]
    return training, validation
