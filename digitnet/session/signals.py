"""Signals to a training: those that stop it, and SIGUSR1, which asks for a checkpoint."""

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType

from digitnet.errors import ExitStatus, Stopped

STOPS = {
    signal.SIGHUP: ExitStatus.HANGUP,
    signal.SIGINT: ExitStatus.INTERRUPTED,
    signal.SIGTERM: ExitStatus.TERMINATED,
}
SAVE = signal.SIGUSR1


class Requests:
    """What signals have asked for.

    stop: the first of those that stop a training, if one came. interrupted: whether a SIGINT came
    after it. save: whether there is to be a checkpoint.
    """

    def __init__(self) -> None:
        self.stop: signal.Signals | None = None
        self.save = self.interrupted = False
        self._at_once = False

    @contextlib.contextmanager
    def ending_at_once(self) -> Iterator[None]:
        """For what need not be finished: Stopped is raised in the middle of it."""
        try:
            self._at_once = True
            if self.stop:
                raise KeyboardInterrupt
            yield
            self._at_once = False
        except KeyboardInterrupt:
            if not self.stop:
                raise
            problem = f"stopped by {self.stop.name} before the first step; nothing was to be saved"
            raise Stopped(problem, STOPS[self.stop]) from None

    def hear(self, number: int, _: FrameType | None) -> None:
        """The handler of all these signals."""
        if number == SAVE:
            self.save = True
        elif self.stop is None:
            self.stop = signal.Signals(number)
            if self._at_once:
                raise KeyboardInterrupt
        elif number == signal.SIGINT:
            self.interrupted = True
            raise KeyboardInterrupt


@contextlib.contextmanager
def heed_signals() -> Iterator[Requests]:
    """Requests that signals are remembered in, in place of what they would have done.

    A SIGINT after another one that stops raises KeyboardInterrupt. One that is ignored, as SIGHUP
    is under nohup, stays so.
    """
    requests = Requests()
    heeded = [number for number in (*STOPS, SAVE) if signal.getsignal(number) != signal.SIG_IGN]
    previous = {number: signal.signal(number, requests.hear) for number in heeded}
    try:
        yield requests
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
