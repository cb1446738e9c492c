"""Turn a config file and its overrides into a checked `Config`, or into a one-line error."""

import copy
import json
import os
import re
from collections.abc import Sequence
from typing import Any

import msgspec

from digitnet.config.definition import (
    DEFAULT_COST,
    LEARNING_RATES,
    NETWORK_DEFAULTS,
    OPTIMIZER_KEYS,
    PATH_KEYS,
    Config,
    NetworkSection,
    OptimizerSection,
    schema,
)
from digitnet.config.keys import REMOVED, nearest_key, section_of
from digitnet.config.source import DEFAULT_MODEL, MAX_DIGITS, Source, resolve_paths
from digitnet.config.values import suggest
from digitnet.errors import ConfigError, DataError
from digitnet.paths import kind_of

PIXELS = 784  # inputs of the network, as in `arrays`, which imports NumPy
LABEL = "<label>"  # in `data.label_pattern`
MAX_STARS = 3  # in `data.label_pattern`: more could take long to match
FIELD_ERROR = re.compile(  # msgspec's message; the name of an unknown field may be any text
    r"Object (contains unknown|missing required) field `(.*?)`(?: - at `\$[\w.\[\]]*`)?", re.DOTALL
)


def read_config(path: str | os.PathLike[str], overrides: Sequence[str] = ()) -> Config:
    """Return the config in a YAML file, with the `KEY=VALUE` overrides applied.

    path: of the file, or the name of a config that comes with digitnet, such as `own`. Raises
    ConfigError, `FILE:LINE: KEY: expected …, found …`, for the first mistake.
    """
    source = Source(os.fspath(path), overrides)
    try:
        return to_config(source.tree)
    except ConfigError as error:
        raise ConfigError(error.key, error.problem, source.place(error.key)) from None


def resolve_config(config: Config | dict[str, Any] | str | os.PathLike[str]) -> Config:
    """Return the checked config: of a YAML file's path, of a dict with its keys, or of a Config.

    Relative paths in a dict or a Config start from the working directory. Raises ConfigError.
    """
    if isinstance(config, Config):
        values = msgspec.to_builtins(config, enc_hook=_plain_value)
        if not config.network.layer_sizes:  # the start's
            del values["network"]["layer_sizes"]
    elif isinstance(config, dict):
        values = config
    else:
        return read_config(config)
    values = {"model": DEFAULT_MODEL, **_plain_value(values)}
    resolve_paths(values, PATH_KEYS, "")
    return to_config(values)


def _plain_value(value: Any, key: str = "") -> Any:
    """Return a copy of a Python value in the kinds that YAML has.

    NumPy's numbers and arrays become numbers and lists, paths become text. Raises ConfigError for
    what no YAML file can say: keys that are not text, and numbers that are not finite or too long.
    """
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, dict):
        for name in value:
            if not isinstance(name, str):
                raise ConfigError(key, f"expected a key, found {name!r:.60}")
        prefix = f"{key}." if key else ""
        return {name: _plain_value(item, prefix + name) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain_value(item, key) for item in value]
    if isinstance(value, float) and value - value != 0:
        raise ConfigError(key, f"expected a finite number, found {value}")
    if isinstance(value, int) and abs(value) >= 10**MAX_DIGITS:
        raise ConfigError(key, f"expected a number of at most {MAX_DIGITS} digits, found more")
    return value


def locate(
    error: ConfigError, path: str | os.PathLike[str], overrides: Sequence[str]
) -> ConfigError:
    """Return the error with the line of the file, or the override, that set its key."""
    return ConfigError(
        error.key, error.problem, Source(os.fspath(path), overrides).place(error.key)
    )


def locate_data(
    error: DataError, config: Config, path: str | os.PathLike[str], overrides: Sequence[str]
) -> DataError:
    """Return the error with the place that set the path of the data.

    If a path does not exist, the message also says which folder relative paths start from.
    """
    source = Source(os.fspath(path), overrides)
    place = source.place(error.key)
    paths = config.data.path if error.key == "data.path" else ()
    missing = any(map(_is_missing, (paths,) if isinstance(paths, str) else paths))
    base = (
        "on the command line, a relative path starts from the current folder"
        if place.startswith("--set ")
        else "name your data with --set data.path=PATH"
        if source.is_named
        else "in a config, a relative path starts from the folder of the config"
    )
    return DataError(f"{place}: {error.key}: {error}{'; ' + base if missing else ''}")


