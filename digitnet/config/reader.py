"""A config file and the overrides upon it to a checked `Config`, or to one line on its mistake."""

import copy
import json
import os
import re
from collections.abc import Sequence
from typing import Any

import msgspec

from digitnet.config.definition import (
    LEARNING_RATES,
    OPTIMIZER_KEYS,
    Config,
    OptimizerSection,
    schema,
)
from digitnet.config.keys import REMOVED, nearest_key, section_of
from digitnet.config.source import Source
from digitnet.config.values import suggestion
from digitnet.errors import ConfigError, DataError
from digitnet.paths import absolute, kind_of

PIXELS = 784  # as in `arrays`, which loads NumPy
MODEL = "model.npz"
UNFIT = re.compile(  # the field's name may be any text
    r"Object (contains unknown|missing required) field `(.*?)`(?: - at `\$[\w.\[\]]*`)?", re.DOTALL
)


def read_config(path: str | os.PathLike[str], overrides: Sequence[str] = ()) -> Config:
    """The config in a YAML file, with each KEY=VALUE of `overrides` put in its place.

    Raises ConfigError, `FILE:LINE: KEY: expected …, found …`, for the first thing that is wrong.
    """
    source = Source(os.fspath(path), overrides)
    source.tree.setdefault("model", os.path.join(os.path.dirname(absolute(path)), MODEL))
    try:
        return to_config(source.tree)
    except ConfigError as error:
        raise ConfigError(error.key, error.problem, source.place(error.key)) from None


def locate(
    error: ConfigError, path: str | os.PathLike[str], overrides: Sequence[str]
) -> ConfigError:
    """The same error with the place in the file, or the override, that its key came from."""
    return ConfigError(
        error.key, error.problem, Source(os.fspath(path), overrides).place(error.key)
    )


def locate_data(
    error: DataError, config: Config, path: str | os.PathLike[str], overrides: Sequence[str]
) -> DataError:
    """Return the error with the place that `data.path` came from and, if missing, its folder."""
    place = Source(os.fspath(path), overrides).place("data.path")
    paths = config.data.path
    missing = any(map(_is_missing, (paths,) if isinstance(paths, str) else paths))
    base = (
        "on the command line, a relative path starts from the current folder"
        if place.startswith("--set ")
        else "in a config, a relative path starts from the folder of the config"
    )
    return DataError(f"{place}: data.path: {error}{'; ' + base if missing else ''}")


def _is_missing(path: str) -> bool:
    try:
        return kind_of(path) is None
    except OSError:  # the error at hand says why
        return False


def to_config(values: dict[str, Any]) -> Config:
    """Plain values, as YAML or JSON has them, as a `Config`; ConfigError if they are none."""
    try:
        config = msgspec.convert(values, Config)
    except msgspec.ValidationError as error:
        raise _explained(str(error), values) from None
    first = config.network.layer_sizes[0]
    if first != PIXELS:
        raise ConfigError(
            "network.layer_sizes",
            f"expected {PIXELS} first, one for each of the 28×28 pixels, found {first}",
        )
    training = config.training
    if training.batch_norm and training.minibatch_size == 1:
        raise ConfigError("training.minibatch_size", "expected at least 2 with batch_norm, found 1")
    if len(config.network.layer_sizes) == 2:
        for name in ("dropout", "batch_norm"):
            if value := getattr(training, name):
                problem = f"expected none without hidden layers, found {json.dumps(value)}"
                raise ConfigError(f"training.{name}", problem)
    optimizer = _with_rate(training.optimizer)
    return msgspec.structs.replace(
        config, training=msgspec.structs.replace(training, optimizer=optimizer)
    )


def saved_config(values: dict[str, Any]) -> Config:
    """Return the config that a checkpoint holds, perhaps of an earlier version.

    Removed keys are dropped if they were off. Raises ConfigError for a key that this version does
    not have, or for a wrong value.
    """
    training = values.get("training")
    if isinstance(training, dict):
        kept = {
            name: value
            for name, value in training.items()
            if (key := f"training.{name}") not in REMOVED or value != REMOVED[key]
        }
        values = values | {"training": kept}
    return to_config(values)


