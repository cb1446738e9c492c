"""Run a training to its end or until it is stopped, and keep its checkpoint up to date."""

import contextlib
import os
import signal
import time
from collections.abc import Generator

from digitnet.config.definition import Config
from digitnet.dataset.definition import Paths, Report, as_tuple
from digitnet.errors import CheckpointError, DigitnetError, OutputError, Stopped, TrainingError
from digitnet.fleet.fleet import Alone, Fleet, Request
from digitnet.model.checkpoint import is_checkpoint, load_checkpoint
from digitnet.model.locations import SHIPPED
from digitnet.npz import member_names
from digitnet.paths import discard_unfinished, kind_to_write, require_folder, same_file
from digitnet.session.lock import lock_output
from digitnet.session.saving import Saver
from digitnet.session.signals import STOPS, handle_signals
from digitnet.training.loop import Progress, train
from digitnet.training.replicas import follow, start
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
    fleet: Fleet | None = None,
) -> Generator[Progress, None, None]:
    """Train, save checkpoints to `config.model` in time, and yield the training's progress.

    resume: continue from an existing checkpoint; start a new training if there is none.
    overwrite: replace an existing model, but not before the first epoch has ended. strict: the
    first picture that cannot be read is an error. report: is told how many pictures of a folder are
    prepared. fleet: the ranks that train together, with rank 0's config; rank 0 alone locks, reads
    and writes `config.model`, and all yield, stop and end at the same steps.

    SIGHUP, SIGINT and SIGTERM stop the training after the current step: the checkpoint is saved and
    Stopped raised. Before the first step, Stopped is raised at once. A second SIGINT raises
    KeyboardInterrupt at once. SIGUSR1 saves the checkpoint and does not stop. After
    `training.max_minutes` the checkpoint is saved and the generator ends before `state.done`;
    raises TrainingError if `overwrite` does not allow saving yet. Closing the generator saves
    epochs that have not been saved.

    Raises OutputError if `config.model` cannot be written, or exists and neither `resume` nor
    `overwrite` is set; Busy if another training is writing it.
    """
    fleet = fleet or Alone()
    output, started, leads = config.model, time.monotonic(), fleet.leads
    with handle_signals(fleet) as requests, contextlib.ExitStack() as stack:
        exists = False

        def lead() -> TrainingState:
            nonlocal exists
            require_folder(output)
            stack.enter_context(lock_output(output))
            with requests.immediate_stop():
                exists = _check_output(output, may_exist=overwrite or resume)
                discard_unfinished(output)
                if overwrite and exists:
                    _check_replaceable(output, config.data.path)
                set_up = _resumed if resume and exists else begin
                return set_up(config, strict=strict, parallel=True, report=report, fleet=fleet)

        def follow_rank_0() -> TrainingState:
            with requests.immediate_stop():
                return follow(config, strict=strict, fleet=fleet)

        state = start(config, fleet, lead, follow_rank_0)
        saver = Saver(output, state, replaces=fleet.share(overwrite and exists))
        minutes, first_position = state.config.training.max_minutes, state.position
        for progress in train(config, state, fleet):
            requests.update()
            if leads and (saver.is_due(progress) or (requests.save and saver.may_save)):
                requests.save = False
                saver.save()
            try:
                yield progress
            except GeneratorExit:
                requests.update()
                unsaved = (requests.stop and saver.may_save) or saver.has_unsaved_epochs
                if leads and unsaved and not requests.interrupted:
                    saver.save()
                raise
            if state.done:
                continue
            if leads and minutes is not None and time.monotonic() - started >= 60 * minutes:
                fleet.ask(Request.LATE)
            requests.update()
            stop = requests.stop
            if not stop and (not requests.late or state.position is first_position):
                continue
            if leads and saver.may_save:
                saver.save()
            if not stop and saver.may_save:
                fleet.is_over = True
                return
            raise fleet.agreed(_stopped(stop, state, output, saved=saver.may_save))


def _stopped(
    stop: signal.Signals | None, state: TrainingState, output: str, *, saved: bool
) -> DigitnetError:
    """Return the error of a training that a signal, or the clock, has stopped."""
    reason = stop.name if stop else "training.max_minutes"
    outcome = "is saved, --resume continues it" if saved else "is unchanged"
    message = f"stopped by {reason} in epoch {state.position.epoch}; {output} {outcome}"
    return Stopped(message, STOPS[stop]) if stop else TrainingError(message)


def _resumed(
    config: Config, *, strict: bool, parallel: bool, report: Report | None, fleet: Fleet
) -> TrainingState:
    checkpoint = load_checkpoint(config.model, with_state=True)
    try:
        return resume_training(
            config, checkpoint, strict=strict, parallel=parallel, report=report, fleet=fleet
        )
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
