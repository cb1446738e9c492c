"""Measure what int8 costs: the accuracy of a model and of its int8 network on validation."""

from typing import NamedTuple

import numpy as np

from digitnet.dataset.definition import DEFAULT_OPTIONS, NON_DIGIT, ReadOptions
from digitnet.export.quantised import QuantisedNetwork
from digitnet.model.calibration import probabilities
from digitnet.model.evaluation import EVALUATION_MINIBATCH
from digitnet.model.examples import choose_examples
from digitnet.model.prediction import Model


class Accuracy(NamedTuple):
    """Shares of right answers to the same pictures, 0 to 1: of the model, and in int8."""

    images: int
    float32: float
    int8: float

    def __str__(self) -> str:
        return f"int8 {self.int8:.2%}, float32 {self.float32:.2%} of {self.images:,} pictures"


def measure_accuracy(
    model: Model, network: QuantisedNetwork, options: ReadOptions = DEFAULT_OPTIONS
) -> Accuracy:
    """Return the accuracies on the model's own validation split.

    network: the model's, in int8. options: how to read the data. Raises DataError if the data or
    its validation split is missing, and CheckpointError if the model does not say how its data was
    split.
    """
    path = model.checkpoint.data_path
    examples = choose_examples(model.checkpoint, path, "validation", options)
    labels = examples.dataset.labels[examples.indices]
    indices, labels = examples.indices[labels != NON_DIGIT], labels[labels != NON_DIGIT]
    right = np.zeros(2, np.int64)
    for start in range(0, len(indices), EVALUATION_MINIBATCH):
        part = slice(start, start + EVALUATION_MINIBATCH)
        images = examples.dataset.images[indices[part]]
        answers = (model.probabilities(images), probabilities(network(images)))
        right += [(p.argmax(axis=1) == labels[part]).sum() for p in answers]
    float32, int8 = right.tolist()
    return Accuracy(len(labels), float32 / len(labels), int8 / len(labels))
