"""Divide work between the ranks, and give the results to all of them."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import TypeVar

from digitnet.fleet.fleet import Fleet

Report = Callable[[int, int], None]  # called with the amount of work done so far, and with all
T = TypeVar("T")

ROWS_AT_ONCE = 500  # rows of a rank between two exchanges: a minute of work if all are photos


def divide_work(
    fleet: Fleet,
    n: int,
    work: Callable[[slice, Report | None], T],
    *,
    subject: str,
    report: Report | None = None,
) -> Iterator[tuple[slice, T]]:
    """Yield slices of n rows and what work(rows, report) returns for them, in order, in all ranks.

    All ranks are at nearby rows at the same time, so that none waits long for another. One process
    does all work in one piece. subject: see `Fleet.gather`. report: called as if all rows were
    done by this rank; each piece of work gets a report of its own rows.
    """
    at_once = n if fleet.size == 1 else ROWS_AT_ONCE * fleet.size
    for start in range(0, n, at_once or 1):
        count = min(at_once, n - start)
        bounds = [start - (-count * rank // fleet.size) for rank in range(fleet.size + 1)]
        parts = [slice(first, end) for first, end in pairwise(bounds)]  # rank 0's is not empty
        result = work(parts[fleet.rank], report and _for_part(report, start, count, n))
        yield from zip(parts, fleet.gather(result, subject) if fleet.size > 1 else [result])


def _for_part(report: Report, start: int, count: int, n: int) -> Report:
    """Return the report of one rank's part of `count` rows that begin at `start`."""

    def report_part(done: int, of: int) -> None:
        report(start + count * done // of, n)

    return report_part
