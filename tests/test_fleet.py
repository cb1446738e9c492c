"""What ranks say to each other: sums, requests, errors. Ranks are threads here."""

import numpy as np
import pytest

from digitnet.arrays import FloatArray
from digitnet.errors import ConfigError, DataError, DigitnetError, Elsewhere, ExitStatus
from digitnet.fleet.fleet import Alone, Fleet, Request, add_pairwise
from tests.thread_fleet import run_ranks


def vectors(count: int) -> FloatArray:
    return np.random.default_rng(1).normal(size=(count, 40)).astype(np.float32)


@pytest.mark.parametrize("size", [1, 2, 4, 8])
def test_any_number_of_ranks_adds_the_same_tree(size: int) -> None:
    parts = vectors(8)
    expected = add_pairwise(parts.copy())[:-6]

    def work(fleet: Fleet) -> FloatArray:
        own = parts.reshape(size, 8 // size, -1)[fleet.rank].copy()
        message = add_pairwise(own)
        fleet.add(message)
        return message[:-6]

    sums = [add_pairwise(parts.copy())[:-6]] if size == 1 else run_ranks(size, work)
    assert all(np.array_equal(each, expected) for each in sums)
    assert not np.array_equal(expected, vectors(8).sum(axis=0)[:-6])  # another order, other bits


def test_all_ranks_hear_a_request_at_the_same_message() -> None:
    def work(fleet: Fleet) -> list[set[Request]]:
        heard = []
        for step in range(4):
            if step == 1 and fleet.rank == 2:
                fleet.ask(Request.TERMINATE)
            if step == 2 and fleet.rank == 0:
                fleet.ask(Request.SAVE)
            fleet.add(np.zeros(20, np.float32))
            heard.append(fleet.take_requests())
        return heard

    assert run_ranks(4, work) == [[set(), {Request.TERMINATE}, {Request.SAVE}, set()]] * 4


def test_a_request_is_heard_with_any_exchange() -> None:
    def work(fleet: Fleet) -> set[Request]:
        if fleet.rank == 1:
            fleet.ask(Request.SAVE)
        fleet.share(None)
        return fleet.take_requests()

    assert run_ranks(2, work) == [{Request.SAVE}] * 2


def test_alone_hears_itself_at_once() -> None:
    fleet = Alone()
    fleet.ask(Request.INTERRUPT)
    assert fleet.take_requests() == {Request.INTERRUPT}
    assert fleet.take_requests() == set()


def test_the_leader_shares_its_result() -> None:
    assert run_ranks(3, lambda fleet: fleet.lead(lambda: fleet.rank + 7)) == [7] * 3


@pytest.mark.parametrize("failing", [0, 2])
def test_an_error_ends_all_ranks_and_is_told_once(failing: int) -> None:
    def start(fleet: Fleet) -> str:
        if fleet.rank == failing:
            raise ConfigError("seed", "expected a number, found none")
        fleet.gather("an exchange that the failed rank never reaches")
        return "started"

    def work(fleet: Fleet) -> tuple[type, str, int, bool]:
        try:
            fleet.attempt(lambda: start(fleet))
        except DigitnetError as error:
            return type(error), str(error), error.exit_status, fleet.is_over
        raise AssertionError("no error")

    first, *others = run_ranks(4, work)
    message = "seed: expected a number, found none"
    if failing == 0:
        assert first == (ConfigError, message, ExitStatus.USAGE, True)
    else:
        assert first[1:] == (f"rank {failing}: {message}", ExitStatus.USAGE, True)
    assert [each[0] for each in others] == [Elsewhere] * 3
    assert [each[2:] for each in others] == [(ExitStatus.DONE, True)] * 3


def test_a_signal_while_a_rank_waits_is_obeyed_after_the_exchange() -> None:
    def start(fleet: Fleet) -> None:
        fleet.is_interrupted = fleet.rank == 2
        heard = fleet.rank
        try:
            heard = sum(fleet.gather(fleet.rank))
        except KeyboardInterrupt:
            raise DataError(f"interrupted, {heard}") from None
        fleet.gather(heard)

    def work(fleet: Fleet) -> str:
        with pytest.raises(DigitnetError) as caught:
            fleet.attempt(lambda: start(fleet))
        return str(caught.value)

    assert run_ranks(4, work) == ["rank 2: interrupted, 2", *[str(Elsewhere())] * 3]


def test_ranks_that_are_not_at_the_same_subject_end_at_once() -> None:
    def work(fleet: Fleet) -> tuple[str, bool]:
        with pytest.raises(DigitnetError) as caught:
            fleet.attempt(lambda: fleet.gather(1, "2 files") if fleet.rank != 1 else None)
        return str(caught.value), fleet.is_over

    first, *others = run_ranks(4, work)
    problem = "expected 2 files, as in rank 0, found nothing to prepare"
    assert first == (f"rank 1: {problem}; give all ranks the same files", True)
    assert others == [(str(Elsewhere()), True)] * 3


def test_an_error_alone_stays_as_it_is() -> None:
    def fail() -> None:
        raise DataError("no.csv: does not exist") from MemoryError()

    with pytest.raises(DataError) as caught:
        Alone().attempt(fail)
    assert isinstance(caught.value.__cause__, MemoryError)


def test_only_the_leader_ends_with_a_status() -> None:
    def work(fleet: Fleet) -> int:
        fleet.agreed(DigitnetError("stopped"))
        return fleet.end(ExitStatus.TERMINATED)

    assert run_ranks(3, work) == [143, 0, 0]
