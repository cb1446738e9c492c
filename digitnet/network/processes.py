"""A crew of processes, which do not wait for Python's lock each time they meet, as threads do.

The members are forked from the caller when a run begins. Of all arrays made by `arrays.shared` they
use the same memory; of everything else each has a copy. They meet at a barrier of semaphores, where
a member first spins, because the others mostly arrive at once, and then sleeps.
"""

import contextlib
import functools
import itertools
import os
import pickle
import signal
from collections.abc import Callable, Iterable, Iterator
from typing import NoReturn

from digitnet.arrays import Share
from digitnet.errors import TrainingError
from digitnet.network.threads import Task, too_many

SPINS = 500  # attempts before a member sleeps: about 30 microseconds
NAP = 0.1  # s: sleeping longer, a member looks whether the others are alive

Gate = tuple[Callable[[], None], Callable[..., bool]]  # opens another member's, passes one's own


class Processes:
    """A crew whose members are processes; see `make_crew`.

    Raises OSError if the system has no semaphores for it.
    """

    def __init__(self, size: int) -> None:
        import multiprocessing  # slow to start

        context = multiprocessing.get_context("fork")
        # A dissemination barrier: Hensgen, Finkel and Manber 1988, section 3. In each round, a
        # member opens the gate of the member that stands `distance` further on.
        distances = [1 << number for number in range((size - 1).bit_length())]
        self._gates = [[context.Semaphore(0) for _ in range(size)] for _ in distances]
        self._spins = SPINS if size <= len(os.sched_getaffinity(0)) else 0
        self._caller = os.getpid()
        self._members: list[int] = []  # process identifiers
        self._report = -1  # file descriptor: the error of a member
        self._barriers = []
        for member in range(size):
            rounds = [
                (gates[(member + distance) % size].release, gates[member].acquire)
                for gates, distance in zip(self._gates, distances)
            ]
            self._barriers.append(functools.partial(self._wait, rounds))
        self.shares = [Share(member, size, wait) for member, wait in enumerate(self._barriers)]

    def run(self, tasks: Iterable[Task]) -> Iterator[None]:
        """Run each task in all members at once; yield when all have finished it.

        Each member iterates over its own copy of `tasks`, and may begin the next task while the
        caller has not asked for it, up to the task's first barrier. Raises TrainingError if a
        member is killed.
        """
        tasks, share, wait = iter(tasks), self.shares[0], self._barriers[0]
        for gate in itertools.chain(*self._gates):
            while gate.acquire(False):  # left open by a run that was interrupted
                pass
        self._caller = os.getpid()
        self._report, end = os.pipe()
        os.set_blocking(self._report, False)
        try:
            try:
                for member in range(1, len(self.shares)):
                    self._fork(member, tasks, end)
            except OSError:
                raise too_many(len(self.shares), member, "processes") from None
            finally:
                os.close(end)
            for task in tasks:
                task(share)
                wait()
                yield
        finally:
            self._end()

    def _fork(self, member: int, tasks: Iterator[Task], report: int) -> None:
        """Start a member. Its signals stay blocked: they are the caller's."""
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            if identifier := os.fork():
                self._members.append(identifier)
            else:
                self._work(member, tasks, report)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    def _work(self, member: int, tasks: Iterator[Task], report: int) -> NoReturn:
        """Run the tasks in a new member, which then ends."""
        status, share, wait = 1, self.shares[member], self._barriers[member]
        try:
            for name in os.listdir("/proc/self/fd"):
                if int(name) > 2 and int(name) != report:
                    with contextlib.suppress(OSError):
                        os.close(int(name))  # otherwise the caller's lock could outlive the caller
            for task in tasks:
                task(share)
                wait()
            status = 0
        except BaseException as error:
            with contextlib.suppress(Exception):
                os.write(report, pickle.dumps(error))
        finally:
            os._exit(status)

    def _wait(self, rounds: list[Gate]) -> None:
        """Return when all members have called it."""
        for open_next, enter in rounds:
            open_next()
            for _ in range(self._spins):
                if enter(False):
                    break
            else:
                while not enter(True, NAP):
                    self._look()

    def _look(self) -> None:
        """Raise the error of a member that has failed; end a member whose caller has ended."""
        if os.getpid() != self._caller:
            if os.getppid() != self._caller:
                os._exit(1)
            return
        for member in list(self._members):
            with contextlib.suppress(ChildProcessError):
                ended, status = os.waitpid(member, os.WNOHANG)
                if ended:
                    self._members.remove(member)
                if status:
                    raise self._error()

    def _error(self) -> BaseException:
        with contextlib.suppress(Exception):
            error: BaseException = pickle.loads(os.read(self._report, 1 << 16))
            return error
        return TrainingError(
            "a process of the training was killed; perhaps the memory ran out; --resume continues "
            "from the last checkpoint"
        )

    def _end(self) -> None:
        """End the members: none has anything to do after the last barrier."""
        if os.getpid() != self._caller:
            return  # a fork of the caller
        while self._members:
            member = self._members.pop()
            with contextlib.suppress(ProcessLookupError, ChildProcessError):
                os.kill(member, signal.SIGKILL)
                os.waitpid(member, 0)
        os.close(self._report)
