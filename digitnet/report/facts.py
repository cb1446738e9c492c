"""Tell what a model is, and the commands that make it again."""

import copy
import os
import shlex
from typing import Any

from digitnet.config.definition import PATH_KEYS
from digitnet.dataset.definition import Paths, as_tuple
from digitnet.model.checkpoint import Checkpoint
from digitnet.model.description import describe
from digitnet.model.locations import SHIPPED
from digitnet.paths import SHIPPED_NAME


def model_name(path: str) -> str:
    """Return what the report calls a model: its file's name, without folders."""
    return "the model that ships" if path == SHIPPED else _name(path)


def data_names(paths: Paths) -> str:
    """Return the names of files and folders of pictures, without the folders that they are in."""
    return ", ".join(dict.fromkeys(map(_name, as_tuple(paths))))


def _name(path: str) -> str:
    return os.path.basename(os.path.normpath(path)) or path


def architecture(checkpoint: Checkpoint) -> str:
    """Return the layers of a model: 784–16–16–10."""
    return "–".join(map(str, checkpoint.network.layer_sizes))


def facts(checkpoint: Checkpoint) -> dict[str, str]:
    """Return what a model is, label by label; labels without a text are left out."""
    about = describe(checkpoint)
    seconds, start = about["seconds"], about["start"]
    epochs = f"{about['epochs']:,} epochs"
    texts = {
        "Layers": architecture(checkpoint),
        "Activation": f"{about['activation']}, then {about['output']}",
        "Cost": about["cost"].replace("_", " "),
        "Parameters": f"{about['parameters']:,}",
        "Training": epochs if seconds is None else f"{epochs}, {seconds:,.1f} s without validating",
        "Start": start and f"{_name(start['path'])}, SHA-256 {start['sha256']}",
        "Data": data_names(checkpoint.data_path),
        "Data’s SHA-256": about["data"]["hash"],
        "Temperature": f"{about['temperature']:.3f}",
        "Answers ?": _thresholds(about["min_confidence"], about["min_evidence"]),
        "Trained": about["created"],
        "digitnet": about["version"],
    }
    return {label: str(text) for label, text in texts.items() if text}


def _thresholds(min_confidence: float, min_evidence: float) -> str:
    if not (min_confidence or min_evidence):
        return "never: too few pictures were held out to fit thresholds"
    return (
        f"below a confidence of {min_confidence:.4f} or evidence of {min_evidence:.2f} nats, "
        "or where not exactly one digit was found"
    )


def report_command(path: str) -> str:
    """Return the command that made the report of a model."""
    return f"digitnet report -m {SHIPPED_NAME if path == SHIPPED else _argument(_name(path))}"


def commands(path: str) -> str:
    """Return the commands that train, evaluate and report the model again."""
    name = _argument("model.npz" if path == SHIPPED else _name(path))
    return (
        f"digitnet train --config config.yaml -o {name}\n"
        f"digitnet evaluate -m {name}\n"
        f"digitnet report -m {name}"
    )


def _argument(name: str) -> str:
    """Return a file's name as an argument of a shell's command."""
    return shlex.quote(f"./{name}" if name.startswith("-") else name)


def config_text(checkpoint: Checkpoint) -> str:
    """Return the config of a model as YAML; paths without the folders that they are in."""
    try:
        return _as_yaml(checkpoint.config)
    except RecursionError:
        return "# nested too deeply to be shown"


def _as_yaml(config: dict[str, Any]) -> str:
    import yaml

    config = copy.deepcopy(config)
    for path_key in PATH_KEYS:
        *sections, key = path_key.split(".")
        values: Any = config
        for section in sections:
            values = values.get(section) if isinstance(values, dict) else None
        if isinstance(values, dict) and values.get(key):
            values[key] = _without_folders(values[key])
    return str(yaml.safe_dump(config, sort_keys=False, allow_unicode=True))


def _without_folders(paths: object) -> object:
    if isinstance(paths, list | tuple):
        return [_without_folders(path) for path in paths]
    return _name(paths) if isinstance(paths, str) else paths
