"""Handle signals during a training: three stop it, SIGUSR1 asks for a checkpoint."""

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
    """Requests that signals have made.

    stop: the first signal that asked to stop, or None. interrupted: whether a SIGINT came after it.
    save: whether SIGUSR1 asked for a checkpoint.
    """

    def __init__(self) -> None:
        self.stop: signal.Signals | None = None
        self.save = self.interrupted = False
        self._stops_at_once = False

    @contextlib.contextmanager
    def immediate_stop(self) -> Iterator[None]:
        """Raise Stopped at once when a signal asks to stop within this block."""
        try:
            self._stops_at_once = True
            if self.stop:
                raise KeyboardInterrupt
            yield
            self._stops_at_once = False
        except KeyboardInterrupt:
            if not self.stop:
                raise
            problem = f"stopped by {self.stop.name} before the first step; there is nothing to save"
            raise Stopped(problem, STOPS[self.stop]) from None

    def handle(self, number: int, _: FrameType | None) -> None:
        """Record a signal: the handler of every signal in STOPS, and of SAVE."""
        if number == SAVE:
            self.save = True
        elif self.stop is None:
            self.stop = signal.Signals(number)
            if self._stops_at_once:
                raise KeyboardInterrupt
        elif number == signal.SIGINT:
            self.interrupted = True
            raise KeyboardInterrupt


@contextlib.contextmanager
def handle_signals() -> Iterator[Requests]:
    """Yield Requests that record signals instead of their usual effect.

    A SIGINT after a first stop signal raises KeyboardInterrupt. A signal that is ignored, like
    SIGHUP under nohup, stays ignored.
    """
    requests = Requests()
    handled = [number for number in (*STOPS, SAVE) if signal.getsignal(number) != signal.SIG_IGN]
    previous = {number: signal.signal(number, requests.handle) for number in handled}
    try:
        yield requests
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
