"""Pack what the page's script needs: the network, pictures and the landscape, as JSON."""

import base64
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitnet.arrays import FloatArray
from digitnet.model.checkpoint import Checkpoint
from digitnet.model.landscape import Landscape
from digitnet.network.network import Network
from digitnet.report.figures import Figures
from digitnet.report.sprites import Sheet

MAX_FLOAT32 = 450_000  # parameters: larger networks are packed as float16
MAX_SNAPSHOTS = 14  # networks of earlier epochs on the page
SCALE_QUANTILE = 0.995  # of a layer's activations on the samples: this is drawn as fully active
NO_PICTURES: dict[str, list[float]] = {"labels": [], "digits": [], "priors": []}


def is_rounded(network: Network) -> bool:
    """Return whether the page holds the parameters as float16."""
    return len(network.parameters) > MAX_FLOAT32


def content(checkpoint: Checkpoint, figures: Figures | None, samples: Sheet) -> dict[str, Any]:
    """Return the values that the script reads. samples: the sheet of `figures.samples`."""
    network, calibration = checkpoint.network, checkpoint.calibration
    kind = "float16" if is_rounded(network) else "float32"
    return {
        "model": {
            "sizes": list(network.layer_sizes),
            "activation": network.names[0],
            "output": network.names[1],
            "class_names": list(checkpoint.class_names),
            "scales": _scales(network, figures),
            **calibration._asdict(),
        },
        "kind": kind,
        "weights": [packed(Wb.T, kind) for Wb in network.matrices],
        "reach": np.round(
            np.linalg.norm(network.weights[0].astype(np.float64), axis=1), 3
        ).tolist(),
        "samples": _samples(figures, samples),
        "mistakes": _mistakes(figures),
        "landscape": _landscape(checkpoint),
        "snapshots": _snapshots(network, checkpoint.landscape),
    }


def packed(array: FloatArray, kind: str) -> str:
    """Return an array as base64 of little-endian float32 or float16, within the range of these."""
    most = np.finfo(kind).max
    array = array.clip(-most, most)
    data = np.ascontiguousarray(array.astype(np.dtype(kind).newbyteorder("<")))
    return base64.b64encode(data.tobytes()).decode()


def _scales(network: Network, figures: Figures | None) -> list[float]:
    """Return the activation of each layer that is drawn as fully active."""
    if figures is None:
        return [1.0] * (len(network.layer_sizes) - 1)
    images = figures.images(figures.samples)
    with np.errstate(over="ignore", invalid="ignore"):  # huge weights overflow
        layers = network.activations(images)[1:]
        scales = [float(np.quantile(np.abs(a), SCALE_QUANTILE)) for a in layers]
    return [scale if 0 < scale < math.inf else 1.0 for scale in scales]


def _landscape(checkpoint: Checkpoint) -> dict[str, Any] | None:
    """Return the grid of costs, and the path with its costs and accuracies; what it starts with."""
    landscape = checkpoint.landscape
    if landscape is None:
        return None
    return {
        "start": "the model it started from" if checkpoint.start else "random start",
        "grid": [[float(f"{cost:.4g}") for cost in row] for row in landscape.grid.tolist()],
        "path": np.round(landscape.path.astype(np.float64), 4).tolist(),
        "costs": [float(f"{cost:.4g}") for cost in landscape.costs.tolist()],
        "accuracies": np.round(landscape.accuracies.astype(np.float64), 4).tolist(),
        "epochs": landscape.epochs.tolist(),
    }


def _snapshots(network: Network, landscape: Landscape | None) -> dict[str, Any] | None:
    """Return the networks of some epochs as float16; None for a network that is too large."""
    if landscape is None or not len(landscape.snapshots):
        return None
    shown = np.linspace(0, len(landscape.snapshots) - 1, MAX_SNAPSHOTS).round()
    chosen = np.unique(shown.astype(np.int64))
    return {
        "epochs": landscape.snapshot_epochs[chosen].tolist(),
        "weights": [
            [packed(Wb.T, "float16") for Wb in network.matrices_of(snapshot)]
            for snapshot in landscape.snapshots[chosen]
        ],
    }


def _samples(figures: Figures | None, sheet: Sheet) -> dict[str, Any]:
    if figures is None:
        return {"png": "", "split": "", **NO_PICTURES}
    shown, split = figures.samples, figures.examples.split or ""
    return {"png": sheet.url, "split": split, **_pictures(figures, shown)}


def _mistakes(figures: Figures | None) -> dict[str, Any]:
    """Return the wrong answers; the style sheet has their pictures."""
    if figures is None:
        return {**NO_PICTURES, "answers": [], "confidences": []}
    shown, result = figures.shown_mistakes, figures.evaluation
    return {
        **_pictures(figures, shown),
        "answers": result.answers[shown].tolist(),
        "confidences": np.round(result.confidences[shown], 4).tolist(),
    }


def _pictures(figures: Figures, positions: NDArray[np.int64]) -> dict[str, list[float]]:
    """Return the labels of pictures, and what their preparation found: digits and priors."""
    indices, dataset = figures.evaluation.indices, figures.examples.dataset
    assert indices is not None
    at, n = indices[positions], len(dataset)
    digits = np.ones(n, np.int64) if dataset.digits is None else dataset.digits
    priors = np.zeros(n) if dataset.priors is None else dataset.priors
    labels = figures.evaluation.labels[positions]
    return {
        "labels": labels.tolist(),
        "digits": digits[at].tolist(),
        "priors": priors[at].tolist(),
    }