def _with_rate(optimizer: OptimizerSection) -> OptimizerSection:
    """The optimizer with its own learning rate where none was given, and with no other's keys."""
    for field in msgspec.structs.fields(optimizer):
        value = getattr(optimizer, field.name)
        of_others = field.name not in ("name", "learning_rate", *OPTIMIZER_KEYS[optimizer.name])
        if of_others and value != field.default:
            problem = f"expected none with {optimizer.name}, found {json.dumps(value)}"
            raise ConfigError(f"training.optimizer.{field.name}", problem)
    if optimizer.nesterov and not optimizer.momentum:
        raise ConfigError(
            "training.optimizer.nesterov", "expected a momentum above 0 with it, found 0"
        )
    if optimizer.learning_rate is not None:
        return optimizer
    rate = LEARNING_RATES[optimizer.name]
    return msgspec.structs.replace(optimizer, learning_rate=rate)


def _explained(message: str, values: dict[str, Any]) -> ConfigError:
    """What msgspec found wrong, as the key's path, what the definition expects, and the value.

    Of its message only the path (`$.training.epochs`) and an unknown field's name are used.
    """
    steps = _steps(message)
    key = ".".join(step for step in steps if not step.isdigit())
    field = UNFIT.fullmatch(message)
    if field:
        full = f"{key}.{field[2]}" if key else field[2]
        if field[1] == "contains unknown":
            removed = "no such key: digitnet no longer has it"
            expected = removed if full in REMOVED else nearest_key(key, field[2])
            return ConfigError(full, f"expected {expected}, found {field[2]!r:.60}")
        return ConfigError(full, f"expected {_expectation(_schema_at(full))}, found nothing")
    found: Any = values
    for step in steps:
        found = found[int(step) if isinstance(found, list) else step]
    part = _schema_at(key, [step for step in steps if step.isdigit()])
    shown = json.dumps(found, ensure_ascii=False)
    keys = tuple(part.get("properties", ()))
    name = key.rpartition(".")[2]
    advice = suggestion(name, found, keys, lambda meant: _fits(values, steps, meant))
    return ConfigError(
        key,
        f"expected {_expectation(part)}, "
        f"found {shown if len(shown) < 60 else shown[:57] + '…'}{advice}",
    )


def _steps(message: str) -> list[str]:
    """The keys and indices on the way to the place that msgspec names."""
    path = re.search(r" - at `\$\.?([\w.\[\]]*)`$", message)
    return re.findall(r"[^.\[\]]+", path[1]) if path else []


def _fits(values: dict[str, Any], steps: list[str], meant: Any) -> bool:
    """Whether nothing would be wrong at a place, or below it, with another value there."""
    values = copy.deepcopy(values)
    *way, last = steps
    section: Any = values
    for step in way:
        section = section[int(step) if isinstance(section, list) else step]
    section[int(last) if isinstance(section, list) else last] = meant
    try:
        msgspec.convert(values, Config)
    except msgspec.ValidationError as error:
        return _steps(str(error))[: len(steps)] != steps
    return True


def _schema_at(key: str, items: Sequence[str] = ()) -> dict[str, Any]:
    """The part of the JSON Schema that describes a key, or an item of the list that it holds."""
    part = schema()
    for name in key.split(".") if key else ():
        part = section_of(part)["properties"][name]
    for _ in items:
        part = next(option for option in part.get("anyOf", [part]) if "items" in option)["items"]
    return part if "type" in part or "anyOf" in part or "enum" in part else section_of(part)


def _expectation(part: dict[str, Any]) -> str:
    """A part of the schema in words, such as "a whole number of at least 1"."""
    if "anyOf" in part:
        options = [option for option in part["anyOf"] if option.get("type") != "null"]
        return " or ".join(_expectation(option) for option in options)
    if "enum" in part:
        return " or ".join(", ".join(map(str, part["enum"])).rsplit(", ", 1))
    items = part.get("items", {}).get("type")
    words = {
        "integer": "a whole number",
        "number": "a number",
        "string": "text",
        "boolean": "true or false",
        "array": "a list",
        "object": "the keys " + ", ".join(part.get("properties", ())),
    }[part["type"]]
    bounds = {
        "minimum": "of at least {}",
        "maximum": "at most {}",
        "exclusiveMinimum": "above {}",
        "exclusiveMaximum": "below {}",
        "minItems": "of at least {} " + ("texts" if items == "string" else "numbers"),
    }
    said = [text.format(part[bound]) for bound, text in bounds.items() if bound in part]
    return " ".join([words, " and ".join(said)]).rstrip()
