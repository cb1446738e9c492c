"""Detect pictures that are stored transposed: the shipped model reads them both ways."""

import numpy as np

from digitnet.dataset.classes import DIGITS
from digitnet.dataset.definition import Dataset
from digitnet.errors import CheckpointError
from digitnet.model.checkpoint import load_checkpoint
from digitnet.model.locations import SHIPPED

SAMPLE_SIZE = 200  # pictures, spread evenly over the data set
MIN_PICTURES = 20  # pictures: fewer do not decide
MIN_ACCURACY_GAIN = 0.25  # accuracy: a smaller gain from transposing may be chance


def transposition(dataset: Dataset) -> str | None:
    """Return `expected …, found …` if the shipped model reads far more digits when transposed.

    Return None if the pictures are upright, too few, or not digits.
    """
    if dataset.class_names != DIGITS or len(dataset) < MIN_PICTURES:
        return None
    try:
        network = load_checkpoint(SHIPPED).network
    except CheckpointError:  # the preparation has changed, and the model is not yet trained anew
        return None
    chosen = np.linspace(0, len(dataset) - 1, min(SAMPLE_SIZE, len(dataset))).astype(int)
    images, labels = dataset.images[chosen], dataset.labels[chosen]
    as_stored, exchanged = (
        float((network(view).argmax(axis=1) == labels).mean())
        for view in (images, images.transpose(0, 2, 1))
    )
    if exchanged < as_stored + MIN_ACCURACY_GAIN:
        return None
    return (
        f"expected upright digits, found {exchanged:.0%} answered correctly with rows and columns "
        f"exchanged, {as_stored:.0%} as stored"
    )
