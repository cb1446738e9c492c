"""A crew runs one task in all threads at once and raises the task's errors."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from queue import SimpleQueue

import pytest

from digitnet.arrays import Share
from digitnet.errors import TrainingError
from digitnet.network.crew import Crew


@pytest.fixture(params=[1, 2, 5])
def crew(request: pytest.FixtureRequest) -> Iterator[Crew]:
    crew = Crew(request.param)
    yield crew
    crew.close()


def test_every_member_runs_the_task_once(crew: Crew) -> None:
    for _ in range(100):
        done: SimpleQueue[int] = SimpleQueue()

        def task(share: Share, done: SimpleQueue[int] = done) -> None:
            done.put(share.member)

        crew(task)
        assert sorted(done.get_nowait() for _ in crew.shares) == list(range(len(crew.shares)))


def test_members_run_at_the_same_time_and_the_first_is_the_caller(crew: Crew) -> None:
    barrier = threading.Barrier(len(crew.shares), timeout=10)
    identifiers: dict[int, int] = {}

    def task(share: Share) -> None:
        identifiers[share.member] = threading.get_ident()
        barrier.wait()

    crew(task)
    assert len(set(identifiers.values())) == len(crew.shares)
    assert identifiers[0] == threading.get_ident()


@pytest.mark.parametrize("failing", [0, 1])
def test_an_error_is_raised_after_all_have_finished_and_the_crew_stays_usable(failing: int) -> None:
    crew, done = Crew(2), []

    def task(share: Share) -> None:
        if share.member == failing:
            raise ValueError("no")
        done.append(share.member)

    with pytest.raises(ValueError, match="no"):
        crew(task)
    assert done == [1 - failing]
    crew(lambda share: done.append(share.member))
    assert sorted(done[1:]) == [0, 1]
    crew.close()


def test_members_wait_for_each_other_at_the_barrier(crew: Crew) -> None:
    for _ in range(20):
        words: list[str] = []

        def task(share: Share, words: list[str] = words) -> None:
            for word in ("one", "two", "three"):
                words.append(word)
                if share.barrier:
                    share.barrier()

        crew(task)
        assert words == [word for word in ("one", "two", "three") for _ in range(len(crew.shares))]


@pytest.mark.parametrize("failing", [0, 1, 2])
def test_nobody_waits_for_a_failed_member(failing: int) -> None:
    crew = Crew(3)

    def task(share: Share) -> None:
        if share.member == failing:
            raise ValueError("no")
        assert share.barrier
        share.barrier()

    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            crew(task)
    arrived: list[int] = []

    def wait(share: Share) -> None:
        assert share.barrier
        share.barrier()
        arrived.append(share.member)

    crew(wait)
    assert sorted(arrived) == [0, 1, 2]
    crew.close()


def test_close_releases_waiting_members() -> None:
    before, crew = threading.active_count(), Crew(2)
    # without the caller's own share, as after an interrupt
    crew._tasks[0].put(lambda share: share.barrier() if share.barrier else None)
    crew.close()
    assert threading.active_count() == before


def test_threads_that_the_system_refuses_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    before, start = threading.active_count(), threading.Thread.start

    def start_at_most_two(thread: threading.Thread) -> None:
        if threading.active_count() - before == 2:
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_at_most_two)
    with pytest.raises(TrainingError, match="expected 5 threads, found that the system starts 3"):
        Crew(5)
    assert threading.active_count() == before


def test_the_interpreter_can_exit_with_an_open_crew() -> None:
    code = "from digitnet.network.crew import Crew; crew, done = Crew(3), []"
    code += "; crew(lambda share: done.append(share.member)); print(sorted(done))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=20, check=True)
    assert (done.stdout, done.stderr) == (b"[0, 1, 2]\n", b"")


def test_close_ends_the_threads() -> None:
    before = threading.active_count()
    crew = Crew(4)
    assert threading.active_count() == before + 3
    crew.close()
    assert threading.active_count() == before
