"""Resume a training exactly where a checkpoint left it."""

import json
from typing import Any

import msgspec
import numpy as np

from digitnet.config.definition import Config
from digitnet.config.reader import saved_config
from digitnet.config.threads import MAX_THREADS
from digitnet.dataset.definition import Report, join_paths
from digitnet.dataset.reader import read_data
from digitnet.errors import CheckpointError, ConfigError
from digitnet.fleet.fleet import ALONE, Fleet
from digitnet.model.checkpoint import Checkpoint
from digitnet.training.setup import prepare, read_options
from digitnet.training.start import Start, adopt_network
from digitnet.training.state import Position, Record, TrainingState, arrays, varies

MAY_CHANGE = {
    "training.epochs",
    "training.patience",
    "training.threads",
    "training.checkpoint_seconds",
    "training.landscape",
    "training.max_minutes",
    "model",
    "data.path",
    "data.rehearsal.path",
}
NOT_NEGATIVE = {"squares", "batch_variance"}


def resume(
    config: Config,
    checkpoint: Checkpoint,
    *,
    strict: bool = False,
    parallel: bool = False,
    report: Report | None = None,
    fleet: Fleet = ALONE,
) -> TrainingState:
    """Return the state of the training in a checkpoint; a model to start from is not needed.

    strict, parallel, report, fleet: see `read_options`. Raises ConfigError if the config describes
    another training; only the keys MAY_CHANGE may differ. Raises CheckpointError if the checkpoint
    has no state, or one that does not fit.
    """
    if not checkpoint.state:
        raise CheckpointError("expected the state of a training, found only a model")
    options = read_options(config, strict=strict, parallel=parallel, report=report, fleet=fleet)
    data = read_data(config.data.path, options)
    if checkpoint.data_hash != data.fingerprint:
        raise ConfigError(
            "data.path",
            "expected the data that the checkpoint was trained on "
            f"({join_paths(checkpoint.data_path)}), found other pictures or labels",
        )
    config, class_names = _with_threads_of(config, checkpoint), data.training.class_names
    if config.start is not None:
        class_names = checkpoint.class_names
        config = adopt_network(config, checkpoint.config, len(class_names))
    state = prepare(config, data, class_names, options)
    try:
        state.start = msgspec.convert(checkpoint.start, Start | None)
    except msgspec.MsgspecError as error:
        raise CheckpointError(f"origin: start: {error}") from None
    _check_same_training(state, checkpoint)
    _check_same_split(state, checkpoint)
    for name, array in arrays(state).items():
        saved = checkpoint.state.get(name)
        if saved is None or saved.shape != array.shape or saved.dtype != array.dtype:
            raise CheckpointError(
                f"state_{name}: expected {array.dtype} of shape {array.shape}, found another array"
            )
        if not np.isfinite(saved).all():
            raise CheckpointError(f"state_{name}: expected finite numbers, found NaN or infinity")
        if name in NOT_NEGATIVE and saved.min(initial=0) < 0:
            raise CheckpointError(f"state_{name}: expected no negative numbers, found some")
        array[:] = saved
    try:
        state.position = msgspec.json.decode(str(checkpoint.state.get("place")), type=Position)
        state.history = msgspec.convert(checkpoint.history, list[Record])
    except (msgspec.MsgspecError, UnicodeError, SystemError) as error:
        raise CheckpointError(f"state_place, history: {error}") from None
    position = state.position
    beyond = position.step > state.steps or (position.step and not position.seconds)
    if beyond or position.epoch != len(state.history) + 1:
        raise CheckpointError("state_place: expected a position within the training, found another")
    state.best[:] = checkpoint.network.parameters
    state.calibration = checkpoint.calibration
    if state.trail is not None:
        last = len(state.history)
        state.trail = state.trail.restored(checkpoint.state, checkpoint.landscape, last)
    if state.done:
        state.landscape = checkpoint.landscape
    return state


def _with_threads_of(config: Config, checkpoint: Checkpoint) -> Config:
    """Return the config with the checkpoint's number of threads, which gives the same bits.

    A number of threads in the config itself stays.
    """
    before = checkpoint.config.get("training", {})
    threads = before.get("threads") if isinstance(before, dict) else None
    if config.training.threads != "auto" or not isinstance(threads, int) or threads < 1:
        return config
    training = msgspec.structs.replace(config.training, threads=min(threads, MAX_THREADS))
    return msgspec.structs.replace(config, training=training)


def _check_same_training(state: TrainingState, checkpoint: Checkpoint) -> None:
    try:
        before = _flat(msgspec.to_builtins(saved_config(checkpoint.config)))
    except ConfigError as error:
        raise CheckpointError(f"config: {error}") from None
    now = _flat(msgspec.to_builtins(state.config))
    may_change = MAY_CHANGE
    if varies(state.config.training.schedule) or state.fades:
        may_change = MAY_CHANGE - {"training.epochs"}
    for key in now:
        if key not in may_change and before.get(key) != now[key]:
            was, found = json.dumps(before.get(key)), json.dumps(now[key])
            problem = f"expected {was}, as in the checkpoint to resume, found {found}"
            if key == "training.epochs":
                problem += (
                    "; the learning rate or the distortions depend on it: to train a finished "
                    "model further, use its path as `start` of a new training"
                )
            raise ConfigError(key, problem)
    sources = state.sources + (state.start.sources if state.start else ())
    if checkpoint.data_sources not in ((), sources):
        problem = "expected the pictures of the checkpoint to resume, found others"
        raise ConfigError("data.rehearsal.path", problem)


def _check_same_split(state: TrainingState, checkpoint: Checkpoint) -> None:
    """Raise CheckpointError if the training has used pictures that are validation pictures now."""
    split = set(state.train_indices.tolist()) | set(state.validation_indices.tolist())
    if not checkpoint.data_sources and len(split) < len(state.examples):
        raise CheckpointError(
            "expected training pictures that differ from the validation pictures, found a training "
            "of an earlier digitnet that mixed them; train the model again"
        )


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = list(value) if isinstance(value, tuple) else value
    return flat
