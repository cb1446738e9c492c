"""A process that runs an epoch each time it is told to, and prints the seconds."""

import subprocess
from collections.abc import Sequence


class Worker:
    """A running process. It prints `ready`, then an answer for each line on its stdin.

    A call runs an epoch and returns the seconds.
    """

    def __init__(self, name: str, command: Sequence[str], environment: dict[str, str]) -> None:
        self.name = name
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        self._answer()  # wait for `ready`

    def __call__(self) -> float:
        assert self.process.stdin is not None
        print("go", file=self.process.stdin, flush=True)
        return float(self._answer())

    def finish(self) -> float | None:
        """End the process and return its accuracy; None if it prints an empty line."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        return float(answer) if (answer := self._answer()) else None

    def _answer(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name}: expected an answer, found that the process has ended")
        return line.strip()
