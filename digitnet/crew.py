"""Threads that do the same thing at the same time, each on its own share.

NumPy lets go of Python's lock while it computes, so they do run side by side. Whoever has nothing
to do sleeps: beside another program that needs a core, the work is slower, but does not collapse
as it does with threads that wait for each other awake, which are BLAS's own.
"""

import sys
from collections.abc import Callable
from queue import SimpleQueue
from threading import Barrier, BrokenBarrierError, Thread

from digitnet.errors import TrainingError
from digitnet.share import Share

Task = Callable[[Share], None]


class Crew:
    """`size` threads, of which the caller's is the first."""

    def __init__(self, size: int) -> None:
        self._barrier = Barrier(size)
        meet = self._barrier.wait if size > 1 else None
        self.shares = [Share(member, size, meet) for member in range(size)]
        self._tasks: list[SimpleQueue[Task | None]] = [SimpleQueue() for _ in range(size - 1)]
        self._reports: SimpleQueue[BaseException | None] = SimpleQueue()
        self._threads: list[Thread] = []
        for share, tasks in zip(self.shares[1:], self._tasks):
            thread = Thread(target=self._work, args=(share, tasks), daemon=True)
            try:
                thread.start()
            except RuntimeError:
                self.close()
                most = share.member
                found = f"expected to start {size} threads, found that no more than {most} may be"
                raise TrainingError(found) from None
            self._threads.append(thread)

    def __call__(self, task: Task) -> None:
        """task(share), side by side for each member's share; raises what one of them raised.

        After a KeyboardInterrupt, `close` is all that may follow.
        """
        for tasks in self._tasks:
            tasks.put(task)
        errors = [self._try(task, self.shares[0]), *(self._reports.get() for _ in self._tasks)]
        causes = [e for e in errors if e is not None and not isinstance(e, BrokenBarrierError)]
        if causes:
            self._barrier.reset()
            raise causes[0]

    def close(self) -> None:
        """Send the threads home."""
        self._barrier.abort()
        for tasks in self._tasks:
            tasks.put(None)
        if not sys.is_finalizing():  # when the interpreter ends, they have ended already
            for thread in self._threads:
                thread.join()

    def _work(self, share: Share, tasks: "SimpleQueue[Task | None]") -> None:
        while task := tasks.get():
            self._reports.put(self._try(task, share))

    def _try(self, task: Task, share: Share) -> BaseException | None:
        try:
            task(share)
        except BaseException as error:
            self._barrier.abort()  # nobody shall wait for this one
            return error
        return None
