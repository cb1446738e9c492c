"""Handle signals during a training: three stop it, SIGUSR1 asks for a checkpoint."""

import contextlib
import signal
import sys
from collections.abc import Iterator
from types import FrameType

from digitnet.errors import ExitStatus, Stopped
from digitnet.fleet.fleet import Alone, Fleet, Request

STOPS = {
    signal.SIGHUP: ExitStatus.HANGUP,
    signal.SIGINT: ExitStatus.INTERRUPTED,
    signal.SIGTERM: ExitStatus.TERMINATED,
}
REQUESTS = {
    signal.SIGHUP: Request.HANGUP,
    signal.SIGINT: Request.INTERRUPT,
    signal.SIGTERM: Request.TERMINATE,
    signal.SIGUSR1: Request.SAVE,
}
SIGNALS = {request: number for number, request in REQUESTS.items()}
AGAIN_AFTER = 0.01  # s: delay before a lost KeyboardInterrupt is raised again


class Requests:
    """What has been asked of the training: by signals to any rank, and by rank 0's clock.

    stop: the first signal that asked to stop, or None. save: whether SIGUSR1 asked for a
    checkpoint. late: whether the time is over. All three change in `update` alone, alike in all
    ranks. received: the first signal to stop that this process got. interrupted: whether it got a
    SIGINT after that.
    """

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self.stop: signal.Signals | None = None
        self.save = self.late = self.interrupted = False
        self.received: signal.Signals | None = None
        self._stops_at_once = False

    def update(self) -> None:
        """Take over what has been asked of all ranks since the last call."""
        asked = self._fleet.take_requests()
        stops = sorted(request for request in asked if SIGNALS.get(request) in STOPS)
        if stops and self.stop is None:
            self.stop = SIGNALS[stops[0]]
        self.save |= Request.SAVE in asked
        self.late |= Request.LATE in asked

    @contextlib.contextmanager
    def immediate_stop(self) -> Iterator[None]:
        """Raise Stopped when a signal asks to stop within this block.

        At once, or, in a rank that waits for others, after that exchange.
        """
        try:
            try:
                self._stops_at_once = True
                if self.received:
                    raise KeyboardInterrupt
                yield
            finally:
                self._stops_at_once = False
        except KeyboardInterrupt:
            if not (stop := self.received) or self.interrupted:
                raise  # perhaps within an exchange: the other ranks cannot be told
            problem = f"stopped by {stop.name} before the first step; there is nothing to save"
            raise Stopped(problem, STOPS[stop]) from None

    def handle(self, number: int, _: FrameType | None) -> None:
        """Record a signal: the handler of every signal in REQUESTS."""
        received = signal.Signals(number)
        if received not in STOPS:
            self._fleet.ask(REQUESTS[received])
        elif self.received is None:
            self.received = received
            self._fleet.ask(REQUESTS[received])
            self.interrupt()
        elif received == signal.SIGINT:
            self.interrupted = True
            self.interrupt()

    def handle_lost(self, lost: "sys.UnraisableHookArgs") -> None:
        """Start a timer that raises a lost KeyboardInterrupt again: the unraisable hook.

        Python drops an exception that is raised within a callback, such as a `__del__` or a
        function that runs at a fork. Until an exception is lost, SIGALRM is the caller's.
        """
        if lost.exc_type is KeyboardInterrupt:
            signal.signal(signal.SIGALRM, self.interrupt)
            signal.setitimer(signal.ITIMER_REAL, AGAIN_AFTER)
        else:
            sys.__unraisablehook__(lost)

    def interrupt(self, *_: object) -> None:
        """Raise KeyboardInterrupt if a signal must stop the block now; also the timer's handler."""
        if self.interrupted:
            raise KeyboardInterrupt
        if self._stops_at_once:
            if not self._fleet.is_waiting:
                raise KeyboardInterrupt
            self._fleet.is_interrupted = True


@contextlib.contextmanager
def stoppable(output: str, left: str) -> Iterator[None]:
    """Raise Stopped at the first signal to stop within this block; cleaning up is not interrupted.

    left: what is left of the output then, for the message.
    """
    with handle_signals() as requests:
        try:
            with requests.immediate_stop():
                yield
        except Stopped as stopped:
            assert requests.received
            problem = f"{output}: stopped by {requests.received.name}; {left}"
            raise Stopped(problem, stopped.exit_status) from None


@contextlib.contextmanager
def handle_signals(fleet: Fleet | None = None) -> Iterator[Requests]:
    """Yield Requests that record signals instead of their usual effect.

    A SIGINT after a first stop signal raises KeyboardInterrupt. If a callback loses a
    KeyboardInterrupt, a timer (SIGALRM) raises it again. A signal that is ignored, such as SIGHUP
    under nohup, stays ignored.
    """
    requests = Requests(fleet or Alone())
    handled = [number for number in REQUESTS if signal.getsignal(number) != signal.SIG_IGN]
    previous = {number: signal.signal(number, requests.handle) for number in handled}
    alarm = signal.getsignal(signal.SIGALRM)
    hook, sys.unraisablehook = sys.unraisablehook, requests.handle_lost
    try:
        yield requests
    finally:
        sys.unraisablehook = hook
        if signal.getsignal(signal.SIGALRM) == requests.interrupt:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, alarm)
        for number, handler in previous.items():
            signal.signal(number, handler)
