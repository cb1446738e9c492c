"""Run whole processes and measure their time and memory."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PYTHON = sys.executable
DIGITNET = str(Path(PYTHON).with_name("digitnet"))
BURN = "import os; parent = os.getppid()\nwhile os.getppid() == parent: pass"
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
NOT_INHERITED = "PYTHONDONTWRITEBYTECODE"  # with it, every start would compile the package again


@dataclass(frozen=True)
class Run:
    """The time, memory and output of a process.

    peak: peak resident memory (ru_maxrss). private: peak anonymous memory (RssAnon). Both are in MB
    of 1024² bytes. output: stdout.
    """

    seconds: float
    peak: float
    private: float
    output: str


def run(command: Sequence[str], stdin: Path | None = None, *, watch: bool = False) -> Run:
    """Run a command to its end. With `watch`, `private` is sampled every 5 ms; else it is 0.

    Linux includes the parent's resident memory in the peak of a new process. So a caller that
    measures memory must stay small and must not load NumPy.
    """
    with tempfile.TemporaryFile("w+") as output, open(stdin or os.devnull) as standard_input:
        started = time.perf_counter()
        process = subprocess.Popen(command, stdin=standard_input, stdout=output, env=environment())
        private = _peak_private(process.pid) if watch else 0
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, command)
        output.seek(0)
        return Run(seconds, usage.ru_maxrss / 1024, private / 1024, output.read())


def environment(threads: int | None = None) -> dict[str, str]:
    """Return the environment with `threads` set for BLAS and OpenMP; None: with no such setting."""
    others = {n: value for n, value in os.environ.items() if n not in (*THREADS, NOT_INHERITED)}
    return others if threads is None else others | dict.fromkeys(THREADS, str(threads))


@contextmanager
def burner() -> Iterator[None]:
    """Keep one core busy with another process, which ends with its parent at the latest."""
    process = subprocess.Popen([PYTHON, "-c", BURN])
    try:
        time.sleep(0.2)
        yield
    finally:
        process.kill()
        process.wait()


def _peak_private(pid: int) -> int:
    """Return the peak RssAnon of a process, in KiB, at its end; the caller still has to wait."""
    peak = 0
    while os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        status = Path(f"/proc/{pid}/status").read_text()
        for line in status.splitlines():
            if line.startswith("RssAnon:"):
                peak = max(peak, int(line.split()[1]))
        time.sleep(0.005)
    return peak
