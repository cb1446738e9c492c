"""A training state or a finished model as an `.npz` file, and back.

A plain archive of arrays, never a pickle: `weights_0`, `biases_0`, … are the model; texts are JSON
in arrays of text; what begins with `state_` is there for training to go on.
"""

import contextlib
import json
import os
import stat
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitnet.arrays import PIXELS
from digitnet.dataset.classes import MAX_CLASS_NAME, MAX_CLASSES, same_answer
from digitnet.errors import CheckpointError, OutputError
from digitnet.model.calibration import HIGHEST, LOWEST, MOST_EVIDENCE, NO_CALIBRATION, Calibration
from digitnet.network.activations import ACTIVATIONS
from digitnet.network.costs import COSTS
from digitnet.network.network import Network
from digitnet.npz import NpzError, member_names, read_npz
from digitnet.paths import kind_of, resolve_output, status_at, why_missing

FORMAT_VERSION = 2
PREPARATION = "mnist-6"  # the name of what `image.prepare` does to a picture
STATE = "state_"
SHIPPED = os.path.join(os.path.dirname(os.path.dirname(__file__)), "model.npz")


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A model with its origin and, unless it was stripped, the state of its training.

    network: holds the parameters that were best on validation. config: as plain values.
    data_path, data_hash: what it was trained on. data_sources: the hash of the pictures of each
    source; older files have none. history: a record per epoch, as plain values. state: arrays by
    name, empty in a finished model. calibration: the default where a file tells nothing of it.
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


