"""Show what a network learned from: training pictures and their distortions."""

from typing import NamedTuple

import numpy as np

from digitnet.arrays import PIXELS, SIDE
from digitnet.errors import CheckpointError
from digitnet.model.checkpoint import Checkpoint
from digitnet.model.data import training_config
from digitnet.model.examples import Examples
from digitnet.report.sprites import sprite_sheet
from digitnet.synthetic.distortions import Distorter, Distortions

COLUMNS = 13  # training pictures side by side
ROWS = 4  # of them, or of the pictures and their distortions


class Strip(NamedTuple):
    """A picture of training pictures. url: PNG as a data URL. text: what it shows."""

    url: str
    text: str


def training_strip(checkpoint: Checkpoint, training: Examples | None) -> Strip | None:
    """Return a strip of training pictures; None if there are too few.

    With distortions, the first row is as it is, and each other row is distorted anew at full
    strength, as in the first epoch.
    """
    rng = np.random.default_rng(3)
    distortions = _distortions(checkpoint)
    count = COLUMNS if distortions else COLUMNS * ROWS
    if training is None or len(training.indices) < count:
        return None
    chosen = training.dataset.images[rng.choice(training.indices, count, replace=False)]
    if not distortions:
        return Strip(sprite_sheet(chosen, COLUMNS).url, "Some of the training pictures.")
    distort, rows = Distorter(distortions), [chosen]
    for _ in range(ROWS - 1):
        out = np.empty((COLUMNS, PIXELS), np.float32)
        distort(chosen.reshape(COLUMNS, PIXELS), out, rng)
        rows.append(np.rint(out).clip(0, 255).astype(np.uint8).reshape(COLUMNS, SIDE, SIDE))
    text = (
        f"{COLUMNS} training pictures; below each, it is distorted {ROWS - 1} times as in the "
        "first epoch."
    )
    return Strip(sprite_sheet(np.concatenate(rows), COLUMNS).url, text)


def _distortions(checkpoint: Checkpoint) -> Distortions:
    """Return the distortions of a model's training; none if its config does not tell."""
    import msgspec

    try:
        amounts = msgspec.structs.asdict(training_config(checkpoint).augment)
    except CheckpointError:
        return Distortions()
    del amounts["final"]
    return Distortions(**amounts)
