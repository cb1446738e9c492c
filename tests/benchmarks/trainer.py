"""The functions of a contender that are called for a workload."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Trainer:
    """A contender that is ready to train.

    epoch: the function that is timed. accuracy: returns the accuracy on the test digits, 0 to 1;
    None for a contender that does not learn. parts: calls of `epoch` that make a whole epoch.
    """

    epoch: Callable[[], None]
    accuracy: Callable[[], float] | None = None
    parts: float = 1
