"""A crew of processes, which do not wait for Python's lock each time they meet, as threads do.

Members are forked from the caller when a run begins. They use the same memory for arrays made by
`arrays.shared`; each has a copy of everything else. They meet at a barrier of semaphores: there a
member first spins, because most others arrive at once, and then sleeps.
"""

import contextlib
import functools
import itertools
import os
import pickle
import signal
import time
import traceback
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import NamedTuple, NoReturn

from digitnet.arrays import Share
from digitnet.errors import TrainingError
from digitnet.network.threads import Refused, Task

SPINS = 1000  # attempts to pass a gate before a member sleeps
NAP = 0.1  # s of sleep after which a member looks whether the others are alive
MAX_REPORT = 60_000  # bytes of an error: a pipe holds 65,536

Gate = tuple[Callable[[], None], Callable[..., bool]]  # opens the next member's gate; passes a gate


class Member(NamedTuple):
    """A process, and the descriptor of the pipe in which the process writes its error."""

    process: int
    report: int


class Processes:
    """A crew whose members are processes; see `crew`.

    Raises OSError if the system has no semaphores.
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
        self._members: list[Member] = []
        self._barriers = []
        for member in range(size):
            rounds = [
                (gates[(member + distance) % size].release, gates[member].acquire)
                for gates, distance in zip(self._gates, distances)
            ]
            self._barriers.append(functools.partial(self._wait, rounds))
        self.shares = [Share(member, size, wait) for member, wait in enumerate(self._barriers)]

    def run(self, tasks: Iterable[Task]) -> Generator[None, None, None]:
        """Run each task in all members at once; yield when all have finished it.

        Each member iterates over its own copy of `tasks`. A member may begin the next task before
        the caller asks for it, up to the task's first barrier. Raises Refused before the first task
        if the system starts too few processes; TrainingError if a member ends, or in a process that
        was forked from the caller.
        """
        tasks, share, wait = iter(tasks), self.shares[0], self._barriers[0]
        for gate in itertools.chain(*self._gates):
            while gate.acquire(False):  # left open by a run that was interrupted
                pass
        self._caller = os.getpid()
        try:
            for member in range(1, len(self.shares)):
                self._fork(member, tasks)
            for task in tasks:
                task(share)
                wait()
                yield
                if os.getpid() != self._caller:
                    raise TrainingError("a forked process cannot go on with a training")
        finally:
            self._end()

    def _fork(self, member: int, tasks: Iterator[Task]) -> None:
        """Start a member. All signals stay blocked in the member: they are for the caller."""
        with _no_signals():
            report, end = os.pipe()
            os.set_blocking(report, False)
            try:
                if process := os.fork():
                    self._members.append(Member(process, report))
                else:
                    self._work(member, tasks, end)
            except OSError:
                os.close(report)
                raise Refused(len(self.shares), member, "processes") from None
            finally:
                os.close(end)

    def _work(self, member: int, tasks: Iterator[Task], end: int) -> NoReturn:
        """Run the tasks in a new member until the caller ends it; end with a report of an error."""
        share, wait, report = self.shares[member], self._barriers[member], b""
        try:
            for name in os.listdir("/proc/self/fd"):
                if int(name) > 2 and int(name) != end:
                    with contextlib.suppress(OSError):
                        os.close(int(name))  # otherwise the caller's lock could outlive the caller
            for task in tasks:
                task(share)
                wait()
            while True:
                time.sleep(NAP)
                self._look()
        except BaseException as error:
            report = _packed(error)
        finally:
            try:
                os.write(end, report)
            finally:
                os._exit(1)

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
        """In the caller, raise a member's error; in a member, end if the caller has ended."""
        if os.getpid() != self._caller:
            if os.getppid() != self._caller:
                os._exit(1)
            return
        for member in self._members:
            with contextlib.suppress(BlockingIOError):  # the member works
                report = os.read(member.report, MAX_REPORT)
                raise pickle.loads(report) if report else self._ended(member)

    def _ended(self, member: Member) -> TrainingError:
        """Return the error for a member that has ended without a report."""
        how = "has ended"
        with contextlib.suppress(ChildProcessError):  # if the program waits for all its children
            ended = os.waitid(os.P_PID, member.process, os.WEXITED | os.WNOWAIT)
            if ended and ended.si_code in (os.CLD_KILLED, os.CLD_DUMPED):
                how = f"was ended by {signal.Signals(ended.si_status).name}"
        advice = "perhaps the memory ran out; --resume continues from the last checkpoint"
        found = f"expected {len(self.shares)} processes, found that one {how}"
        return TrainingError(f"training.threads: {found}; {advice}")

    def _end(self) -> None:
        """End the members, and forget them."""
        if os.getpid() != self._caller:
            return
        with _no_signals():
            for member in self._members:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(member.process, signal.SIGKILL)
            for member in self._members:
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(member.process, 0)
                os.close(member.report)
            self._members.clear()


@contextlib.contextmanager
def _no_signals() -> Iterator[None]:
    """Block all signals meanwhile."""
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    try:  # blocking a signal runs the handler of one that came before
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _packed(error: BaseException) -> bytes:
    """Return an error with its traceback as bytes; a TrainingError for one that has no bytes."""
    error.add_note(traceback.format_exc())
    with contextlib.suppress(Exception):
        packed = pickle.dumps(error)
        if len(packed) <= MAX_REPORT and isinstance(pickle.loads(packed), type(error)):
            return packed
    return pickle.dumps(TrainingError(f"a process of the training failed: {error!r:.1000}"))
