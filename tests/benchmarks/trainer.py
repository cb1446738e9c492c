"""What a contender makes of the work it is given."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Trainer:
    """epoch: what is timed. accuracy: on the test digits, 0 to 1; None for who learns nothing.

    parts: how many times as much as one call of `epoch` does is the work of an epoch.
    """

    epoch: Callable[[], None]
    accuracy: Callable[[], float] | None = None
    parts: float = 1
