"""Find out whether pictures are stored transposed, by reading them both ways."""

import numpy as np

from digitnet.dataset.classes import DIGITS
from digitnet.dataset.definition import Dataset
from digitnet.errors import CheckpointError
from digitnet.model.checkpoint import SHIPPED, load_checkpoint

SAMPLE = 200  # pictures, spread over the set
FEWEST = 20  # pictures: fewer are no evidence
MARGIN = 0.25  # of accuracy; of MNIST, 0.99 is read upright, 0.19 transposed


def transposition(dataset: Dataset) -> str | None:
    """Return `expected …, found …` if the model that ships reads far more digits transposed."""
    if dataset.class_names != DIGITS or len(dataset) < FEWEST:
        return None
    try:
        network = load_checkpoint(SHIPPED).network
    except CheckpointError:  # as where the preparation has changed, and that model is to be remade
        return None
    chosen = np.linspace(0, len(dataset) - 1, min(SAMPLE, len(dataset))).astype(int)
    images, labels = dataset.images[chosen], dataset.labels[chosen]
    as_stored, exchanged = (
        float((network(view).argmax(axis=1) == labels).mean())
        for view in (images, images.transpose(0, 2, 1))
    )
    if exchanged < as_stored + MARGIN:
        return None
    return (
        f"expected upright digits, found {exchanged:.0%} read right with rows and columns "
        f"exchanged, {as_stored:.0%} as they are"
    )
