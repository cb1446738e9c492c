"""Save and load checkpoints: a model, with or without the state of its training, as `.npz`.

The file is a plain archive of arrays, never a pickle. `weights_0`, `biases_0`, … are the model.
Structured values are JSON in text arrays. Arrays named `state_…` let training resume.
"""

import json
import os
import re
import time
from dataclasses import dataclass, field, replace
from io import BufferedReader
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitnet.arrays import PIXELS
from digitnet.dataset.classes import MAX_CLASS_NAME, MAX_CLASSES, same_answer
from digitnet.errors import CheckpointError
from digitnet.model.calibration import (
    MAX_EVIDENCE,
    MAX_TEMPERATURE,
    MIN_TEMPERATURE,
    NO_CALIBRATION,
    Calibration,
)
from digitnet.model.landscape import InvalidLandscape, Landscape, from_arrays, to_arrays
from digitnet.network.activations import ACTIVATIONS
from digitnet.network.costs import COSTS
from digitnet.network.network import Network
from digitnet.npz import NpzError, member_names, read_archive
from digitnet.paths import SHIPPED_NAME, TEMPORARY, kind_of, replace_file, why_missing
from digitnet.version import __version__

FORMAT_VERSION = 2
PREPARATION = "mnist-6"  # name of what `image.prepare` does; models of other names are refused
STATE_PREFIX = "state_"  # of the arrays that only training needs
TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"  # UTC, ISO 8601
TIME_PATTERN = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
MAX_VERSION = 100  # characters


