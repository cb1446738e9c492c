"""How work is divided between ranks. Ranks are threads here."""

from collections.abc import Callable

import pytest

from digitnet.fleet import work
from digitnet.fleet.fleet import ALONE, Fleet
from digitnet.fleet.work import divide_work
from tests.thread_fleet import run_ranks

Results = tuple[list[int], list[int], list[tuple[int, int]]]  # all, of one's own work, reports


def square(n: int) -> Callable[[Fleet], Results]:
    """Return a function that lets a rank square its part of the numbers up to n."""

    def go(fleet: Fleet) -> Results:
        own: list[int] = []
        reports: list[tuple[int, int]] = []

        def squares(rows: slice, report: Callable[[int, int], None] | None) -> list[int]:
            numbers = list(range(n))[rows]
            own.extend(numbers)
            assert report is not None
            for done in range(1, len(numbers) + 1):
                report(done, len(numbers))
            return [number**2 for number in numbers]

        result: list[int] = []
        for rows, part in divide_work(
            fleet, n, squares, subject="numbers", report=lambda *told: reports.append(told)
        ):
            assert rows.start == len(result)
            result += part
        return result, own, reports

    return go


@pytest.mark.parametrize("size", [2, 4])
@pytest.mark.parametrize("n", [0, 1, 3, 24, 29])
def test_each_rank_does_a_part_and_gets_everything(
    n: int, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "ROWS_AT_ONCE", 3)
    results = run_ranks(size, square(n))
    assert [result for result, _, _ in results] == [[number**2 for number in range(n)]] * size
    parts = [own for _, own, _ in results]
    assert sorted(number for part in parts for number in part) == list(range(n))
    lengths = list(map(len, parts))
    assert max(lengths) - min(lengths) <= 1
    reports = results[0][2]
    assert reports == sorted(reports)
    assert reports[-1:] == [(n, n)] * bool(n)


def test_alone_does_all_in_one_piece_and_reports_it() -> None:
    numbers = list(range(2000))
    result, own, reports = square(2000)(ALONE)
    assert (result, own) == ([number**2 for number in numbers], numbers)
    assert reports == [(done + 1, 2000) for done in numbers]
