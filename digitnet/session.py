"""A training that looks after itself: overwrite or resume, a lock, checkpoints, signals."""

import contextlib
import fcntl
import os
import signal
from collections.abc import Iterator
from types import FrameType

from digitnet.checkpoint import load_checkpoint, save_checkpoint
from digitnet.config import Config
from digitnet.errors import Busy, CheckpointError, ExitStatus, OutputError, Stopped
from digitnet.training import Progress, begin, resume, train

SIGNALS = {
    signal.SIGHUP: ExitStatus.HANGUP,
    signal.SIGINT: ExitStatus.INTERRUPTED,
    signal.SIGTERM: ExitStatus.TERMINATED,
}


def run(config: Config, *, overwrite: bool = False, resumed: bool = False) -> Iterator[Progress]:
    """Train, with a checkpoint at `config.model` after each epoch, and pass the progress on.

    With `resumed`, go on from the checkpoint that is there, or begin if there is none. A signal
    is heeded when the step in hand is done: the checkpoint is written and Stopped raised; a second
    SIGINT interrupts at once. Raises OutputError if `config.model` exists and neither was asked
    for, or cannot be written; Busy if another training holds it.
    """
    output = config.model
    _check_folder(output)
    with _lock(output), _signals() as received:
        _check_output(output, may_exist=overwrite or resumed)
        if resumed and os.path.exists(output):
            checkpoint = load_checkpoint(output, with_state=True)
            try:
                state = resume(config, checkpoint)
            except CheckpointError as error:
                raise CheckpointError(f"{output}: {error}") from None
        else:
            state = begin(config)
        for progress in train(config, state):
            if progress.record:
                save_checkpoint(output, state.checkpoint())
            yield progress
            if received:
                save_checkpoint(output, state.checkpoint())
                name = signal.Signals(received[0]).name
                raise Stopped(
                    f"stopped by {name} in epoch {state.place.epoch}; {output} is saved, "
                    "--resume goes on from there",
                    SIGNALS[received[0]],
                )


def _check_folder(output: str) -> None:
    folder = os.path.dirname(os.path.realpath(output))
    if not os.path.isdir(folder):
        raise OutputError(f"{output}: expected the folder {folder} to exist, found none")
    if not os.access(folder, os.W_OK):
        raise OutputError(f"{output}: the folder {folder} is not writable")


def _check_output(output: str, *, may_exist: bool) -> None:
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
            if os.path.exists(path) and os.path.samestat(os.fstat(descriptor), os.stat(path)):
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
