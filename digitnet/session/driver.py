"""A training from beginning to end, or to where it is stopped, with its checkpoint kept."""

import os
import time
from collections.abc import Generator

from digitnet.config.definition import Config
from digitnet.dataset.definition import Paths, as_tuple
from digitnet.errors import CheckpointError, OutputError, Stopped, TrainingError
from digitnet.model.checkpoint import discard_unfinished, is_checkpoint, load_checkpoint
from digitnet.npz import member_names
from digitnet.paths import Kind, kind_of, resolve_output
from digitnet.session.lock import hold
from digitnet.session.saving import Saver
from digitnet.session.signals import STOPS, heed_signals
from digitnet.training.loop import Progress, train
from digitnet.training.resumption import resume as resumed
from digitnet.training.state import TrainingState, begin


def run(
    config: Config, *, overwrite: bool = False, resume: bool = False
) -> Generator[Progress, None, None]:
    """Train, with checkpoints at `config.model` in time, and pass the progress on.

    With `resume`, go on from the checkpoint that is there, or begin if there is none. A signal is
    heeded when the step in hand is done: the checkpoint is written and Stopped raised; only what
    `overwrite` is to replace stays as it was until the first epoch has ended. Before the first
    step it is raised at once. A second SIGINT interrupts at once. SIGUSR1 has the checkpoint
    written. After `training.max_minutes` it is written, and this ends before `state.done`; raises
    TrainingError where it was not to be written yet. Raises OutputError if `config.model` exists
    and neither was asked for, or cannot be written; Busy if another training holds it.
    """
    output, begun = config.model, time.monotonic()
    _check_folder(output)
    with heed_signals() as requests, hold(output):
        with requests.ending_at_once():
            exists = _check_output(output, may_exist=overwrite or resume)
            discard_unfinished(output)
            if overwrite and exists:
                _check_replaceable(output, config.data.path)
            state = _resumed(config) if resume and exists else begin(config)
            saver = Saver(output, state, replaces=overwrite and exists)
        minutes, begun_at = state.config.training.max_minutes, state.place
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
                stopped, status = _stopped(requests.stop.name, state), STOPS[requests.stop]
                if not saver.may_save:
                    raise Stopped(f"{stopped}; {output} is left as it was", status)
                saver.save()
                raise Stopped(f"{stopped}; {output} is saved, --resume goes on from there", status)
            late = minutes is not None and time.monotonic() - begun >= 60 * minutes
            if late and state.place is not begun_at:
                if not saver.may_save:
                    stopped = _stopped("training.max_minutes", state)
                    raise TrainingError(f"{stopped}; {output} is left as it was")
                saver.save()
                return


def _stopped(reason: str, state: TrainingState) -> str:
    return f"stopped by {reason} in epoch {state.place.epoch}"


def _resumed(config: Config) -> TrainingState:
    checkpoint = load_checkpoint(config.model, with_state=True)
    try:
        return resumed(config, checkpoint)
    except CheckpointError as error:
        raise CheckpointError(f"{config.model}: {error}") from None


def _check_folder(output: str) -> None:
    folder = os.path.dirname(resolve_output(output))
    if _kind_of(folder, output) != "folder":
        raise OutputError(f"{output}: expected the folder {folder} to exist, found none")
    if not os.access(folder, os.W_OK):
        raise OutputError(f"{output}: the folder {folder} is not writable")


def _check_output(output: str, *, may_exist: bool) -> bool:
    """Return whether the output exists; raise OutputError where it must not be written."""
    kind = _kind_of(output, output)
    if kind not in ("file", None):
        raise OutputError(f"{output}: expected a file to write, found something else")
    if kind and not may_exist:
        raise OutputError(
            f"{output}: exists already; --resume goes on with it, --overwrite starts anew"
        )
    return kind is not None


def _kind_of(path: str, output: str) -> Kind | None:
    try:
        return kind_of(path)
    except OSError as error:
        raise OutputError(f"{output}: cannot be written: {error.strerror}") from None


def _check_replaceable(output: str, data: Paths) -> None:
    """Raise OutputError unless a file is empty or a checkpoint, perhaps a damaged one.

    Never the data themselves, under any name, even where they are a checkpoint as well.
    """
    try:
        found = _what_must_stay(output, data)
    except OSError as error:
        raise _not_replaceable(output, f"a file that cannot be read ({error.strerror})") from error
    if found:
        raise _not_replaceable(output, found)


def _what_must_stay(output: str, data: Paths) -> str | None:
    """Return what a file is that must not be replaced; None if it may be."""
    if os.path.getsize(output) and not is_checkpoint(output):
        return _kind(member_names(output))
    is_read = any(_is_same(output, path) for path in as_tuple(data))
    return "the data of this training" if is_read else None


def _is_same(output: str, path: str) -> bool:
    try:
        return os.path.samefile(output, path)
    except OSError:  # what is wrong with the data is said when they are read
        return False


def _not_replaceable(output: str, found: str) -> OutputError:
    return OutputError(
        f"{output}: expected a digitnet model to overwrite, found {found}; "
        "name another file with -o"
    )


def _kind(names: list[str]) -> str:
    """What a file is that is no checkpoint, by the names in it if it is a zip archive."""
    if not names:
        return "another kind of file"
    return f"a zip archive of {', '.join(names[:3]):.60}{', …' if len(names) > 3 else ''}"
