"""Contenders that take turns, so that what disturbs the machine disturbs all of them."""

import time
from collections.abc import Callable, Mapping
from typing import TypeVar

K = TypeVar("K")
T = TypeVar("T")

REST = 0.3  # seconds: threads of OpenMP and BLAS stay awake for up to 0.2 after their work


def take_turns(contenders: Mapping[K, Callable[[], T]], rounds: int) -> dict[K, list[T]]:
    """What each of them answers in each round, after a round to warm up."""
    results: dict[K, list[T]] = {name: [] for name in contenders}
    for number in range(rounds + 1):
        for name, measure in contenders.items():
            time.sleep(REST)
            result = measure()
            if number > 0:
                results[name].append(result)
    return results
