"""A crew of threads. NumPy releases Python's lock while it computes, so threads run in parallel.

Idle threads block instead of spinning as OpenBLAS's do: next to a program that needs a core,
training slows down, but does not collapse.
"""

import functools
import sys
from collections.abc import Callable, Generator, Iterable
from queue import SimpleQueue
from threading import Thread

from digitnet.arrays import Share
from digitnet.errors import TrainingError

Task = Callable[[Share], None]


class Refused(TrainingError):
    """The system starts only `found` of the `expected` members."""

    def __init__(self, expected: int, found: int, members: str) -> None:
        problem = f"expected {expected} {members}, found that the system starts {found}"
        super().__init__(f"{problem}; lower training.threads")


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


class Threads:
    """A crew whose members are threads; see `crew`, and `Processes` for what runs faster."""

    def __init__(self, size: int) -> None:
        self._barrier = Barrier(size)
        waits = [functools.partial(self._barrier.wait, member) for member in range(size)]
        self.shares = [
            Share(member, size, wait if size > 1 else None) for member, wait in enumerate(waits)
        ]

    def run(self, tasks: Iterable[Task]) -> Generator[None, None, None]:
        """Run each task in all members at once; yield when all have finished it.

        Raises Refused before the first task if the system starts too few threads.
        """
        self._barrier.reset()
        queues: list[SimpleQueue[Task | None]] = [SimpleQueue() for _ in self.shares[1:]]
        reports: SimpleQueue[BaseException | None] = SimpleQueue()
        threads: list[Thread] = []
        try:
            for share, queue in zip(self.shares[1:], queues):
                thread = Thread(target=self._work, args=(share, queue, reports), daemon=True)
                try:
                    thread.start()
                except RuntimeError:
                    raise Refused(len(self.shares), share.member, "threads") from None
                threads.append(thread)
            for task in tasks:
                for queue in queues:
                    queue.put(task)
                errors = [self._try(task, self.shares[0]), *(reports.get() for _ in queues)]
                failed = [error for error in errors if error is not None]
                if failed:
                    causes = [error for error in failed if not isinstance(error, BrokenBarrier)]
                    raise (causes or failed)[0]
                yield
        finally:
            self._barrier.abort()
            for queue in queues:
                queue.put(None)
            if not sys.is_finalizing():  # then the threads have ended already
                for thread in threads:
                    thread.join()

    def _work(
        self,
        share: Share,
        tasks: "SimpleQueue[Task | None]",
        reports: "SimpleQueue[BaseException | None]",
    ) -> None:
        while task := tasks.get():
            reports.put(self._try(task, share))

    def _try(self, task: Task, share: Share) -> BaseException | None:
        try:
            task(share)
        except BaseException as error:
            self._barrier.abort()  # the others must not wait for this member
            return error
        return None
