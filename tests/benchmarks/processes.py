"""Whole processes: how long they take, and how much memory."""

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
UNUSUAL = "PYTHONDONTWRITEBYTECODE"  # every start would compile the package once more


@dataclass(frozen=True)
class Run:
    """What a process took.

    peak: the most memory that was resident (ru_maxrss), private: the most that was its own and not
    of a file (RssAnon), both in MB of 1024² bytes. output: what it wrote to stdout.
    """

    seconds: float
    peak: float
    private: float
    output: str


def run(command: Sequence[str], stdin: Path | None = None, *, watch: bool = False) -> Run:
    """Run a command to its end. `private` is 0 unless it is watched, every 5 ms.

    Linux counts what the parent has resident when it starts a process into that one's peak: who
    calls this to measure memory stays small, and loads no NumPy.
    """
    with tempfile.TemporaryFile("w+") as output, open(stdin or os.devnull) as given:
        started = time.perf_counter()
        process = subprocess.Popen(command, stdin=given, stdout=output, env=environment())
        private = _watch(process.pid) if watch else 0
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, command)
        output.seek(0)
        return Run(seconds, usage.ru_maxrss / 1024, private / 1024, output.read())


def environment(threads: int | None = None) -> dict[str, str]:
    """The environment with this number of threads for BLAS and OpenMP, or with none said."""
    others = {n: value for n, value in os.environ.items() if n not in (*THREADS, UNUSUAL)}
    return others if threads is None else others | dict.fromkeys(THREADS, str(threads))


@contextmanager
def burner() -> Iterator[None]:
    """Another process that keeps one core busy meanwhile; it does not outlive its parent."""
    process = subprocess.Popen([PYTHON, "-c", BURN])
    try:
        time.sleep(0.2)
        yield
    finally:
        process.kill()
        process.wait()


def _watch(pid: int) -> int:
    """The most RssAnon that a process has until it ends, in KiB; it is left to be waited for."""
    most = 0
    while os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        status = Path(f"/proc/{pid}/status").read_text()
        for line in status.splitlines():
            if line.startswith("RssAnon:"):
                most = max(most, int(line.split()[1]))
        time.sleep(0.005)
    return most
