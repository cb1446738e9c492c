"""Start from a trained model: its network, its parameters, its classes and its calibration."""

import json
from dataclasses import dataclass
from typing import Any

import msgspec

from digitnet.config.definition import Config
from digitnet.config.reader import to_config
from digitnet.dataset.classes import has_all_classes
from digitnet.errors import CheckpointError, ConfigError
from digitnet.model.checkpoint import Checkpoint, load_checkpoint
from digitnet.model.locations import locate_model
from digitnet.network.network import Network


@dataclass(frozen=True)
class Start:
    """The model that a training started from.

    path: as in the config. sha256: of the file. keeps_output: whether its output layer and its
    calibration are kept, because the classes are the same or some of them. sources: hashes of the
    data that it had learned from.
    """

    path: str
    sha256: str
    keeps_output: bool
    sources: tuple[str, ...]


def load_start(path: str) -> Checkpoint:
    """Return the model to start from. Raises CheckpointError for a missing or invalid file."""
    try:
        return load_checkpoint(locate_model(path), hashed=True)
    except CheckpointError as error:
        raise CheckpointError(f"start: {error}") from None


def classes_after(checkpoint: Checkpoint, class_names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the class names of a training that starts from a model, on data with `class_names`.

    The model's own class names if the data has no others, else those of the data.
    """
    known = checkpoint.class_names
    return known if has_all_classes(known, class_names) else class_names


def adopt_network(config: Config, model: dict[str, Any], classes: int) -> Config:
    """Return the config with network and cost of a model's config, and an output per class.

    Raises ConfigError if the config describes another network or cost.
    """
    values, network = msgspec.to_builtins(config), model["network"]
    network = {name: network[name] for name in ("layer_sizes", "activation", "output")}
    network["layer_sizes"] = (*network["layer_sizes"][:-1], classes)
    expected = {f"network.{name}": value for name, value in network.items()}
    expected["cost"] = model["cost"]
    given = {f"network.{name}": value for name, value in values["network"].items()}
    given["cost"] = values["cost"]
    for key, value in expected.items():
        if given[key] not in (None, (), value):
            wanted, found = (json.dumps(each).strip('"') for each in (value, given[key]))
            problem = f"expected {wanted}, as in the start, or nothing, found {found}"
            raise ConfigError(key, problem)
    return to_config(values | {"network": network, "cost": model["cost"]})


def copy_parameters(start: Network, network: Network, *, keeps_output: bool) -> None:
    """Copy the parameters of all layers, or of the hidden layers only."""
    n = len(start.parameters) if keeps_output else len(start.parameters) - start.matrices[-1].size
    network.parameters[:n] = start.parameters[:n]