def save_checkpoint(path: str, checkpoint: Checkpoint) -> None:
    """Write beside `path`, flush to disk, rename: a reader sees the old file or the new one.

    Raises OutputError, with the old file whole, if that cannot be done.
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
    arrays |= {STATE + name: array for name, array in checkpoint.state.items()}
    path, temporary = resolve_output(path), _temporary(path)
    try:
        discard_unfinished(path)
        old = status_at(path)
        with open(temporary, "xb", opener=_private if old else None) as file:
            if old:
                _keep_access(file.fileno(), old)
            np.savez(file, allow_pickle=False, **arrays)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        _flush_folder(os.path.dirname(path))
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from None
    finally:
        with contextlib.suppress(OSError):
            os.unlink(temporary)


def _private(path: str, flags: int) -> int:
    """Open a new file that only its owner may read until `_keep_access` has said who else may."""
    return os.open(path, flags, 0o600)


def _keep_access(descriptor: int, old: os.stat_result) -> None:
    """Give a new file the owner, group and mode of the old one.

    Where the system permits no other owner or group, the mode is narrowed: a group that the old
    file did not have gets what both the old group and all others had.
    """
    new = os.fstat(descriptor)
    if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
        try:
            os.fchown(descriptor, old.st_uid, old.st_gid)
        except OSError:  # only root may give a file away; its owner may choose one of his groups
            with contextlib.suppress(OSError):
                os.fchown(descriptor, -1, old.st_gid)
        new = os.fstat(descriptor)
    mode = stat.S_IMODE(old.st_mode)
    if new.st_gid != old.st_gid:
        everyone = (mode >> 3) & mode & 0o7
        mode = (mode & 0o700) | everyone << 3 | everyone
    elif new.st_uid != old.st_uid:
        mode &= 0o777  # no set-user-ID for another user
    os.fchmod(descriptor, mode)


def discard_unfinished(path: str) -> None:
    """Remove what somebody left behind who was killed while writing `path`.

    Nobody else may be writing it. Raises OutputError if that cannot be done.
    """
    temporary = _temporary(path)
    try:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
    except OSError as error:
        raise OutputError(f"{temporary}: cannot be removed: {error.strerror}") from None


def _temporary(path: str) -> str:
    return resolve_output(path) + ".tmp"


def _flush_folder(folder: str) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        with contextlib.suppress(OSError):  # nothing was written to it
            os.close(descriptor)


def is_checkpoint(path: str) -> bool:
    """Return whether a file is a digitnet checkpoint of any version, be it damaged or cut short.

    Raises OSError where the file cannot be read.
    """
    names = member_names(path)
    return names == ["format_version"] or {"format_version", "weights_0"} <= set(names)


def load_checkpoint(path: str | os.PathLike[str], *, with_state: bool = False) -> Checkpoint:
    """The model in a file and, if asked for, the state of its training.

    Raises CheckpointError, naming the file and the place, for whatever is missing or wrong.
    """
    path = os.fspath(path)
    try:
        kind = kind_of(path)
        if kind is None:
            raise CheckpointError(f"{path}: {why_missing(path)}")
        if kind != "file":
            raise CheckpointError(f"{path}: expected a model, found something that is no file")
        return _checkpoint(read_npz(path, None if with_state else STATE))
    except (NpzError, _Unsound) as error:
        raise CheckpointError(f"{path}: {error}") from None
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read: {error.strerror or error}") from None


class _Unsound(Exception):
    """What is wrong with the arrays of a checkpoint."""


def _checkpoint(arrays: dict[str, NDArray[Any]]) -> Checkpoint:
    version = arrays.get("format_version")
    if version is None or version.dtype != np.int64 or version.shape != ():
        raise _Unsound("expected a digitnet model, found other arrays")
    if version != FORMAT_VERSION:
        advice = "a newer digitnet reads it" if version > FORMAT_VERSION else "train it again"
        raise _Unsound(f"format_version: expected {FORMAT_VERSION}, found {version}; {advice}")
    config, origin = _json(arrays, "config", dict), _json(arrays, "data", dict)
    path, data_hash, sources = origin.get("path"), origin.get("hash"), origin.get("sources", [])
    paths = tuple(path) if isinstance(path, list) else (path,)
    hashes = (data_hash, *sources) if isinstance(sources, list) else (None,)
    if not paths or not all(isinstance(text, str) for text in (*paths, *hashes)):
        raise _Unsound("data: expected a path, a hash and the hashes of sources, found others")
    preparation = _text(arrays, "preparation")
    if preparation != PREPARATION:
        found = f"found {preparation!r:.40}; train it again"
        raise _Unsound(f"preparation: expected {PREPARATION}, {found}")
    network = _network(arrays, config)
    return Checkpoint(
        network,
        config,
        _class_names(arrays, network.layer_sizes[-1]),
        paths if isinstance(path, list) else paths[0],
        data_hash,
        _json(arrays, "history", list),
        {
            name.removeprefix(STATE): array
            for name, array in arrays.items()
            if name.startswith(STATE)
        },
        preparation,
        Calibration(
            _number(arrays, "temperature", LOWEST, HIGHEST, 1.0),
            _number(arrays, "min_confidence", 0.0, 1.0, 0.0),
            _number(arrays, "min_evidence", 0.0, MOST_EVIDENCE, 0.0),
        ),
        tuple(sources),
    )


def _network(arrays: dict[str, NDArray[Any]], config: dict[str, Any]) -> Network:
    """The network that the config describes, with the weights and biases of the arrays."""
    description = config.get("network")
    if not isinstance(description, dict):
        raise _Unsound("config: expected a network in it, found none")
    layer_sizes = description.get("layer_sizes")
    if not (
        isinstance(layer_sizes, list)
        and len(layer_sizes) >= 2
        and layer_sizes[0] == PIXELS
        and all(type(size) is int and size >= 1 for size in layer_sizes)
    ):
        raise _Unsound(f"config: network.layer_sizes: expected {PIXELS} and more whole numbers")
    activation, output = str(description.get("activation")), str(description.get("output"))
    cost = str(config.get("cost"))
    if activation not in ACTIVATIONS or (cost, output) not in COSTS:
        found = f"{activation!r:.20}, {output!r:.20}, {cost!r:.20}"
        raise _Unsound(f"config: expected known functions, found {found}")
    for l, (n_in, n_out) in enumerate(pairwise(layer_sizes)):
        _check(arrays, f"weights_{l}", (n_out, n_in))
        _check(arrays, f"biases_{l}", (n_out,))
    network = Network(layer_sizes, activation=activation, output=output, cost=cost)
    for l, (W, b) in enumerate(zip(network.weights, network.biases)):
        W[:], b[:] = arrays[f"weights_{l}"], arrays[f"biases_{l}"]
    return network


def _check(arrays: dict[str, NDArray[Any]], name: str, shape: tuple[int, ...]) -> None:
    array = arrays.get(name)
    if array is None:
        raise _Unsound(f"{name}: expected an array of the shape {shape}, found none")
    if array.shape != shape:
        raise _Unsound(f"{name}: expected the shape {shape}, found {array.shape}")
    if array.dtype != np.float32:
        raise _Unsound(f"{name}: expected float32, found {array.dtype}")
    if not np.isfinite(array).all():
        raise _Unsound(f"{name}: expected finite numbers, found others")


def _number(
    arrays: dict[str, NDArray[Any]], name: str, least: float, most: float, default: float
) -> float:
    array = arrays.get(name)
    if array is None:
        return default
    if array.dtype != np.float64 or array.shape != ():
        found = f"{array.dtype} {array.shape}"
        raise _Unsound(f"{name}: expected a float64 without dimensions, found {found}")
    if not least <= array <= most:
        raise _Unsound(f"{name}: expected {least:g} to {most:g}, found {array}")
    return float(array)


def _class_names(arrays: dict[str, NDArray[Any]], classes: int) -> tuple[str, ...]:
    names = arrays.get("class_names")
    if names is None or names.dtype.kind != "U" or names.shape != (classes,):
        raise _Unsound(f"class_names: expected {classes} texts, found something else")
    if classes > MAX_CLASSES:
        raise _Unsound(f"class_names: expected at most {MAX_CLASSES:,} names, found {classes:,}")
    told = tuple(names.tolist())
    longest = max(map(len, told))
    if longest > MAX_CLASS_NAME:
        found = f"found one of {longest:,}"
        raise _Unsound(
            f"class_names: expected names of at most {MAX_CLASS_NAME} characters, {found}"
        )
    if same := same_answer(told):
        one, other = map(repr, same)
        found = f"found {one:.40} and {other:.40}"
        raise _Unsound(f"class_names: expected a different answer for each class, {found}")
    return told


def _text(arrays: dict[str, NDArray[Any]], name: str) -> str:
    array = arrays.get(name)
    if array is None or array.dtype.kind != "U" or array.shape != ():
        raise _Unsound(f"{name}: expected text, found something else")
    return str(array)


def _json(arrays: dict[str, NDArray[Any]], name: str, kind: type) -> Any:
    try:
        value = json.loads(_text(arrays, name))
    except (ValueError, RecursionError):
        raise _Unsound(f"{name}: expected JSON, found something else") from None
    if not isinstance(value, kind):
        raise _Unsound(f"{name}: expected a JSON {kind.__name__}, found something else")
    return value


def find_model(path: str | None) -> str:
    """Which model is meant: the named one, $DIGITNET_MODEL, ./model.npz, or the one that ships.

    Whether it can be read is for `load_checkpoint` to find out: a `model.npz` that cannot be read
    is not passed over. Raises CheckpointError where the second is missing.
    """
    if path is not None:
        return path
    named = os.environ.get("DIGITNET_MODEL")
    if not named:
        return "model.npz" if _may_exist("model.npz") else SHIPPED
    if not _may_exist(named):
        raise CheckpointError(f"{named}: no such file, but $DIGITNET_MODEL names it")
    return named


def _may_exist(path: str) -> bool:
    """Whether a file, or a link to nothing, is there or cannot be ruled out."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:  # as of a folder that may not be searched
        return True
    return True
