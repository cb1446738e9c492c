"""Contenders that take turns, so that what disturbs the machine disturbs all of them."""

from collections.abc import Callable, Mapping
from typing import TypeVar

K = TypeVar("K")
T = TypeVar("T")


def take_turns(contenders: Mapping[K, Callable[[], T]], rounds: int) -> dict[K, list[T]]:
    """What each of them answers in each round, after a round to warm up."""
    results: dict[K, list[T]] = {name: [] for name in contenders}
    for number in range(rounds + 1):
        for name, measure in contenders.items():
            result = measure()
            if number > 0:
                results[name].append(result)
    return results
