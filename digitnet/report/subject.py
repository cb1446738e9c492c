"""Gather what a report is about: a model, and the pictures it is measured on and learned from."""

from typing import NamedTuple

from digitnet.dataset.definition import Paths, ReadOptions
from digitnet.model.checkpoint import Checkpoint
from digitnet.model.examples import Examples, choose_examples, evaluate_model
from digitnet.report.figures import Figures


class Subject(NamedTuple):
    """A model with the figures of its evaluation.

    path: of the model's file. figures: None without labelled pictures.
    training: the pictures that the model learned from, if they are at hand.
    """

    path: str
    checkpoint: Checkpoint
    figures: Figures | None = None
    training: Examples | None = None


def gather(path: str, checkpoint: Checkpoint, data: Paths | None, options: ReadOptions) -> Subject:
    """Return a model with its evaluation on `data`, or on its own data if that is None.

    Raises DataError for data that is missing or cannot be used.
    """
    examples = choose_examples(checkpoint, data, options=options)
    figures = Figures(examples, evaluate_model(checkpoint, examples))
    if data is not None:
        return Subject(path, checkpoint, figures)
    training = choose_examples(checkpoint, data, "train", options)
    return Subject(path, checkpoint, figures, training)
