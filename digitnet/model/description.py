"""Describe a model in plain values: what it is, what it has learned from, and who made it."""

import sys
from typing import Any

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


def _best_validation(history: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return epoch, accuracy and cost of the best epoch: by accuracy, then by cost.

    Return None without validation examples. The cost is None if it was not finite.
    """
    found = []
    for epoch, record in enumerate(history, 1):
        measured = record.get("validation") if isinstance(record, dict) else None
        accuracy, cost = _number(measured, "accuracy"), _number(measured, "cost")
        if accuracy is not None:
            found.append({"epoch": epoch, "accuracy": accuracy, "cost": cost})
    return max(found, key=_rank, default=None)


def _rank(measured: dict[str, Any]) -> tuple[float, float]:
    cost = measured["cost"]
    return measured["accuracy"], -sys.float_info.max if cost is None else -cost


def _number(values: object, name: str) -> float | None:
    """Return the finite number of that name in a dict, or None: files may hold anything."""
    value = values.get(name) if isinstance(values, dict) else None
    if isinstance(value, int | float) and abs(value) <= sys.float_info.max:
        return float(value)
    return None
