"""Threads that run the same task at the same time, each on its own share of the data.

NumPy releases Python's lock while it computes, so the threads run in parallel. Idle threads block
instead of spinning as OpenBLAS's do: next to a program that needs a core, training slows down, but
does not collapse.
"""

import functools
import sys
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread

from digitnet.arrays import Share
from digitnet.errors import TrainingError

Task = Callable[[Share], None]


class BrokenBarrier(Exception):
    """A member that the others waited for has failed."""


class Barrier:
    """A barrier for all members, of queues: an interrupt cannot leave them half changed."""

    def __init__(self, size: int) -> None:
        self._size = size
        self.reset()

    def reset(self) -> None:
        """Make the barrier usable again; no member may be waiting."""
        self._arrivals: SimpleQueue[bool] = SimpleQueue()
        self._gates: list[SimpleQueue[bool]] = [SimpleQueue() for _ in range(self._size - 1)]

    def wait(self, member: int) -> None:
        """Return when all members have called it; raise BrokenBarrier if one has failed."""
        if member > 0:
            self._arrivals.put(True)
            if not self._gates[member - 1].get():
                raise BrokenBarrier
            return
        for _ in self._gates:
            if not self._arrivals.get():
                raise BrokenBarrier
        for gate in self._gates:
            gate.put(True)

    def abort(self) -> None:
        """Raise BrokenBarrier in all members that wait now or later."""
        for queue in (self._arrivals, *self._gates):
            queue.put(False)


class Crew:
    """`size` threads; the first is the caller's.

    Raises TrainingError if the system does not start that many.
    """

    def __init__(self, size: int) -> None:
        self._barrier = Barrier(size)
        waits = [functools.partial(self._barrier.wait, member) for member in range(size)]
        self.shares = [
            Share(member, size, wait if size > 1 else None) for member, wait in enumerate(waits)
        ]
        self._tasks: list[SimpleQueue[Task | None]] = [SimpleQueue() for _ in range(size - 1)]
        self._reports: SimpleQueue[BaseException | None] = SimpleQueue()
        self._threads: list[Thread] = []
        for share, tasks in zip(self.shares[1:], self._tasks):
            thread = Thread(target=self._work, args=(share, tasks), daemon=True)
            try:
                thread.start()
            except RuntimeError:
                self.close()
                found = f"expected {size} threads, found that the system starts {share.member}"
                raise TrainingError(f"{found}; lower training.threads") from None
            self._threads.append(thread)

    def __call__(self, task: Task) -> None:
        """Run task(share) in all threads at once; raise the error that one of them raised.

        After a KeyboardInterrupt only `close` may be called.
        """
        for tasks in self._tasks:
            tasks.put(task)
        errors = [self._try(task, self.shares[0]), *(self._reports.get() for _ in self._tasks)]
        failed = [error for error in errors if error is not None]
        if failed:
            self._barrier.reset()
            causes = [error for error in failed if not isinstance(error, BrokenBarrier)]
            raise (causes or failed)[0]

    def close(self) -> None:
        """End the threads."""
        self._barrier.abort()
        for tasks in self._tasks:
            tasks.put(None)
        if not sys.is_finalizing():  # then the threads have ended already
            for thread in self._threads:
                thread.join()

    def _work(self, share: Share, tasks: "SimpleQueue[Task | None]") -> None:
        while task := tasks.get():
            self._reports.put(self._try(task, share))

    def _try(self, task: Task, share: Share) -> BaseException | None:
        try:
            task(share)
        except BaseException as error:
            self._barrier.abort()  # the others must not wait for this member
            return error
        return None
