"""Gather what every exported file holds: the model, facts about it, and a sample picture."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from digitnet.arrays import FloatArray
from digitnet.model.calibration import evidence, probabilities
from digitnet.model.description import describe
from digitnet.model.prediction import Model
from digitnet.version import __version__

SAMPLE = Path(__file__).with_name("sample.png")  # data/pictures/four.png, prepared
FACTS = (  # keys of `describe`
    "model_sha256",
    "version",
    "created",
    "layer_sizes",
    "activation",
    "output",
    "preparation",
    "temperature",
    "min_confidence",
    "min_evidence",
)


class Sample(NamedTuple):
    """A prepared picture and the answer to it, by which an exported file is checked.

    image: uint8 (28, 28). outputs: of the network, float32 (classes,). label: the likeliest class,
    from 0. probabilities: (classes,), sum 1. evidence: nats; see `calibration.evidence`.
    """

    image: NDArray[np.uint8]
    outputs: FloatArray
    label: int
    probabilities: NDArray[np.float64]
    evidence: float


class Contents(NamedTuple):
    """What an exported file holds.

    facts: JSON values by name; text may hold any character. Names whose value is unknown are left
    out.
    """

    model: Model
    sample: Sample
    facts: dict[str, Any]


def contents_of(model: Model) -> Contents:
    """Return what the export of a model holds."""
    image = sample_image()
    with np.errstate(over="ignore", invalid="ignore"):  # huge weights overflow
        outputs = model.network(image[np.newaxis])
    return Contents(model, sample_of(image, outputs, model), facts_of(model))


def sample_image() -> NDArray[np.uint8]:
    """Return a prepared picture of a 4, uint8 (28, 28)."""
    from PIL import Image

    with Image.open(SAMPLE) as picture:
        return np.array(picture)


def sample_of(image: NDArray[np.uint8], outputs: FloatArray, model: Model) -> Sample:
    """Return a picture as the sample of a network that gives `outputs` (1, classes) for it."""
    p = probabilities(outputs, model.calibration.temperature)[0]
    nats = evidence(outputs, model.network.min_output)
    return Sample(image, outputs[0], int(p.argmax()), p, float(nats[0]))


def facts_of(model: Model) -> dict[str, Any]:
    """Return what a file says about its model, and which digitnet wrote the file."""
    described = describe(model.checkpoint)
    facts = {name: described[name] for name in FACTS if described[name] is not None}
    return {"exported_by": f"digitnet {__version__}", **facts}