def _is_missing(path: str) -> bool:
    try:
        return kind_of(path) is None
    except OSError:  # the error that is being located says why
        return False


def to_config(values: dict[str, Any]) -> Config:
    """Return the `Config` of plain values, as YAML or JSON has them.

    Raises ConfigError for the first mistake.
    """
    try:
        config = msgspec.convert(values, Config)
    except msgspec.ValidationError as error:
        raise _explain(str(error), values) from None
    _check_pattern(config.data.label_pattern)
    if (shards := config.training.shards) > config.training.minibatch_size:
        most = f"expected at most training.minibatch_size, {config.training.minibatch_size}"
        raise ConfigError("training.shards", f"{most}, found {shards}; lower it, or raise that")
    if config.training.batch_norm and shards > 1 and 2 * shards > config.training.minibatch_size:
        most = f"expected at most half of training.minibatch_size, {config.training.minibatch_size}"
        found = f"found {shards}: batch_norm needs 2 pictures in each shard"
        raise ConfigError("training.shards", f"{most}, {found}")
    network, training = config.network, config.training
    if config.start is None:
        config = _complete_network(config)
        if training.freeze:
            problem = f"expected 0 without start, found {training.freeze}"
            raise ConfigError("training.freeze", problem)
    elif training.batch_norm:
        problem = "expected false with start, whose weights contain its normalisation, found true"
        raise ConfigError("training.batch_norm", problem)
    if network.layer_sizes and network.layer_sizes[0] != PIXELS:
        first = network.layer_sizes[0]
        raise ConfigError(
            "network.layer_sizes",
            f"expected {PIXELS} first, one for each of the 28×28 pixels, found {first}",
        )
    if training.batch_norm and training.minibatch_size == 1:
        raise ConfigError("training.minibatch_size", "expected at least 2 with batch_norm, found 1")
    if len(network.layer_sizes) == 2:
        for name in ("dropout", "batch_norm"):
            if value := getattr(training, name):
                problem = f"expected no {name} without hidden layers, found {json.dumps(value)}"
                raise ConfigError(f"training.{name}", problem)
    optimizer = _complete_optimizer(training.optimizer)
    return msgspec.structs.replace(
        config, training=msgspec.structs.replace(training, optimizer=optimizer)
    )


def _check_pattern(pattern: str | None) -> None:
    """Raise ConfigError unless a pattern is None, or has one label and a few stars."""
    if pattern is None:
        return
    if pattern.count(LABEL) != 1 or pattern.count("*") > MAX_STARS:
        problem = f"expected {LABEL} once and at most {MAX_STARS} *, as in {LABEL}_*"
        raise ConfigError("data.label_pattern", f"{problem}, found {pattern!r:.60}")


def _complete_network(config: Config) -> Config:
    """Return the config with the defaults of network and cost.

    Raises ConfigError if the network has no layers.
    """
    if not config.network.layer_sizes:
        key = "network" if config.network == NetworkSection() else "network.layer_sizes"
        problem = f"expected {_describe(_schema_at(key))}, found nothing"
        raise ConfigError(key, problem)
    given = {
        name: getattr(config.network, name) or default for name, default in NETWORK_DEFAULTS.items()
    }
    network = msgspec.structs.replace(config.network, **given)
    return msgspec.structs.replace(config, network=network, cost=config.cost or DEFAULT_COST)


