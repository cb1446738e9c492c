"""Describe a model in plain values: what it is, what it has learned from, and who made it."""

import sys
from typing import Any, NamedTuple

from digitnet.dataset.classes import as_answer
from digitnet.model.checkpoint import Checkpoint


def describe(checkpoint: Checkpoint) -> dict[str, Any]:
    """Return what a checkpoint tells about its model, as values that JSON can hold.

    The keys are always the same. A value is None where an older file does not have it.
    """
    network, start = checkpoint.network, checkpoint.start
    paths = checkpoint.data_path
    return {
        "model_sha256": checkpoint.sha256 or None,
        "layer_sizes": list(network.layer_sizes),
        "activation": network.names[0],
        "output": network.names[1],
        "cost": checkpoint.config["cost"],
        "parameters": len(network.parameters),
        "classes": [as_answer(name) for name in checkpoint.class_names],
        "preparation": checkpoint.preparation,
        "data": {
            "paths": [paths] if isinstance(paths, str) else list(paths),
            "hash": checkpoint.data_hash,
        },
        "version": checkpoint.version,
        "created": checkpoint.created,
        "start": None if start is None else {name: start[name] for name in ("path", "sha256")},
        "epochs": len(checkpoint.history),
        "seconds": _seconds(checkpoint.history),
        "validation": _best_validation(checkpoint.history),
        **checkpoint.calibration._asdict(),
        "can_resume": bool(checkpoint.state),
    }


def _seconds(history: list[dict[str, Any]]) -> float | None:
    """Return the seconds of all epochs; None if an epoch does not tell."""
    seconds = [_number(record, "seconds") for record in history]
    known = [each for each in seconds if each is not None]
    total = sum(known)
    return total if len(known) == len(seconds) and total <= sys.float_info.max else None


class Measured(NamedTuple):
    """The figures of an epoch; None where the file does not have a finite number."""

    epoch: int
    training_cost: float | None
    cost: float | None
    accuracy: float | None

    def rank(self) -> tuple[float, float]:
        """Return what orders epochs: by accuracy on validation, then by cost."""
        cost = -sys.float_info.max if self.cost is None else -self.cost
        return (-1.0 if self.accuracy is None else self.accuracy), cost


def measured_epochs(history: list[dict[str, Any]]) -> list[Measured]:
    """Return the figures of each epoch of a checkpoint's history, which may hold anything."""
    measured = []
    for epoch, record in enumerate(history, 1):
        record = record if isinstance(record, dict) else {}
        training, validation = record.get("training"), record.get("validation")
        cost, accuracy = (_number(validation, name) for name in ("cost", "accuracy"))
        if accuracy is not None and not 0 <= accuracy <= 1:
            accuracy = None
        measured.append(Measured(epoch, _number(training, "cost"), cost, accuracy))
    return measured


def _best_validation(history: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return epoch, accuracy and cost of the best epoch: by accuracy, then by cost.

    Return None without validation examples. The cost is None if it was not finite.
    """
    known = [each for each in measured_epochs(history) if each.accuracy is not None]
    if not known:
        return None
    best = max(known, key=Measured.rank)
    return {"epoch": best.epoch, "accuracy": best.accuracy, "cost": best.cost}


def _number(values: object, name: str) -> float | None:
    """Return the finite number of that name in a dict, or None: files may hold anything."""
    value = values.get(name) if isinstance(values, dict) else None
    if isinstance(value, int | float) and abs(value) <= sys.float_info.max:
        return float(value)
    return None
