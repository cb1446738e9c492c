"""Run programs as ranks under MPICH's mpiexec: limited in time, and nothing is left running."""

import contextlib
import importlib.util
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import ENVIRONMENT

MPIEXEC = Path(sys.executable).with_name("mpiexec")

needs_mpi = pytest.mark.skipif(
    not MPIEXEC.exists() or importlib.util.find_spec("mpi4py") is None,
    reason="needs mpi4py and an mpiexec beside Python: pip install 'digitnet[mpi]'",
)


@contextmanager
def launch(
    ranks: int,
    *arguments: str | Path,
    env: dict[str, str] | None = None,
    cwd: Path | None = None,
    launcher: tuple[str | Path, ...] = (MPIEXEC,),
) -> Iterator["subprocess.Popen[bytes]"]:
    """Yield the running mpiexec of a program; at the end, kill it and all that it has started.

    stdin is empty, stdout and stderr are pipes.
    """
    process = subprocess.Popen(
        [*launcher, "-n", str(ranks), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        cwd=cwd,
        env={**ENVIRONMENT, **(env or {})},
    )
    try:
        yield process
    finally:
        for pid in (process.pid, *descendants(process.pid)) if process.poll() is None else ():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.communicate(timeout=10)


def mpiexec(
    ranks: int,
    *arguments: str | Path,
    timeout: float = 30,
    env: dict[str, str] | None = None,
    cwd: Path | None = None,
) -> "subprocess.CompletedProcess[bytes]":
    """Run a program as several ranks and return what they have written and mpiexec's status."""
    with launch(ranks, *arguments, env=env, cwd=cwd) as process:
        out, err = process.communicate(timeout=timeout)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def descendants(pid: int) -> list[int]:
    """Return all processes that a running process has started, directly or indirectly."""
    found = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in map(int, path.read_text().split()):
                found += [child, *descendants(child)]
    return found


def rank_pids(process: "subprocess.Popen[bytes]") -> dict[int, int]:
    """Return the process ids of the ranks that are running under an mpiexec, by rank."""
    pids: dict[int, int] = {}
    for pid in descendants(process.pid):
        with contextlib.suppress(OSError):
            for variable in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
                name, _, value = variable.partition(b"=")
                if name in (b"PMI_RANK", b"OMPI_COMM_WORLD_RANK"):
                    pids.setdefault(int(value), pid)  # not a child of the rank
    return pids
