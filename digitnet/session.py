"""A training that looks after itself: overwrite or resume, a lock, checkpoints, signals."""

import contextlib
import fcntl
import os
import signal
from collections.abc import Iterator
from types import FrameType

from digitnet import training
from digitnet.checkpoint import load_checkpoint, save_checkpoint
from digitnet.config import Config
from digitnet.errors import Busy, CheckpointError, ExitStatus, OutputError, Stopped

SIGNALS = {
    signal.SIGHUP: ExitStatus.HANGUP,
    signal.SIGINT: ExitStatus.INTERRUPTED,
    signal.SIGTERM: ExitStatus.TERMINATED,
}


def run(
    config: Config, *, overwrite: bool = False, resume: bool = False
) -> Iterator[training.Progress]:
    """Train, with a checkpoint at `config.model` after each epoch, and pass the progress on.

    With `resume`, go on from the checkpoint that is there, or begin if there is none. A signal is
    heeded when the step in hand is done: the checkpoint is written and Stopped raised; only what
    `overwrite` is to replace stays as it was until the first epoch has ended. A second SIGINT
    interrupts at once. Raises OutputError if `config.model` exists and neither was asked for, or
    cannot be written; Busy if another training holds it.
    """
    output = config.model
    _check_folder(output)
    with _lock(output), _signals() as received:
        _check_output(output, may_exist=overwrite or resume)
        replaces = overwrite and os.path.exists(output)
        if resume and os.path.exists(output):
            checkpoint = load_checkpoint(output, with_state=True)
            try:
                state = training.resume(config, checkpoint)
            except CheckpointError as error:
                raise CheckpointError(f"{output}: {error}") from None
        else:
            state = training.begin(config)
        for progress in training.train(config, state):
            if progress.record:
                save_checkpoint(output, state.checkpoint())
            yield progress
            if received and not state.done:
                stopped = f"stopped by {received[0].name} in epoch {state.place.epoch}; {output} is"
                if replaces and not state.history:
                    raise Stopped(f"{stopped} left as it was", SIGNALS[received[0]])
                save_checkpoint(output, state.checkpoint())
                raise Stopped(f"{stopped} saved, --resume goes on from there", SIGNALS[received[0]])


def _check_folder(output: str) -> None:
    folder = os.path.dirname(os.path.realpath(output))
    if not os.path.isdir(folder):
        raise OutputError(f"{output}: expected the folder {folder} to exist, found none")
    if not os.access(folder, os.W_OK):
        raise OutputError(f"{output}: the folder {folder} is not writable")


def _check_output(output: str, *, may_exist: bool) -> None:
    if os.path.islink(os.path.realpath(output)):
        raise OutputError(f"{output}: expected a file to write, found a link to itself")
    if os.path.exists(output) and not os.path.isfile(output):
        raise OutputError(f"{output}: expected a file to write, found something else")
    if os.path.exists(output) and not may_exist:
        raise OutputError(
            f"{output}: exists already; --resume goes on with it, --overwrite starts anew"
        )


@contextlib.contextmanager
def _lock(output: str) -> Iterator[None]:
    """Hold the output for this process; the system lets go of it when the process ends."""
    path = os.path.realpath(output) + ".lock"
    try:
        descriptor = _locked(path)
    except BlockingIOError:
        raise Busy(f"{output}: another training holds it; try later") from None
    except OSError as error:
        raise OutputError(f"{path}: cannot be locked: {error.strerror}") from None
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            os.unlink(path)
        os.close(descriptor)


def _locked(path: str) -> int:
    """The lock file, open and locked; again if its last holder unlinked it in between."""
    while True:
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(descriptor), os.stat(path)):
                    return descriptor
        except OSError:
            os.close(descriptor)
            raise
        os.close(descriptor)


@contextlib.contextmanager
def _signals() -> Iterator[list[signal.Signals]]:
    """A list that the stop signals are put into, in place of what they would have done.

    One that is ignored, as under nohup, stays so.
    """
    received: list[signal.Signals] = []

    heeded = [number for number in SIGNALS if signal.getsignal(number) != signal.SIG_IGN]

    def remember(number: int, _: FrameType | None) -> None:
        received.append(signal.Signals(number))
        if signal.SIGINT in heeded:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    previous = {number: signal.signal(number, remember) for number in heeded}
    try:
        yield received
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
