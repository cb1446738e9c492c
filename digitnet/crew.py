"""Threads that do the same thing at the same time, each on its own share.

NumPy lets go of Python's lock while it computes, so they do run side by side. Whoever has nothing
to do sleeps: beside another program that needs a core, the work is slower, but does not collapse
as it does with threads that wait for each other awake, which are BLAS's own.
"""

import sys
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread

from digitnet.errors import TrainingError

Task = Callable[[int], None]


class Crew:
    """`size` threads, of which the caller's is the first."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._tasks: list[SimpleQueue[Task | None]] = [SimpleQueue() for _ in range(size - 1)]
        self._reports: SimpleQueue[BaseException | None] = SimpleQueue()
        self._threads: list[Thread] = []
        for member, tasks in enumerate(self._tasks, start=1):
            thread = Thread(target=self._work, args=(member, tasks), daemon=True)
            try:
                thread.start()
            except RuntimeError:
                self.close()
                found = f"expected to start {size} threads, found that no more than {member} may be"
                raise TrainingError(found) from None
            self._threads.append(thread)

    def __call__(self, task: Task) -> None:
        """task(0), task(1) … task(size - 1), side by side; raises what one of them raised.

        After a KeyboardInterrupt, `close` is all that may follow.
        """
        try:
            for tasks in self._tasks:
                tasks.put(task)
            task(0)
        finally:
            reports = [self._reports.get() for _ in self._tasks]
        for error in reports:
            if error is not None:
                raise error

    def close(self) -> None:
        """Send the threads home."""
        for tasks in self._tasks:
            tasks.put(None)
        if not sys.is_finalizing():  # when the interpreter ends, they have ended already
            for thread in self._threads:
                thread.join()

    def _work(self, member: int, tasks: "SimpleQueue[Task | None]") -> None:
        while task := tasks.get():
            try:
                task(member)
            except BaseException as error:
                self._reports.put(error)
            else:
                self._reports.put(None)
