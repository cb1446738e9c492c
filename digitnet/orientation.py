"""Find out whether pictures are stored transposed, by reading them both ways."""

import numpy as np

from digitnet.checkpoint import SHIPPED, load_checkpoint
from digitnet.dataset import Dataset
from digitnet.dataset.definition import DIGITS

SAMPLE = 200  # pictures, spread over the set
FEWEST = 20  # pictures: fewer are no evidence
MARGIN = 0.25  # of accuracy; of MNIST, 0.99 is read upright, 0.19 transposed


def transposed_remark(dataset: Dataset, *, transposed: bool) -> str | None:
    """Return a line for the user if the model that ships reads far more of the digits transposed.

    transposed: whether the set was read with `data.transposed` already.
    """
    if dataset.class_names != DIGITS or len(dataset) < FEWEST:
        return None
    chosen = np.linspace(0, len(dataset) - 1, min(SAMPLE, len(dataset))).astype(int)
    images, labels = dataset.images[chosen], dataset.labels[chosen]
    network = load_checkpoint(SHIPPED).network
    as_stored, exchanged = (
        float((network(view).argmax(axis=1) == labels).mean())
        for view in (images, images.transpose(0, 2, 1))
    )
    if exchanged < as_stored + MARGIN:
        return None
    value = "false" if transposed else "true"
    return (
        f"expected upright digits, found {exchanged:.0%} read right with rows and columns "
        f"exchanged, {as_stored:.0%} as they are; train with data.transposed: {value}"
    )
