"""Which part of a common work is whose."""

from collections.abc import Callable
from typing import NamedTuple


class Share(NamedTuple):
    """Which member of a crew this is, of how many, and how it waits for the others.

    meet() returns when all have called it; None for one who is alone.
    """

    member: int = 0
    of: int = 1
    meet: Callable[[], object] | None = None

    def rows(self, n: int) -> slice:
        """This member's of n things: all as many, but for one more or less."""
        return slice(n * self.member // self.of, n * (self.member + 1) // self.of)


ALONE = Share()