def _now() -> str:
    return time.strftime(TIME_FORMAT, time.gmtime())


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A model, its training data and history and, unless stripped, the state of its training.

    network: has the parameters that were best on validation. config: plain values. data_path,
    data_hash: identify the training data. data_sources: a hash of the pictures per source; empty in
    older files. history: a record per epoch, plain values. state: arrays by name, empty in a
    stripped model. calibration: defaults if the file has none. version: of the digitnet that
    trained the model. created: when training made this checkpoint, UTC. version and created are
    None if an older file has none. start: the model that training started from, with the keys
    `path` and `sha256` and others, plain values; None for random initial parameters. sha256: of the
    file that was loaded, in hexadecimal; empty if it was not asked for. landscape: of the finished
    training; None if the training has not ended, had it turned off, or was an older digitnet's.
    """

    network: Network
    config: dict[str, Any]
    class_names: tuple[str, ...]
    data_path: str | tuple[str, ...]
    data_hash: str
    history: list[dict[str, Any]]
    state: dict[str, NDArray[Any]] = field(default_factory=dict)
    preparation: str = PREPARATION
    calibration: Calibration = NO_CALIBRATION
    data_sources: tuple[str, ...] = ()
    version: str | None = __version__
    created: str | None = field(default_factory=_now)
    start: dict[str, Any] | None = None
    sha256: str = ""
    landscape: Landscape | None = None


def save_checkpoint(path: str, checkpoint: Checkpoint, suffix: str = TEMPORARY) -> None:
    """Write a checkpoint to `path` atomically; see `replace_file`, also for `suffix`.

    Raises OutputError if writing fails; the old file is then unchanged.
    """
    arrays: dict[str, Any] = {"format_version": np.int64(FORMAT_VERSION)}
    for l, (W, b) in enumerate(zip(checkpoint.network.weights, checkpoint.network.biases)):
        arrays[f"weights_{l}"], arrays[f"biases_{l}"] = W, b
    for name, number in checkpoint.calibration._asdict().items():
        arrays[name] = np.float64(number)
    arrays["config"] = json.dumps(checkpoint.config)
    arrays["preparation"] = checkpoint.preparation
    arrays["class_names"] = np.array(checkpoint.class_names)
    data = {"path": checkpoint.data_path, "hash": checkpoint.data_hash}
    arrays["data"] = json.dumps(data | {"sources": checkpoint.data_sources})
    arrays["history"] = json.dumps(checkpoint.history)
    origin = {"version": checkpoint.version, "created": checkpoint.created}
    arrays["origin"] = json.dumps(origin | {"start": checkpoint.start})
    if checkpoint.landscape is not None:
        arrays |= to_arrays(checkpoint.landscape)
    arrays |= {STATE_PREFIX + name: array for name, array in checkpoint.state.items()}
    with replace_file(path, suffix) as file:
        np.savez(file, allow_pickle=False, **arrays)


def is_checkpoint(path: str) -> bool:
    """Return whether a file is a digitnet checkpoint of any version, even damaged or truncated.

    Raises OSError if the file cannot be read.
    """
    names = member_names(path)
    return names == ["format_version"] or {"format_version", "weights_0"} <= set(names)


def load_checkpoint(
    path: str | os.PathLike[str], *, with_state: bool = False, hashed: bool = False
) -> Checkpoint:
    """Return the model in a file and, with `with_state`, the state of its training.

    hashed: also compute the sha256 of the file that is read, even if another one replaces it.
    Raises CheckpointError, with the file and the array's name, for a missing or invalid file.
    """
    path = os.fspath(path)
    try:
        kind = kind_of(path)
        if kind is None:
            advice = "" if os.path.islink(path) else f"; {SHIPPED_NAME!r} is the model that ships"
            raise CheckpointError(f"{path}: {why_missing(path)}{advice}")
        if kind != "file":
            raise CheckpointError(f"{path}: expected a model file, found a folder or device")
        with open(path, "rb") as file:
            checkpoint = _to_checkpoint(read_archive(file, None if with_state else STATE_PREFIX))
            return replace(checkpoint, sha256=_sha256(file)) if hashed else checkpoint
    except (NpzError, _InvalidArrays, InvalidLandscape) as error:
        raise CheckpointError(f"{path}: {error}") from None
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read: {error.strerror or error}") from None


def _sha256(file: BufferedReader) -> str:
    from hashlib import file_digest  # loads OpenSSL: slow to start

    file.seek(0)
    return file_digest(file, "sha256").hexdigest()


class _InvalidArrays(Exception):
    """The arrays of a checkpoint are invalid; the message says how."""


def _to_checkpoint(arrays: dict[str, NDArray[Any]]) -> Checkpoint:
    version = arrays.get("format_version")
    if version is None or version.dtype != np.int64 or version.shape != ():
        raise _InvalidArrays("expected a digitnet model, found other arrays")
    if version != FORMAT_VERSION:
        is_newer = version > FORMAT_VERSION
        advice = "install a newer digitnet" if is_newer else "train the model again"
        raise _InvalidArrays(
            f"format_version: expected {FORMAT_VERSION}, found {version}; {advice}"
        )
    config, data = _json(arrays, "config", dict), _json(arrays, "data", dict)
    path, data_hash, sources = data.get("path"), data.get("hash"), data.get("sources", [])
    paths = tuple(path) if isinstance(path, list) else (path,)
    hashes = (data_hash, *sources) if isinstance(sources, list) else (None,)
    if not paths or not all(isinstance(text, str) for text in (*paths, *hashes)):
        raise _InvalidArrays("data: expected a path, a hash and hashes of sources, found others")
    preparation = _text(arrays, "preparation")
    if preparation != PREPARATION:
        found = f"found {preparation!r:.40}; train the model again"
        raise _InvalidArrays(f"preparation: expected {PREPARATION}, {found}")
    network = _network(arrays, config)
    return Checkpoint(
        network,
        config,
        _class_names(arrays, network.layer_sizes[-1]),
        paths if isinstance(path, list) else paths[0],
        data_hash,
        _json(arrays, "history", list),
        {
            name.removeprefix(STATE_PREFIX): array
            for name, array in arrays.items()
            if name.startswith(STATE_PREFIX)
        },
        preparation,
        Calibration(
            _number(arrays, "temperature", MIN_TEMPERATURE, MAX_TEMPERATURE, 1.0),
            _number(arrays, "min_confidence", 0.0, 1.0, 0.0),
            _number(arrays, "min_evidence", 0.0, MAX_EVIDENCE, 0.0),
        ),
        tuple(sources),
        *_origin(arrays),
        landscape=from_arrays(arrays, len(network.parameters)),
    )


def _origin(
    arrays: dict[str, NDArray[Any]],
) -> tuple[str | None, str | None, dict[str, Any] | None]:
    """Return version, time and start; None for each that the file does not have."""
    origin = _json(arrays, "origin", dict) if "origin" in arrays else {}
    version, created, start = (origin.get(name) for name in ("version", "created", "start"))
    if version is not None and not (isinstance(version, str) and len(version) <= MAX_VERSION):
        raise _InvalidArrays("origin: version: expected a short text, found something else")
    if created is not None and not (isinstance(created, str) and TIME_PATTERN.fullmatch(created)):
        raise _InvalidArrays("origin: created: expected a time in UTC, found something else")
    if start is not None and not (
        isinstance(start, dict)
        and all(isinstance(start.get(name), str) for name in ("path", "sha256"))
    ):
        raise _InvalidArrays("origin: start: expected a path and a sha256, found something else")
    return version, created, start


def _network(arrays: dict[str, NDArray[Any]], config: dict[str, Any]) -> Network:
    """Return the network that the config describes, with the weights and biases of the arrays."""
    description = config.get("network")
    if not isinstance(description, dict):
        raise _InvalidArrays("config: expected the key network, found none")
    layer_sizes = description.get("layer_sizes")
    if not (
        isinstance(layer_sizes, list)
        and len(layer_sizes) >= 2
        and layer_sizes[0] == PIXELS
        and all(type(size) is int and size >= 1 for size in layer_sizes)
    ):
        raise _InvalidArrays(
            f"config: network.layer_sizes: expected {PIXELS}, then whole numbers of at least 1"
        )
    activation, output = str(description.get("activation")), str(description.get("output"))
    cost = str(config.get("cost"))
    if activation not in ACTIVATIONS or (cost, output) not in COSTS:
        found = f"{activation!r:.20}, {output!r:.20}, {cost!r:.20}"
        raise _InvalidArrays(f"config: expected known activation, output and cost, found {found}")
    for l, (n_in, n_out) in enumerate(pairwise(layer_sizes)):
        _check_array(arrays, f"weights_{l}", (n_out, n_in))
        _check_array(arrays, f"biases_{l}", (n_out,))
    network = Network(layer_sizes, activation=activation, output=output, cost=cost)
    for l, (W, b) in enumerate(zip(network.weights, network.biases)):
        W[:], b[:] = arrays[f"weights_{l}"], arrays[f"biases_{l}"]
    return network


def _check_array(arrays: dict[str, NDArray[Any]], name: str, shape: tuple[int, ...]) -> None:
    array = arrays.get(name)
    if array is None:
        raise _InvalidArrays(f"{name}: expected an array of shape {shape}, found none")
    if array.shape != shape:
        raise _InvalidArrays(f"{name}: expected shape {shape}, found {array.shape}")
    if array.dtype != np.float32:
        raise _InvalidArrays(f"{name}: expected float32, found {array.dtype}")
    if not np.isfinite(array).all():
        raise _InvalidArrays(f"{name}: expected finite numbers, found NaN or infinity")


def _number(
    arrays: dict[str, NDArray[Any]], name: str, lowest: float, highest: float, default: float
) -> float:
    array = arrays.get(name)
    if array is None:
        return default
    if array.dtype != np.float64 or array.shape != ():
        found = f"{array.dtype} {array.shape}"
        raise _InvalidArrays(f"{name}: expected a float64 scalar, found {found}")
    if not lowest <= array <= highest:
        raise _InvalidArrays(f"{name}: expected {lowest:g} to {highest:g}, found {array}")
    return float(array)


def _class_names(arrays: dict[str, NDArray[Any]], classes: int) -> tuple[str, ...]:
    names = arrays.get("class_names")
    if names is None or names.dtype.kind != "U" or names.shape != (classes,):
        raise _InvalidArrays(f"class_names: expected {classes} texts, found something else")
    if classes > MAX_CLASSES:
        raise _InvalidArrays(
            f"class_names: expected at most {MAX_CLASSES:,} names, found {classes:,}"
        )
    texts = tuple(names.tolist())
    longest = max(map(len, texts))
    if longest > MAX_CLASS_NAME:
        found = f"found a name of {longest:,}"
        raise _InvalidArrays(
            f"class_names: expected names of at most {MAX_CLASS_NAME} characters, {found}"
        )
    if same := same_answer(texts):
        first, second = map(repr, same)
        found = f"found {first:.40} and {second:.40}"
        raise _InvalidArrays(f"class_names: expected a different answer for each class, {found}")
    return texts


def _text(arrays: dict[str, NDArray[Any]], name: str) -> str:
    array = arrays.get(name)
    if array is None or array.dtype.kind != "U" or array.shape != ():
        raise _InvalidArrays(f"{name}: expected text, found something else")
    return str(array)


def _json(arrays: dict[str, NDArray[Any]], name: str, kind: type) -> Any:
    try:
        value = json.loads(_text(arrays, name))
    except (ValueError, RecursionError):
        raise _InvalidArrays(f"{name}: expected JSON, found something else") from None
    if not isinstance(value, kind):
        raise _InvalidArrays(f"{name}: expected a JSON {kind.__name__}, found something else")
    return value
