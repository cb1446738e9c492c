"""Interleave the measurements of contenders, so that a disturbance affects all of them."""

import time
from collections.abc import Callable, Mapping
from typing import TypeVar

K = TypeVar("K")
T = TypeVar("T")

REST = 0.3  # s: idle threads of OpenMP and BLAS spin for up to 0.2 s before they block


def take_turns(contenders: Mapping[K, Callable[[], T]], rounds: int) -> dict[K, list[T]]:
    """Return the results of each contender, one per round, after a warm-up round."""
    results: dict[K, list[T]] = {name: [] for name in contenders}
    for number in range(rounds + 1):
        for name, measure in contenders.items():
            time.sleep(REST)
            result = measure()
            if number > 0:
                results[name].append(result)
    return results