def saved_config(values: dict[str, Any]) -> Config:
    """Return the config of a checkpoint, which an earlier version may have written.

    Keys that were removed since are dropped if they were off. Raises ConfigError for other unknown
    keys and for wrong values.
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


def _complete_optimizer(optimizer: OptimizerSection) -> OptimizerSection:
    """Return the optimizer with its default learning rate if none is set.

    Raises ConfigError for a key that belongs to other optimizers only.
    """
    for field in msgspec.structs.fields(optimizer):
        value = getattr(optimizer, field.name)
        is_foreign = field.name not in ("name", "learning_rate", *OPTIMIZER_KEYS[optimizer.name])
        if is_foreign and value != field.default:
            found = json.dumps(value)
            problem = f"expected no {field.name} with {optimizer.name}, found {found}"
            raise ConfigError(f"training.optimizer.{field.name}", problem)
    if optimizer.nesterov and not optimizer.momentum:
        raise ConfigError(
            "training.optimizer.nesterov", "expected momentum above 0 with nesterov, found 0"
        )
    if optimizer.learning_rate is not None:
        return optimizer
    rate = LEARNING_RATES[optimizer.name]
    return msgspec.structs.replace(optimizer, learning_rate=rate)


def _explain(message: str, values: dict[str, Any]) -> ConfigError:
    """Return the error for a message of msgspec: the key, the expected kind and the value found.

    Only the path (`$.training.epochs`) and the name of an unknown field come from the message.
    """
    steps = _steps(message)
    key = ".".join(step for step in steps if not step.isdigit())
    field = FIELD_ERROR.fullmatch(message)
    if field:
        full = f"{key}.{field[2]}" if key else field[2]
        if field[1] == "contains unknown":
            if field[2] in {removed.rpartition(".")[2] for removed in REMOVED}:
                problem = f"expected no {field[2]}, which digitnet no longer has, found it"
                return ConfigError(full, f"{problem}; delete the key")
            expected = nearest_key(key, field[2])
            return ConfigError(full, f"expected {expected}, found {field[2]!r:.60}")
        return ConfigError(full, f"expected {_describe(_schema_at(full))}, found nothing")
    found: Any = values
    for step in steps:
        found = found[int(step) if isinstance(found, list) else step]
    part = _schema_at(key, [step for step in steps if step.isdigit()])
    shown = json.dumps(found, ensure_ascii=False, default=repr)
    keys = tuple(part.get("properties", ()))
    name = key.rpartition(".")[2]
    advice = suggest(name, found, keys, lambda meant: _fits(values, steps, meant))
    return ConfigError(
        key,
        f"expected {_describe(part)}, "
        f"found {shown if len(shown) < 60 else shown[:57] + '…'}{advice}",
    )


def _steps(message: str) -> list[str]:
    """Return the keys and list indices of the path in a message of msgspec."""
    path = re.search(r" - at `\$\.?([\w.\[\]]*)`$", message)
    return re.findall(r"[^.\[\]]+", path[1]) if path else []


def _fits(values: dict[str, Any], steps: list[str], meant: Any) -> bool:
    """Return whether the values have no mistake at or below `steps` if `meant` stands there."""
    values = copy.deepcopy(values)
    *parents, last = steps
    section: Any = values
    for step in parents:
        section = section[int(step) if isinstance(section, list) else step]
    section[int(last) if isinstance(section, list) else last] = meant
    try:
        msgspec.convert(values, Config)
    except msgspec.ValidationError as error:
        return _steps(str(error))[: len(steps)] != steps
    return True


def _schema_at(key: str, items: Sequence[str] = ()) -> dict[str, Any]:
    """Return the part of the JSON Schema for a key, or for an item of the key's list.

    items: the list indices below the key; only their number counts.
    """
    part = schema()
    for name in key.split(".") if key else ():
        part = section_of(part)["properties"][name]
    for _ in items:
        part = next(option for option in part.get("anyOf", [part]) if "items" in option)["items"]
    return part if "type" in part or "anyOf" in part or "enum" in part else section_of(part)


def _describe(part: dict[str, Any]) -> str:
    """Return a part of the schema in words, such as "a whole number of at least 1"."""
    if "anyOf" in part:
        options = [option for option in part["anyOf"] if option.get("type") != "null"]
        return " or ".join(_describe(option) for option in options)
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
    limits = [text.format(part[bound]) for bound, text in bounds.items() if bound in part]
    return " ".join([words, " and ".join(limits)]).rstrip()
