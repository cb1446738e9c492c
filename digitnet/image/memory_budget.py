"""A budget of memory that several processes share for reading large pictures."""

import contextlib
import os

UNIT = 16 << 20  # bytes: the budget is divided into units of this size
UNITS = 88  # units: 1,408 MB; with the other memory of nine processes, less than 2 GB


class MemoryBudget:
    """A counting semaphore of UNITS units of memory, shared by processes.

    Create it before the processes are forked. Units that a killed process has claimed are lost.
    """

    def __init__(self) -> None:
        self._take, self._put = os.pipe()  # a pipe with one byte per free unit
        self._lock, self._unlock = os.pipe()  # a pipe with one byte while no process is claiming
        os.write(self._put, bytes(UNITS))
        os.write(self._unlock, b"\0")
        self._claimed = 0

    def claim(self, size: int) -> None:
        """Claim `size` bytes instead of what this process has claimed; wait until they are free.

        One process claims at a time: two that each hold a part of what they need would deadlock.
        """
        units = min(-(-size // UNIT), UNITS)
        if units > self._claimed:
            self.release()
            os.read(self._lock, 1)
            while self._claimed < units:
                self._claimed += len(os.read(self._take, units - self._claimed))
            os.write(self._unlock, b"\0")
        self.release(keep=units)

    def release(self, keep: int = 0) -> None:
        """Release what this process has claimed, except `keep` units."""
        if self._claimed > keep:
            os.write(self._put, bytes(self._claimed - keep))
            self._claimed = keep

    def close(self) -> None:
        """Close the pipes in this process; where that fails, the system closes them at exit."""
        for descriptor in (self._take, self._put, self._lock, self._unlock):
            with contextlib.suppress(OSError):
                os.close(descriptor)
