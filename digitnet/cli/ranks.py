"""The ranks of a command that mpiexec has started: rank 0 prints, and all end together."""

import sys
from types import TracebackType
from typing import TYPE_CHECKING

from digitnet.errors import ExitStatus
from digitnet.fleet.launcher import join, launched

if TYPE_CHECKING:
    from digitnet.fleet.fleet import Fleet


class Job:
    """This process as one of the ranks of a command; most commands have only one.

    fleet: None until the command has joined the other ranks. As a context, it ends all ranks if
    this one fails with an error that nobody expected.
    """

    def __init__(self) -> None:
        self.fleet: Fleet | None = None

    def __enter__(self) -> "Job":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.fleet is not None and isinstance(error, Exception):
            import traceback  # slow to start

            traceback.print_exception(kind, error, trace)
            sys.exit(self.end(ExitStatus.FAILED))

    def join(self) -> "Fleet":
        """Join the ranks that were started together. NumPy must have been loaded."""
        self.fleet = join()
        return self.fleet

    @property
    def follows(self) -> bool:
        """True in all ranks but the first, which prints what all of them find."""
        place = launched()
        return place is not None and place.rank > 0

    @property
    def prefix(self) -> str:
        """What a message begins with, if this rank alone has failed."""
        if self.fleet is None or self.fleet.leads:
            return ""
        return f"rank {self.fleet.rank}: "

    def end(self, status: int) -> int:
        """Return this rank's exit status, once all ranks have ended; see `Fleet.end`."""
        return status if self.fleet is None else self.fleet.end(status)
