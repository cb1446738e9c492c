"""Run a training as ranks of an MPI job, do something to it, and tell how it ended."""

import contextlib
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

TESTS = Path(__file__).parent.parent
sys.path.insert(0, str(TESTS))

import numpy as np  # noqa: E402
from ranks import launch, rank_pids  # noqa: E402  of tests/

from configs import REPOSITORY, contents, read_start  # noqa: E402
from digitnet.errors import CheckpointError  # noqa: E402
from digitnet.model.checkpoint import load_checkpoint  # noqa: E402

LONGEST = 60  # s for a training that ends by itself
HANGS = -999  # in place of a status
SOON = 15  # s for one that was told to end
DIGITS = 600
PROGRESS = re.compile(r"epoch \d+/\d+: cost |.*; output ")
CONFIG = """\
data: {path: digits.npz, validation: 100}
network: {layer_sizes: [784, 30, 20, 10], activation: relu, output: softmax}
cost: cross_entropy
training:
  epochs: 30
  minibatch_size: 10
  shards: 4
  dropout: 0.1
  optimizer: {name: adam}
"""


class MPI(NamedTuple):
    """An MPI: its mpiexec with options, and a Python that has mpi4py for it."""

    title: str
    launcher: tuple[str, ...]
    python: str
    environment: dict[str, str]


MPICH = MPI("MPICH", (str(Path(sys.executable).with_name("mpiexec")),), sys.executable, {})


def open_mpi(python: str) -> MPI:
    """Return the Open MPI whose mpiexec stands beside a Python."""
    launcher = (str(Path(python).with_name("mpiexec")), "--oversubscribe", "--bind-to", "none")
    root = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    return MPI("Open MPI", launcher, python, root)


@dataclass
class Ended:
    """How a training ended.

    status: mpiexec's. seconds: from the act, or the start, until the last rank was gone. out, err:
    lines, on stderr without those of the progress. survivors: ranks that were left and had to be
    killed. state: of the checkpoint: none, kept (an older file), saved, unreadable. lock: whether
    the lock file is left.
    """

    status: int
    seconds: float
    out: list[str]
    err: list[str]
    survivors: int = 0
    state: str = "none"
    lock: bool = False


class Place:
    """A folder with digits, a config and an output, for trainings with one MPI after the other."""

    def __init__(self, folder: Path, mpi: MPI) -> None:
        self.folder, self.mpi = folder, mpi
        self.output, self.config = folder / "model.npz", folder / "config.yaml"
        images, labels = read_start("images-idx3", 16, 784), read_start("labels-idx1", 8, 1)
        self.images, self.labels = images.reshape(-1, 28, 28)[:DIGITS], labels[:DIGITS]
        np.savez(folder / "digits.npz", images=self.images, labels=self.labels)
        self.config.write_text(CONFIG)

    @property
    def environment(self) -> dict[str, str]:
        return {"PYTHONPATH": str(REPOSITORY), **self.mpi.environment}

    def arguments(self, *more: str | Path, config: Path | None = None) -> list[str]:
        given = ["train", "-v", "--config", config or self.config, "-o", self.output, *more]
        return [str(each) for each in given]

    def program(self, fault: str | None = None, rank: int = 0) -> list[str]:
        """Return the command of a rank: digitnet, or with a fault in one rank."""
        if fault is None:
            return [self.mpi.python, "-m", "digitnet"]
        return [self.mpi.python, str(TESTS / "faulty.py"), fault, str(rank)]

    def clear(self) -> None:
        for path in self.folder.glob("model.npz*"):
            path.unlink()

    def train(
        self,
        ranks: int,
        *more: str,
        act: Callable[[Any, dict[int, int]], object] | None = None,
        when: Callable[[Any], object] | None = None,
        program: list[str] | None = None,
        arguments: list[str] | None = None,
        within: float | None = None,
    ) -> Ended:
        """Train under mpiexec and do something to it; return how it ended.

        act: called with mpiexec's process and the ranks' pids, once training has started, or
        `when`, called with the process, has returned.
        """
        command = [*(program or self.program()), *(arguments or self.arguments(*more))]
        with launch(
            ranks,
            *command,
            env=self.environment,
            cwd=self.folder,
            launcher=self.mpi.launcher,
        ) as process:
            began, first, pids = time.monotonic(), b"", dict[int, int]()
            if act is not None:
                first = (when or wait_for_line)(process) or b""
                pids = rank_pids(process)
                began = time.monotonic()
                act(process, pids)
            limit = within or (SOON if act else LONGEST)
            try:
                out, err = process.communicate(timeout=limit)
                status = process.returncode
            except subprocess.TimeoutExpired:
                out, err, status = b"", f"hangs: still there after {limit} s\n".encode(), HANGS
            survivors = _wait_until_gone([*pids.values()], began)
            seconds = time.monotonic() - began
        lines = [line for line in (first + err).decode().splitlines() if not PROGRESS.match(line)]
        ended = Ended(status, seconds, out.decode().splitlines(), lines, survivors)
        ended.state, ended.lock = self.state(), Path(f"{self.output}.lock").exists()
        return ended

    def state(self) -> str:
        """Return what the output is: none, kept, saved, unreadable."""
        if not self.output.exists():
            return "none"
        try:
            checkpoint = load_checkpoint(self.output, with_state=True)
        except CheckpointError as error:
            print(error)
            return "unreadable"
        return "saved" if checkpoint.state else "kept"

    def finish(self, ranks: int = 0, *more: str) -> dict[str, Any]:
        """Go on to the end, by `ranks` ranks or without MPI; return what is in the checkpoint."""
        launcher = [*self.mpi.launcher, "-n", str(ranks)] if ranks else []
        given = ["train", "-q", "--resume", "--config", self.config, "-o", self.output, *more]
        done = subprocess.run(
            [*launcher, *self.program(), *map(str, given)],
            env={**os.environ, **self.environment},
            cwd=self.folder,
            capture_output=True,
            check=False,
            timeout=LONGEST,
        )
        if done.returncode:
            print(done.stderr.decode())
            return {"status": done.returncode}
        return contents(self.output)


@contextmanager
def place(mpi: MPI) -> Iterator[Place]:
    with TemporaryDirectory() as name:
        yield Place(Path(name), mpi)


def wait_for_line(process: Any, timeout: float = 30) -> bytes:
    """Wait until there is a line on stderr; return what is there. Or until the process ends."""
    found, until = b"", time.monotonic() + timeout
    descriptor = process.stderr.fileno()
    while b"\n" not in found and time.monotonic() < until:
        if select.select([descriptor], [], [], 0.1)[0]:
            part = os.read(descriptor, 65536)
            if not part:
                break
            found += part
    return found


def wait_for(path: Path, timeout: float = 30) -> None:
    until = time.monotonic() + timeout
    while not path.exists() and time.monotonic() < until:
        time.sleep(0.005)


def _wait_until_gone(pids: list[int], began: float) -> int:
    """Wait until processes are gone; kill those that stay, and return their number."""
    while any(map(_is_there, pids)) and time.monotonic() - began < SOON + 5:
        time.sleep(0.01)
    survivors = [pid for pid in pids if _is_there(pid)]
    for pid in survivors:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return len(survivors)


def _is_there(pid: int) -> bool:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return text.rpartition(")")[2].split()[0] not in "ZX"
