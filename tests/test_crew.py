"""A crew runs one task in all threads at once and passes errors on."""

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


def test_every_member_does_the_task_once(crew: Crew) -> None:
    for _ in range(100):
        done: SimpleQueue[int] = SimpleQueue()

        def task(share: Share, done: SimpleQueue[int] = done) -> None:
            done.put(share.member)

        crew(task)
        assert sorted(done.get_nowait() for _ in crew.shares) == list(range(len(crew.shares)))


def test_they_work_at_the_same_time_and_the_first_is_the_caller(crew: Crew) -> None:
    together = threading.Barrier(len(crew.shares), timeout=10)
    names: dict[int, int] = {}

    def task(share: Share) -> None:
        names[share.member] = threading.get_ident()
        together.wait()

    crew(task)
    assert len(set(names.values())) == len(crew.shares)
    assert names[0] == threading.get_ident()


@pytest.mark.parametrize("guilty", [0, 1])
def test_an_error_is_raised_when_all_are_done_and_the_crew_works_on(guilty: int) -> None:
    crew, done = Crew(2), []

    def task(share: Share) -> None:
        if share.member == guilty:
            raise ValueError("no")
        done.append(share.member)

    with pytest.raises(ValueError, match="no"):
        crew(task)
    assert done == [1 - guilty]
    crew(lambda share: done.append(share.member))
    assert sorted(done[1:]) == [0, 1]
    crew.close()


def test_they_wait_for_each_other_where_they_meet(crew: Crew) -> None:
    for _ in range(20):
        said: list[str] = []

        def task(share: Share, said: list[str] = said) -> None:
            for word in ("one", "two", "three"):
                said.append(word)
                if share.barrier:
                    share.barrier()

        crew(task)
        assert said == [word for word in ("one", "two", "three") for _ in range(len(crew.shares))]


@pytest.mark.parametrize("guilty", [0, 1, 2])
def test_nobody_waits_for_one_who_failed(guilty: int) -> None:
    crew = Crew(3)

    def task(share: Share) -> None:
        if share.member == guilty:
            raise ValueError("no")
        assert share.barrier
        share.barrier()

    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            crew(task)
    came: list[int] = []

    def meet(share: Share) -> None:
        assert share.barrier
        share.barrier()
        came.append(share.member)

    crew(meet)
    assert sorted(came) == [0, 1, 2]
    crew.close()


def test_closing_frees_those_who_wait() -> None:
    before, crew = threading.active_count(), Crew(2)
    # as if the caller were interrupted just then
    crew._tasks[0].put(lambda share: share.barrier() if share.barrier else None)
    crew.close()
    assert threading.active_count() == before


def test_threads_that_the_system_will_not_start_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    before, start = threading.active_count(), threading.Thread.start

    def two_at_most(thread: threading.Thread) -> None:
        if threading.active_count() - before == 2:
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", two_at_most)
    with pytest.raises(TrainingError, match="expected 5 threads, found that the system starts 3"):
        Crew(5)
    assert threading.active_count() == before


def test_an_interpreter_may_end_with_a_crew_at_hand() -> None:
    code = "from digitnet.network.crew import Crew; crew, done = Crew(3), []"
    code += "; crew(lambda share: done.append(share.member)); print(sorted(done))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=20, check=True)
    assert (done.stdout, done.stderr) == (b"[0, 1, 2]\n", b"")


def test_closing_ends_the_threads() -> None:
    before = threading.active_count()
    crew = Crew(4)
    assert threading.active_count() == before + 3
    crew.close()
    assert threading.active_count() == before
