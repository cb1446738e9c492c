"""Ranks: processes that train one network together, perhaps on several machines.

All ranks hold the same parameters and make the same steps; each computes the gradient of its own
part of every minibatch. Whatever a rank decides by itself, such as to stop after a signal, it first
asks of all: requests travel with every message, and all ranks act on them at the same step.
"""

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from enum import IntEnum
from typing import Any, NamedTuple, TypeVar

import numpy as np

from digitnet.arrays import FloatArray
from digitnet.errors import DigitnetError, Elsewhere, ExitStatus, RankError

T = TypeVar("T")


class Request(IntEnum):
    """What a rank may ask of all: an index into the numbers that every message carries."""

    PAUSE = 0  # yield the progress
    SAVE = 1
    LATE = 2  # the time is over
    HANGUP = 3
    INTERRUPT = 4
    TERMINATE = 5


class Failure(NamedTuple):
    """An error as it is sent to other ranks."""

    exit_status: int
    message: str


class Fleet(ABC):
    """The ranks of a training, as one of them sees them.

    rank: this one's number, from 0. size: number of ranks. asked: what has been asked of all, the
    same in all ranks. is_watched: True once the ranks train: a rank that lets the others wait for
    minutes has stopped. is_over: True if all ranks know that the training is over. is_waiting: True
    while `gather` waits for other ranks and must not be left. is_interrupted: set by a signal
    handler, which may not raise then: `gather` raises KeyboardInterrupt when it has ended.
    """

    rank = 0
    size = 1

    def __init__(self) -> None:
        self.asked: set[Request] = set()
        self._asking = np.zeros(len(Request), np.float32)
        self.is_watched = self.is_over = False
        self.is_waiting = self.is_interrupted = False

    @property
    def leads(self) -> bool:
        """True for rank 0, which alone reads the clock, validates, saves and prints."""
        return self.rank == 0

    def ask(self, request: Request) -> None:
        """Ask something of all ranks, with the next message. Signal handlers may call it."""
        if self.size > 1:
            self._asking[request] = 1
        else:
            self.asked.add(request)

    def take_requests(self) -> set[Request]:
        """Return what has been asked since the last call, the same in all ranks."""
        taken = set(self.asked)
        self.asked -= taken
        return taken

    def add(self, message: FloatArray) -> None:
        """Replace a vector by the sum of all ranks' vectors, added pairwise in a fixed order.

        message: float32, as long in all ranks. Its last numbers, one per Request, are overwritten
        by what the ranks ask.
        """
        requests = message[-len(Request) :]
        requests[:] = self._asking
        self._add(message)
        self._hear(requests)

    def gather(self, thing: Any, subject: str = "nothing to prepare") -> list[Any]:
        """Return what all ranks pass, in their order; all must call it.

        subject: what a rank passes; it differs where ranks have found different data. Raises
        RankError in rank 0, Elsewhere in the other ranks, if subjects differ, or if a rank has
        failed; see `attempt`. Otherwise raises KeyboardInterrupt if `is_interrupted`.
        """
        self.is_waiting = True
        try:
            things = self._exchange(thing, subject)
        finally:
            self.is_waiting = False
        if self.is_interrupted:
            raise KeyboardInterrupt
        return things

    def share(self, thing: T) -> T:
        """Return what rank 0 passes; all must call it."""
        shared: T = self.gather(thing if self.leads else None)[0]
        return shared

    def attempt(self, work: Callable[[], T]) -> T:
        """Return the result of work(), once it has succeeded in all ranks.

        If it raises a DigitnetError in any rank, all ranks end: the error is sent with this rank's
        next `gather`, whichever the others are at.
        """
        try:
            result = work()
        except DigitnetError as error:
            if self.size == 1 or self.is_over:
                raise
            with contextlib.suppress(DigitnetError):
                self.gather(Failure(int(error.exit_status), str(error)))
            if self.leads:
                raise
            raise Elsewhere from None
        self.gather(None)
        return result

    def lead(self, work: Callable[[], T]) -> T:
        """Return the result of work() in rank 0, for all ranks; its error ends all ranks."""
        result: T = self.share(self.attempt(work if self.leads else _nothing))
        return result

    def agreed(self, error: DigitnetError) -> DigitnetError:
        """Return the error to raise for one that all ranks have found at the same step."""
        self.is_over = True
        return error if self.leads else Elsewhere()

    def end(self, status: int) -> int:
        """Return this rank's exit status, once all ranks have ended.

        Aborts all ranks if this one alone has come to an end, or is interrupted while it waits.
        """
        if not self.is_over:
            self._abort(status)
        try:
            self._gather(None)
        except KeyboardInterrupt:
            self._abort(ExitStatus.INTERRUPTED)
        return status if self.leads else ExitStatus.DONE

    def _exchange(self, thing: Any, subject: str) -> list[Any]:
        everything = self._gather((self._asking.copy(), subject, thing))
        for requests, _, _ in everything:
            self._hear(requests)
        things = [thing for _, _, thing in everything]
        for rank, found in enumerate(things):
            if isinstance(found, Failure):
                message = found.message if rank == 0 else f"rank {rank}: {found.message}"
                raise self.agreed(RankError(message, found.exit_status))
        _, expected, _ = everything[0]
        for rank, (_, found, _) in enumerate(everything):
            if found != expected:
                problem = f"expected {expected}, as in rank 0, found {found}"
                advice = "give all ranks the same files"
                error = RankError(f"rank {rank}: {problem}; {advice}", ExitStatus.FAILED)
                raise self.agreed(error)
        return things

    def _hear(self, requests: FloatArray) -> None:
        for index in requests.nonzero()[0].tolist():
            self.asked.add(Request(index))
            self._asking[index] = 0

    @abstractmethod
    def _add(self, message: FloatArray) -> None:
        """Replace a vector by the sum of all ranks' vectors; see `add_pairwise`."""

    @abstractmethod
    def _gather(self, thing: Any) -> list[Any]:
        """Return what all ranks pass, in their order."""

    @abstractmethod
    def _abort(self, status: int) -> None:
        """End all ranks at once, with an exit status."""


class Alone(Fleet):
    """A training in one process."""

    def _add(self, message: FloatArray) -> None:
        pass

    def _gather(self, thing: Any) -> list[Any]:
        return [thing]

    def _abort(self, status: int) -> None:
        pass


ALONE = Alone()


def add_pairwise(parts: FloatArray) -> FloatArray:
    """Add vectors (size, n), size a power of two, as a tree: ((0 + 1) + (2 + 3)) + …; return row 0.

    The lower branches of the tree may have been added elsewhere: the sum has the same bits.
    """
    step = 1
    while step < len(parts):
        for i in range(0, len(parts), 2 * step):
            parts[i] += parts[i + step]
        step *= 2
    total: FloatArray = parts[0]
    return total


def _nothing() -> Any:
    return None
