"""Threads that do the same thing at the same time, each on its own share.

NumPy lets go of Python's lock while it computes, so they do run side by side. Whoever has nothing
to do sleeps: beside another program that needs a core, the work is slower, but does not collapse
as it does with threads that wait for each other awake, which are BLAS's own.
"""

import functools
import sys
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread

from digitnet.arrays import Share
from digitnet.errors import TrainingError

Task = Callable[[Share], None]


class Broken(Exception):
    """Whoever was waited for will not come."""


class Meeting:
    """Where all members wait for each other, in queues that an interrupt cannot leave half done."""

    def __init__(self, size: int) -> None:
        self._size = size
        self.open()

    def open(self) -> None:
        """Make it as new; nobody may be waiting."""
        self._arrivals: SimpleQueue[bool] = SimpleQueue()
        self._gates: list[SimpleQueue[bool]] = [SimpleQueue() for _ in range(self._size - 1)]

    def wait(self, member: int) -> None:
        """Return when all members have come; raises Broken if one never will."""
        if member > 0:
            self._arrivals.put(True)
            if not self._gates[member - 1].get():
                raise Broken
            return
        for _ in self._gates:
            if not self._arrivals.get():
                raise Broken
        for gate in self._gates:
            gate.put(True)

    def abort(self) -> None:
        """Send away those who wait, and those who are to come."""
        for queue in (self._arrivals, *self._gates):
            queue.put(False)


class Crew:
    """`size` threads, of which the caller's is the first."""

    def __init__(self, size: int) -> None:
        self._meeting = Meeting(size)
        meets = [functools.partial(self._meeting.wait, member) for member in range(size)]
        self.shares = [
            Share(member, size, meet if size > 1 else None) for member, meet in enumerate(meets)
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
        failed = [error for error in errors if error is not None]
        if failed:
            self._meeting.open()
            raise next((error for error in failed if not isinstance(error, Broken)), failed[0])

    def close(self) -> None:
        """Send the threads home."""
        self._meeting.abort()
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
            self._meeting.abort()  # nobody shall wait for this one
            return error
        return None
