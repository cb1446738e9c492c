"""Processes share a budget of memory: together they never claim more than it holds."""

import copy
import random
import threading

import pytest

from digitnet.image.memory_budget import UNIT, UNITS, MemoryBudget


@pytest.mark.usefixtures("impatient")
def test_claims_never_exceed_the_budget_and_all_succeed() -> None:
    """Threads instead of processes: all use the same pipes."""
    budget, lock = MemoryBudget(), threading.Lock()
    claimed, most, done = 0, 0, 0

    def work(seed: int) -> None:
        nonlocal claimed, most, done
        own, rng = copy.copy(budget), random.Random(seed)
        for _ in range(50):
            own.claim(rng.choice((1, UNIT, 20 * UNIT, 30 * UNIT, UNITS * UNIT, 99 * UNIT)))
            units = own._claimed
            with lock:
                claimed += units
                most = max(most, claimed)
                done += 1
            with lock:
                claimed -= units
            own.release()

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    budget.claim(UNITS * UNIT)  # all units have been released
    budget.close()
    assert (most, done) == (UNITS, 400)


@pytest.mark.usefixtures("impatient")
def test_a_second_claim_replaces_the_first() -> None:
    budget = MemoryBudget()
    for units in (UNITS, 5, 1, 7, UNITS):
        budget.claim(units * UNIT)
        assert budget._claimed == units
        other = copy.copy(budget)
        other._claimed = 0
        other.claim((UNITS - units) * UNIT)  # all other units are free
        other.release()
    budget.close()
