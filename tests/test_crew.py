"""A crew does the same thing side by side, and tells what went wrong."""

import threading
from collections.abc import Iterator

import pytest

from digitnet.crew import Crew


@pytest.fixture(params=[1, 2, 5])
def crew(request: pytest.FixtureRequest) -> Iterator[Crew]:
    crew = Crew(request.param)
    yield crew
    crew.close()


def test_every_member_does_the_task_once(crew: Crew) -> None:
    for _ in range(100):
        done: list[int] = []
        crew(done.append)
        assert sorted(done) == list(range(crew.size))


def test_they_work_at_the_same_time_and_the_first_is_the_caller(crew: Crew) -> None:
    together = threading.Barrier(crew.size, timeout=10)
    names: dict[int, int] = {}

    def task(member: int) -> None:
        names[member] = threading.get_ident()
        together.wait()

    crew(task)
    assert len(set(names.values())) == crew.size
    assert names[0] == threading.get_ident()


@pytest.mark.parametrize("guilty", [0, 1])
def test_an_error_is_raised_when_all_are_done_and_the_crew_works_on(guilty: int) -> None:
    crew, done = Crew(2), []

    def task(member: int) -> None:
        if member == guilty:
            raise ValueError("no")
        done.append(member)

    with pytest.raises(ValueError, match="no"):
        crew(task)
    assert done == [1 - guilty]
    crew(done.append)
    assert sorted(done[1:]) == [0, 1]
    crew.close()


def test_closing_ends_the_threads() -> None:
    before = threading.active_count()
    crew = Crew(4)
    assert threading.active_count() == before + 3
    crew.close()
    assert threading.active_count() == before
