"""A subject of a report with known answers, without data on disk."""

from typing import Any

import numpy as np

from digitnet.dataset.classes import DIGITS
from digitnet.dataset.definition import Dataset, Origin
from digitnet.model.calibration import Calibration
from digitnet.model.checkpoint import Checkpoint
from digitnet.model.evaluation import Evaluation
from digitnet.model.examples import Examples
from digitnet.network.network import Network
from digitnet.report.figures import Figures
from digitnet.report.subject import Subject

HISTORY = [
    {
        "epoch": epoch,
        "training": {"cost": 1 / epoch},
        "validation": {"cost": 1.1 / epoch, "accuracy": 1 - 0.2 / epoch},
        "seconds": 1.0,
        "images_per_second": 1000.0,
    }
    for epoch in range(1, 31)
]


def make_checkpoint(names: tuple[str, ...] = DIGITS, **changes: Any) -> Checkpoint:
    """Return a network 784-6-classes with random parameters as a checkpoint."""
    network = Network([784, 6, len(names)])
    network.initialise(rng=np.random.default_rng(1))
    config = {
        "data": {"path": "/home/someone/digits", "validation": 10},
        "network": {"layer_sizes": [784, 6, len(names)], "activation": "sigmoid"},
        "cost": "quadratic",
        "model": "/home/someone/model.npz",
    }
    values = {
        "network": network,
        "config": config,
        "class_names": names,
        "data_path": "/home/someone/digits",
        "data_hash": "ab" * 32,
        "history": HISTORY,
        "calibration": Calibration(1.0, 0.4, 0.5),
        "created": "2026-01-02T03:04:05Z",
    }
    return Checkpoint(**(values | changes))


def make_figures(labels: list[int], answers: list[int], names: tuple[str, ...] = DIGITS) -> Figures:
    """Return figures of pictures with these labels and answers; picture k has the grey k + 1.

    The first answer has the confidence 0.99, each later one has less.
    """
    n = len(labels)
    images = np.zeros((n, 28, 28), np.uint8)
    images += (np.arange(n) % 255 + 1).astype(np.uint8)[:, np.newaxis, np.newaxis]
    origins = (Origin("digits", n, "digits.npy"),)
    dataset = Dataset(images, np.array(labels), names, origins=origins)
    confidences = 0.99 - np.arange(n) / 1000
    evaluation = Evaluation(
        0.5,
        np.array(labels),
        np.array(answers),
        confidences,
        len(names),
        origins=origins,
        indices=np.arange(n),
    )
    return Figures(Examples("/home/someone/digits", "test", dataset, np.arange(n)), evaluation)


def make_subject(**changes: Any) -> Subject:
    """Return a subject with 40 pictures, four of which are answered wrongly."""
    labels = [k % 10 for k in range(40)]
    answers = labels.copy()
    answers[3], answers[13], answers[9], answers[24] = 5, 5, 4, 9
    checkpoint = make_checkpoint(**changes)
    return Subject("/home/someone/model.npz", checkpoint, make_figures(labels, answers))
