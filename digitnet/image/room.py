"""Memory that several processes divide among the large pictures that they read."""

import contextlib
import os

UNIT = 16 << 20  # bytes: the memory is divided in multiples of this
UNITS = 88  # 1,408 MB; with what nine processes need besides, less than 2 GB


class Room:
    """A number of units of memory, of which each process claims some and gives them back.

    Made before the processes are forked. What a killed process has claimed is lost.
    """

    def __init__(self) -> None:
        self._units, self._add = os.pipe()  # a byte for each free unit
        self._turn, self._pass = os.pipe()  # a byte for whose turn it is
        os.write(self._add, bytes(UNITS))
        os.write(self._pass, b"\0")
        self._claimed = 0

    def claim(self, size: int) -> None:
        """Have so many bytes instead of what was claimed before, once they are free.

        Processes take turns: two that each have a part of what they need would wait for ever.
        """
        units = min(-(-size // UNIT), UNITS)
        if units > self._claimed:
            self.give_back()
            os.read(self._turn, 1)
            while self._claimed < units:
                self._claimed += len(os.read(self._units, units - self._claimed))
            os.write(self._pass, b"\0")
        self.give_back(but=units)

    def give_back(self, but: int = 0) -> None:
        """Let other processes have what this one claimed, but for some units."""
        if self._claimed > but:
            os.write(self._add, bytes(self._claimed - but))
            self._claimed = but

    def close(self) -> None:
        """Free the pipes of this process; the system frees them in the end where this fails."""
        for descriptor in (self._units, self._add, self._turn, self._pass):
            with contextlib.suppress(OSError):
                os.close(descriptor)
