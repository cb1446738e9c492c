"""Ranks that are threads of one process: the tree of sums and the requests, without MPI."""

import copy
from collections.abc import Callable
from threading import Barrier, Thread
from typing import Any, TypeVar

import numpy as np

from digitnet.arrays import FloatArray
from digitnet.fleet.fleet import Fleet, add_pairwise

T = TypeVar("T")


class Meeting:
    """Where the ranks exchange what they have."""

    def __init__(self, size: int) -> None:
        self.barrier = Barrier(size, timeout=60)
        self.things: list[Any] = [None] * size

    def exchange(self, rank: int, thing: Any) -> list[Any]:
        """Return what all ranks pass, in their order."""
        self.things[rank] = copy.deepcopy(thing)
        self.barrier.wait()
        found = copy.deepcopy(self.things)
        self.barrier.wait()
        return found


class ThreadFleet(Fleet):
    def __init__(self, rank: int, size: int, meeting: Meeting) -> None:
        super().__init__()
        self.rank, self.size, self.meeting = rank, size, meeting

    def _add(self, message: FloatArray) -> None:
        message[:] = add_pairwise(np.array(self._gather(message)))

    def _gather(self, thing: Any) -> list[Any]:
        return self.meeting.exchange(self.rank, thing)

    def _abort(self, status: int) -> None:
        self.meeting.barrier.abort()


def run_ranks(size: int, work: Callable[[Fleet], T]) -> list[T]:
    """Return what work(fleet) returns in each of `size` ranks; raise the first rank's error."""
    meeting = Meeting(size)
    results: list[Any] = [None] * size
    errors: list[BaseException | None] = [None] * size

    def go(rank: int) -> None:
        try:
            results[rank] = work(ThreadFleet(rank, size, meeting))
        except BaseException as error:
            errors[rank] = error
            meeting.barrier.abort()

    threads = [Thread(target=go, args=(rank,)) for rank in range(size)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for error in errors:
        if error is not None:
            raise error
    return results
