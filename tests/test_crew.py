"""A crew runs tasks in all members at once and raises the tasks' errors."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from digitnet import arrays
from digitnet.arrays import Share
from digitnet.errors import TrainingError
from digitnet.network import crew as crews
from digitnet.network.crew import Crew, make_crew
from digitnet.network.processes import Processes
from digitnet.network.threads import Threads

KINDS = {"threads": Threads, "processes": Processes}
PROGRAM = """
import os, sys, time
from digitnet.arrays import Share, shared
from digitnet.network.crew import make_crew
from digitnet.network.{module} import {kind}
crew, found = {kind}({size}), shared(({size},), "f8")
def task(share):
    found[share.member] = os.getpid()
    share.barrier()
"""


def program(kind: str, size: int, rest: str) -> list[str]:
    """Return a command that makes a crew, an array `found` and a task, and runs the rest."""
    head = PROGRAM.format(module=kind, kind=KINDS[kind].__name__, size=size)
    return [sys.executable, "-c", head + rest]


@pytest.fixture(params=["threads", "processes"])
def make(request: pytest.FixtureRequest) -> Callable[[int], Crew]:
    kind: Callable[[int], Crew] = KINDS[request.param]
    return kind


def record() -> np.ndarray:
    return arrays.shared((5, 8), np.float32)


def barrier(share: Share) -> None:
    assert share.barrier
    share.barrier()


def is_running(process: int) -> bool:
    """Return whether a process exists and has not ended."""
    try:
        return "(zombie)" not in Path(f"/proc/{process}/status").read_text()
    except FileNotFoundError:
        return False


def gone(process: int) -> bool:
    """Return whether a process ends within some seconds."""
    for _ in range(200):
        if not is_running(process):
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("size", [2, 3, 5])
def test_every_member_runs_every_task_once(make: Callable[[int], Crew], size: int) -> None:
    crew, done = make(size), record()

    def task(share: Share) -> None:
        done[share.member, 0] += 1

    for runs in (1, 2):
        for number, _ in enumerate(crew.run([task] * 50), 1):
            assert (done[:size, 0] >= 50 * (runs - 1) + number).all()
        assert (done[:size, 0] == 50 * runs).all()
    assert not done[size:].any()


def test_a_single_member_runs_the_tasks_itself() -> None:
    found: list[Share] = []
    for _ in make_crew(1, processes=True).run([found.append] * 3):
        pass
    assert found == [Share()] * 3


def test_members_run_at_the_same_time_and_the_first_is_the_caller(
    make: Callable[[int], Crew],
) -> None:
    crew, found = make(3), record()

    def task(share: Share) -> None:
        found[share.member, 0] = os.getpid() == caller[0] and threading.get_ident() == caller[1]
        found[share.member, 1] = 1
        until = time.monotonic() + 10
        while not found[:3, 1].all() and time.monotonic() < until:
            time.sleep(0.001)
        found[share.member, 2] = found[:3, 1].sum()

    caller = os.getpid(), threading.get_ident()
    assert list(crew.run([task])) == [None]
    assert found[:3, 0].tolist() == [1, 0, 0]
    assert found[:3, 2].tolist() == [3, 3, 3]


@pytest.mark.parametrize("failing", [0, 1, 2])
def test_an_error_is_raised_and_the_crew_can_run_again(
    make: Callable[[int], Crew], failing: int
) -> None:
    crew, done = make(3), record()

    def fail(share: Share) -> None:
        if share.member == failing:
            raise ValueError("no")
        barrier(share)
        barrier(share)

    def task(share: Share) -> None:
        barrier(share)
        done[share.member, 0] += 1

    for _ in range(2):
        with pytest.raises(ValueError, match=r"^no\b"):
            list(crew.run([fail]))
    assert list(crew.run([task, task])) == [None, None]
    assert done[:3, 0].tolist() == [2, 2, 2]
    assert_members_meet(crew)


class Strange(Exception):
    """An exception that cannot be unpickled."""

    def __init__(self, one: int, other: int) -> None:
        super().__init__(f"{one} and {other}")


@pytest.mark.parametrize(
    "error", [ValueError("x" * 100_000), Strange(1, 2)], ids=["long", "strange"]
)
def test_an_error_that_cannot_be_sent_is_described(error: Exception) -> None:
    def fail(share: Share) -> None:
        if share.member:
            raise error
        barrier(share)

    with pytest.raises(TrainingError, match=r"^a process of the training failed: ") as found:
        list(Processes(2).run([fail]))
    assert type(error).__name__ in str(found.value)
    assert len(str(found.value)) < 2000


def test_an_error_has_the_traceback_of_its_process() -> None:
    def fail_in_the_member(share: Share) -> None:
        if share.member:
            raise KeyError("no")
        barrier(share)

    with pytest.raises(KeyError) as found:
        list(Processes(2).run([fail_in_the_member]))
    assert "in fail_in_the_member" in "".join(found.value.__notes__)


@pytest.mark.parametrize("size", [2, 3, 5])
def test_members_wait_for_each_other_at_the_barrier(make: Callable[[int], Crew], size: int) -> None:
    assert_members_meet(make(size))


def assert_members_meet(crew: Crew) -> None:
    done, size = record(), len(crew.shares)

    def task(share: Share) -> None:
        for step in range(1, 100):
            if step % size == share.member:
                time.sleep(0.0003)
            done[share.member, 0] = step
            barrier(share)
            done[share.member, 1] += (done[:size, 0] != step).sum()
            barrier(share)

    for _ in crew.run([task] * 3):
        pass
    assert not done[:, 1].any()


def test_a_run_ends_when_its_iterator_is_closed(make: Callable[[int], Crew]) -> None:
    before, crew, found = threading.active_count(), make(3), record()

    def task(share: Share) -> None:
        found[share.member, 0] = os.getpid()

    run = crew.run(task for _ in range(1000))
    next(run)
    members = set(found[:3, 0].astype(int).tolist()) - {os.getpid()}
    run.close()
    assert threading.active_count() == before
    assert not any(map(is_running, members))
    assert list(crew.run([task])) == [None]


def test_a_process_has_a_copy_of_what_is_not_shared() -> None:
    found, plain = record(), np.zeros(2)

    def tasks() -> Iterator[Callable[[Share], None]]:
        for number in range(3):
            plain[:] = number  # in each member
            yield task

    def task(share: Share) -> None:
        found[share.member, int(plain[0])] = plain[1] + 1

    list(Processes(2).run(tasks()))
    assert found[:2, :3].tolist() == [[1, 2, 3]] * 2


@pytest.mark.parametrize("reaped", [False, True])
def test_a_killed_process_ends_the_run_in_one_line(reaped: bool) -> None:
    crew, found = Processes(3), record()

    def task(share: Share) -> None:
        if found[2, 0] and share.member == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        barrier(share)
        found[share.member, 0] = os.getpid()

    if reaped:
        before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with pytest.raises(
        TrainingError,
        match=r"^training.threads: expected 3 processes, found that one [a-zA-Z ]+; ",
    ) as error:
        list(crew.run([task] * 3))
    if reaped:
        signal.signal(signal.SIGCHLD, before)
    assert "\n" not in str(error.value)
    assert not any(is_running(int(process)) for process in found[1:3, 0])


@pytest.mark.parametrize("busy", [False, True], ids=["waiting", "busy"])
def test_processes_end_when_their_caller_is_killed(busy: bool) -> None:
    rest = "for _ in crew.run(task for _ in range(10**9)):\n    if not found.all(): continue\n"
    rest += f"    if not {busy}: print(*found.astype(int), flush=True); time.sleep(60)\n"
    rest += "    if not crew.printed: print(*found.astype(int), flush=True); crew.printed = True\n"
    command = program("processes", 3, f"crew.printed = False\n{rest}")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        caller, *members = map(int, process.stdout.readline().split())
        assert caller == process.pid
        assert all(map(is_running, members))
        process.kill()
        process.wait()
        assert all(map(gone, members))


def test_processes_leave_signals_to_their_caller() -> None:
    rest = "print(*found.astype(int), flush=True); input()"
    rest = f"for _ in crew.run([task] * 2):\n    {rest}\nprint('done')"
    command = program("processes", 2, rest)
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        _, member = map(int, process.stdout.readline().split())
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
            os.kill(member, number)
        time.sleep(0.3)
        out, _ = process.communicate("\n\n", timeout=20)
        assert out.endswith("\ndone\n")
    assert process.returncode == 0


def test_a_fork_of_the_caller_neither_goes_on_nor_ends_the_members() -> None:
    crew, found = Processes(3), record()

    def task(share: Share) -> None:
        barrier(share)
        found[share.member, 0] += 1

    run = crew.run([task] * 3)
    next(run)
    for wrong, expected in ((lambda: next(run), 2), (run.close, 1)):
        if not (child := os.fork()):
            try:
                wrong()
                os._exit(1)
            except TrainingError:
                os._exit(2)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == expected
    assert list(run) == [None, None]
    assert found[:3, 0].tolist() == [3, 3, 3]


def test_an_interrupt_while_members_are_ended_leaves_none(monkeypatch: pytest.MonkeyPatch) -> None:
    crew, found, kill = Processes(3), record(), os.kill

    def task(share: Share) -> None:
        found[share.member, 0] = os.getpid()

    def interrupted(process: int, number: int) -> None:
        signal.raise_signal(signal.SIGINT)
        kill(process, number)

    run = crew.run([task] * 2)
    next(run)
    monkeypatch.setattr(os, "kill", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run.close()
    assert not any(is_running(int(process)) for process in found[1:3, 0])


@pytest.mark.usefixtures("interrupted_mask")
def test_a_signal_just_before_members_start_leaves_no_signals_blocked() -> None:
    crew = Processes(2)
    with pytest.raises(KeyboardInterrupt):
        next(crew.run([lambda _: None]))


def test_processes_keep_no_files_open() -> None:
    rest = "held = open('/dev/null'); os.set_inheritable(held.fileno(), True)\n"
    rest += "def task(share): found[share.member] = len(os.listdir('/proc/self/fd'))\n"
    rest += "for _ in crew.run([task]): pass\nprint(*found.astype(int))"
    done = subprocess.run(program("processes", 2, rest), capture_output=True, text=True, check=True)
    ours, members = map(int, done.stdout.split())
    assert members == 5  # standard streams, the report, and the folder that is being listed
    assert ours > members


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rest", ["list(crew.run([task]))", "run = crew.run([task]); next(run)"])
def test_the_interpreter_can_exit_with_an_open_crew(kind: str, rest: str) -> None:
    rest += "\nprint(sum(found > 0))"
    done = subprocess.run(program(kind, 3, rest), capture_output=True, timeout=20, check=True)
    assert (done.stdout, done.stderr) == (b"3\n", b"")


def test_threads_that_the_system_refuses_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    before, start = threading.active_count(), threading.Thread.start

    def start_at_most_two(thread: threading.Thread) -> None:
        if threading.active_count() - before == 2:
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_at_most_two)
    with pytest.raises(TrainingError, match="expected 5 threads, found that the system starts 3"):
        list(Threads(5).run([]))
    assert threading.active_count() == before


def test_processes_that_the_system_refuses_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    fork, members = os.fork, []

    def fork_at_most_two() -> int:
        if len(members) == 2:
            raise BlockingIOError("Resource temporarily unavailable")
        if member := fork():
            members.append(member)
        return member

    monkeypatch.setattr(os, "fork", fork_at_most_two)
    with pytest.raises(TrainingError, match="expected 5 processes, found that the system starts 3"):
        list(Processes(5).run([barrier]))
    assert not any(map(is_running, members))


def test_a_crew_is_of_processes_where_forking_is_safe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crews, "may_fork", lambda: True)
    assert isinstance(make_crew(2, processes=True), Processes)
    assert isinstance(make_crew(1, processes=True), Threads)
    assert isinstance(make_crew(2, processes=False), Threads)

    def refuse(size: int) -> None:
        raise FileNotFoundError("/dev/shm")

    monkeypatch.setattr(crews, "Processes", refuse)
    assert isinstance(make_crew(2, processes=True), Threads)
    monkeypatch.setattr(crews, "may_fork", lambda: False)
    assert isinstance(make_crew(2, processes=True), Threads)


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("", True),
        ("import sys; sys.modules['mpi4py.MPI'] = sys", False),
        ("import threading, time; threading.Thread(target=time.sleep, args=[1]).start()", False),
        ("import os; os.environ['OPENBLAS_NUM_THREADS'] = '1'; import numpy", True),
    ],
)
def test_forking_is_safe_with_one_thread_and_without_mpi(before: str, expected: bool) -> None:
    code = f"{before}\nfrom digitnet.network.crew import may_fork; print(may_fork())"
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == f"{expected}\n"
