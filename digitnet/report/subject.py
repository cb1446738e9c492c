"""Gather what a report is about: a model, and the pictures it is measured on and learned from."""

import contextlib
from collections.abc import Callable
from typing import NamedTuple

from digitnet.dataset.definition import Paths, ReadOptions
from digitnet.errors import CheckpointError, DataError
from digitnet.model.checkpoint import Checkpoint
from digitnet.model.examples import Examples, evaluate_model, read_labelled
from digitnet.report.figures import Figures

GATHERING_STEPS = 2


class Subject(NamedTuple):
    """A model with the figures of its evaluation.

    path: of the model's file. figures: None without labelled pictures.
    training: the pictures that the model learned from, if they are at hand.
    """

    path: str
    checkpoint: Checkpoint
    figures: Figures | None = None
    training: Examples | None = None


def gather(
    path: str,
    checkpoint: Checkpoint,
    data: Paths | None,
    options: ReadOptions,
    begin: Callable[[str], None],
) -> Subject:
    """Return a model with its evaluation.

    data: pictures to measure the model on; None: the data that it was trained on. begin: called
    with the name of each of the GATHERING_STEPS steps when the step begins. Raises DataError for
    data that is missing or cannot be used.
    """
    begin("reading the pictures")
    labelled = read_labelled(checkpoint, data, options)
    examples = labelled.examples()
    begin("evaluating the model")
    figures = Figures(examples, evaluate_model(checkpoint, examples))
    training = None
    with contextlib.suppress(DataError, CheckpointError):  # other or changed data, or an old config
        training = labelled.examples("train")
    return Subject(path, checkpoint, figures, training)
