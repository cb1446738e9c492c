"""Gather what a report is about: a model, and the pictures it is measured on and learned from."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from digitnet.dataset.definition import NON_DIGIT, Paths, ReadOptions
from digitnet.model.checkpoint import Checkpoint
from digitnet.model.examples import choose_examples, evaluate_model
from digitnet.report.figures import Figures


class Subject(NamedTuple):
    """A model with the figures of its evaluation.

    path: of the model's file. figures: None without labelled pictures. learned: training pictures,
    uint8 (n, 28, 28); empty if they are not at hand.
    """

    path: str
    checkpoint: Checkpoint
    figures: Figures | None
    learned: NDArray[np.uint8]


def gather(path: str, checkpoint: Checkpoint, data: Paths | None, options: ReadOptions) -> Subject:
    """Return a model with its evaluation on `data`, or on its own data if that is None.

    Raises DataError for data that is missing or cannot be used.
    """
    examples = choose_examples(checkpoint, data, options=options)
    figures = Figures(examples, evaluate_model(checkpoint, examples))
    if data is not None:
        return Subject(path, checkpoint, figures, without_pictures())
    training = choose_examples(checkpoint, data, "train", options)
    labels = training.dataset.labels[training.indices]
    learned = training.indices[labels != NON_DIGIT]
    return Subject(path, checkpoint, figures, training.dataset.images[learned[:1000]])


def without_pictures() -> NDArray[np.uint8]:
    """Return no pictures, uint8 (0, 28, 28)."""
    return np.empty((0, 28, 28), np.uint8)
