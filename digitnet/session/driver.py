"""Run a training to its end or until it is stopped, and keep its checkpoint up to date."""

import os
import time
from collections.abc import Generator

from digitnet.config.definition import Config
from digitnet.dataset.definition import Paths, Report, as_tuple
from digitnet.errors import CheckpointError, OutputError, Stopped, TrainingError
from digitnet.model.checkpoint import is_checkpoint, load_checkpoint
from digitnet.model.locations import SHIPPED
from digitnet.npz import member_names
from digitnet.paths import discard_unfinished, kind_to_write, require_folder, same_file
from digitnet.session.lock import lock_output
from digitnet.session.saving import Saver
from digitnet.session.signals import STOPS, handle_signals
from digitnet.training.loop import Progress, train
from digitnet.training.resumption import resume as resume_training
from digitnet.training.setup import begin
from digitnet.training.state import TrainingState


def run(
    config: Config,
    *,
    overwrite: bool = False,
    resume: bool = False,
    strict: bool = False,
    report: Report | None = None,
) -> Generator[Progress, None, None]:
    """Train, save checkpoints to `config.model` in time, and yield the training's progress.

    resume: continue from an existing checkpoint; start a new training if there is none.
    overwrite: replace an existing model, but not before the first epoch has ended. strict: the
    first picture that cannot be read is an error. report: is told how many pictures of a folder are
    prepared.

    SIGHUP, SIGINT and SIGTERM stop the training after the current step: the checkpoint is saved and
    Stopped raised. Before the first step, Stopped is raised at once. A second SIGINT raises
    KeyboardInterrupt at once. SIGUSR1 saves the checkpoint and does not stop. After
    `training.max_minutes` the checkpoint is saved and the generator ends before `state.done`;
    raises TrainingError if `overwrite` does not allow saving yet. Closing the generator saves
    epochs that have not been saved.

    Raises OutputError if `config.model` cannot be written, or exists and neither `resume` nor
    `overwrite` is set; Busy if another training is writing it.
    """
    output, started = config.model, time.monotonic()
    require_folder(output)
    with handle_signals() as requests, lock_output(output):
        with requests.immediate_stop():
            exists = _check_output(output, may_exist=overwrite or resume)
            discard_unfinished(output)
            if overwrite and exists:
                _check_replaceable(output, config.data.path)
            set_up = _resumed if resume and exists else begin
            state = set_up(config, strict=strict, parallel=True, report=report)
            saver = Saver(output, state, replaces=overwrite and exists)
        minutes, first_position = state.config.training.max_minutes, state.position
        for progress in train(config, state):
            if saver.is_due(progress) or (requests.save and saver.may_save):
                requests.save = False
                saver.save()
            try:
                yield progress
            except GeneratorExit:
                unsaved = (requests.stop and saver.may_save) or saver.has_unsaved_epochs
                if unsaved and not requests.interrupted:
                    saver.save()
                raise
            if state.done:
                continue
            if requests.stop:
                stopped, status = _stop_message(requests.stop.name, state), STOPS[requests.stop]
                if not saver.may_save:
                    raise Stopped(f"{stopped}; {output} is unchanged", status)
                saver.save()
                raise Stopped(f"{stopped}; {output} is saved, --resume continues it", status)
            late = minutes is not None and time.monotonic() - started >= 60 * minutes
            if late and state.position is not first_position:
                if not saver.may_save:
                    stopped = _stop_message("training.max_minutes", state)
                    raise TrainingError(f"{stopped}; {output} is unchanged")
                saver.save()
                return


def _stop_message(reason: str, state: TrainingState) -> str:
    return f"stopped by {reason} in epoch {state.position.epoch}"


def _resumed(
    config: Config, *, strict: bool, parallel: bool, report: Report | None
) -> TrainingState:
    checkpoint = load_checkpoint(config.model, with_state=True)
    try:
        return resume_training(config, checkpoint, strict=strict, parallel=parallel, report=report)
    except CheckpointError as error:
        raise CheckpointError(f"{config.model}: {error}") from None


def _check_output(output: str, *, may_exist: bool) -> bool:
    """Return whether the output exists. Raises OutputError if it must not be written."""
    kind = kind_to_write(output)
    if kind not in ("file", None):
        raise OutputError(f"{output}: expected a file to write, found something else")
    if kind and not may_exist:
        raise OutputError(
            f"{output}: exists already; --resume continues it, --overwrite replaces it"
        )
    return kind is not None


def _check_replaceable(output: str, data: Paths) -> None:
    """Raise OutputError unless the output may be replaced: an empty file or a checkpoint.

    A damaged checkpoint may be replaced. The model that ships and the training data may not, under
    any name, even if the data is a checkpoint as well.
    """
    try:
        found = _reason_to_keep(output, data)
    except OSError as error:
        raise _not_replaceable(output, f"a file that cannot be read ({error.strerror})") from error
    if found:
        raise _not_replaceable(output, found)


def _reason_to_keep(output: str, data: Paths) -> str | None:
    """Return what the output is if it must not be replaced; None if it may be."""
    if os.path.getsize(output) and not is_checkpoint(output):
        return _describe_file(member_names(output))
    if same_file(output, SHIPPED):
        return "the model that ships with digitnet"
    is_data = any(same_file(output, path) for path in as_tuple(data))
    return "the data of this training" if is_data else None


def _not_replaceable(output: str, found: str) -> OutputError:
    return OutputError(
        f"{output}: expected a digitnet model to overwrite, found {found}; "
        "name another file with -o"
    )


def _describe_file(names: list[str]) -> str:
    """Describe a file that is not a checkpoint. names: of a zip archive's members, else empty."""
    if not names:
        return "another kind of file"
    return f"a zip archive of {', '.join(names[:3]):.60}{', …' if len(names) > 3 else ''}"
