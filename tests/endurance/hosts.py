"""Ranks on several hosts: the same bits as one process, and what pulled cables do.

    python tests/endurance/hosts.py [--open-mpi PYTHON]

The hosts are network namespaces of this machine, each with its own copy of the data; MPICH, and the
Open MPI beside PYTHON, talk over TCP. Needs root. Exit status: 1 if anything is not as expected.
"""

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

TESTS = Path(__file__).parent.parent
sys.path.insert(0, str(TESTS))

import numpy as np  # noqa: E402
from namespaces import Hosts, hosts, missing  # noqa: E402
from ranks import MPIEXEC, launch, rank_pids  # noqa: E402

from configs import REPOSITORY, contents, differing, read_start  # noqa: E402

PATIENCE = 4.0  # s without an answer, in place of 10 minutes
SOON = 10.0  # s after PATIENCE
UNPLUGGED = 1.5  # s, less than PATIENCE
LONGEST = 120  # s for a training
ENVIRONMENT = {"PYTHONPATH": str(REPOSITORY)}
CHATTER = "["  # what Open MPI says of its own begins with [HOST
STAGGER = 3.0  # s after which the last rank has ended: rank 1 has more patience than rank 0
DIGITS = 1500
OTHER = "expected the pictures and labels of rank 0, found others in rank 1"
NO_DATA = "rank 1: "
CONFIG = """\
data: {path: digits.npz, validation: 100}
network: {layer_sizes: [784, 100, 30, 10], activation: relu, output: softmax}
cost: cross_entropy
augment: {rotation: 10, shift: 1}
training:
  epochs: 12
  minibatch_size: 16
  shards: 4
  dropout: 0.1
  batch_norm: true
  optimizer: {name: adam}
"""
PROGRAM = f"""\
import sys
from digitnet.__main__ import main as command
from digitnet.fleet import launcher

join = launcher.join

def join_impatiently():
    fleet = join()
    if fleet.size > 1:
        sys.modules["digitnet.fleet.mpi"].PATIENCE = {PATIENCE}
    return fleet

launcher.join = join_impatiently
command()
"""
TRAIN = (sys.executable, "program.py", "train", "-q", "--config", "config.yaml", "-o", "model.npz")


class Place:
    """Hosts that are ready to train."""

    def __init__(self, made: Hosts) -> None:
        self.hosts = made
        self.output = made.folder_of(1) / "model.npz"
        images, labels = read_start("images-idx3", 16, 784), read_start("labels-idx1", 8, 1)
        self.images, self.labels = images.reshape(-1, 28, 28)[:DIGITS], labels[:DIGITS]
        for host in range(1, made.count + 1):
            folder = made.folder_of(host)
            (folder / "config.yaml").write_text(CONFIG)
            (folder / "program.py").write_text(PROGRAM)
            np.savez(folder / "digits.npz", images=self.images, labels=self.labels)
        self.train_alone()
        self.expected = contents(self.output)

    def train_alone(self, *more: str) -> None:
        """Train in one process on host 1."""
        command = [*self.hosts.command(1), *TRAIN, *more]
        subprocess.run(command, check=True, timeout=LONGEST, env=os.environ | ENVIRONMENT)

    def train(
        self,
        ranks: int,
        *,
        over: str = "ucx",
        open_mpi: str | None = None,
        act: Callable[["subprocess.Popen[bytes]"], None] | None = None,
    ) -> tuple[int, list[str], float]:
        """Train on all hosts; return mpiexec's status, all lines, and the seconds since `act`.

        act: called after the first epoch.
        """
        self.output.unlink(missing_ok=True)
        launcher, program = self.hosts.launcher(MPIEXEC, over=over), TRAIN
        if open_mpi:
            launcher = self.hosts.launcher_of_open_mpi(Path(open_mpi).with_name("mpiexec"))
            program = (open_mpi, *TRAIN[1:])
        with launch(ranks, *program, env=ENVIRONMENT, launcher=launcher) as process:
            if act:
                wait_for(self.output)
                act(process)
            began = time.monotonic()
            out, err = process.communicate(timeout=LONGEST)
            seconds = time.monotonic() - began
        return process.returncode, (out + err).decode().splitlines(), seconds

    def differences(self) -> list[str]:
        return differing(contents(self.output), self.expected)


def wait_for(path: Path, timeout: float = 60) -> None:
    until = time.monotonic() + timeout
    while not path.exists():
        if time.monotonic() > until:
            raise TimeoutError(f"{path}: expected a file within {timeout:g} s, found none")
        time.sleep(0.005)


def same_bits(
    place: Place, ranks: int = 2, over: str = "ucx", open_mpi: str | None = None
) -> list[str]:
    """Train on all hosts; return what differs from one process."""
    status, lines, _ = place.train(ranks, over=over, open_mpi=open_mpi)
    lines = [line for line in lines if not line.startswith(CHATTER)]
    return lines + (place.differences() if status == 0 else [f"status {status}"])


def other_data(place: Place) -> list[str]:
    """Give host 2 other labels; return what is not as expected."""
    path = place.hosts.folder_of(2) / "digits.npz"
    np.savez(path, images=place.images, labels=place.labels[::-1])
    status, lines, _ = place.train(2)
    np.savez(path, images=place.images, labels=place.labels)
    return [] if (status, len(lines)) == (1, 1) and OTHER in lines[0] else [f"{status}", *lines]


def no_data(place: Place) -> list[str]:
    """Take host 2 its data; return what is not as expected."""
    path = place.hosts.folder_of(2) / "digits.npz"
    path.unlink()
    status, lines, _ = place.train(2)
    np.savez(path, images=place.images, labels=place.labels)
    return [] if (status, len(lines)) == (1, 1) and NO_DATA in lines[0] else [f"{status}", *lines]


def out_for_a_moment(place: Place) -> list[str]:
    """Pull a cable and plug it in again: training must go on; return what is not as expected."""
    trained_on = []

    def act(process: "subprocess.Popen[bytes]") -> None:
        place.hosts.plug(2, is_in=False)
        time.sleep(UNPLUGGED)
        if process.poll() is not None:
            trained_on.append("the training was over before the cable was plugged in")
        place.hosts.plug(2, is_in=True)

    status, lines, _ = place.train(2, act=act)
    return trained_on + lines + (place.differences() if status == 0 else [f"status {status}"])


def killed(place: Place) -> list[str]:
    """Kill the rank on host 2: all must end; return what is not as expected."""
    status, _, seconds = place.train(2, act=lambda job: os.kill(rank_pids(job)[1], signal.SIGKILL))
    wrong = [] if status else ["status 0"]
    if seconds > SOON:
        wrong.append(f"ended after {seconds:.1f} s")
    return wrong + after(place)


def out_for_good(place: Place) -> list[str]:
    """Pull a cable: all ranks must end; return what is not as expected, also after resuming."""
    status, lines, seconds = place.train(2, act=lambda _: place.hosts.plug(2, is_in=False))
    wrong = [] if status == 1 else [f"status {status}"]
    if len(lines) != 1 or not lines[0].startswith(f"rank 0 on {place.hosts.name_of(1)}: expected"):
        wrong += ["lines:", *lines]
    if not PATIENCE <= seconds <= PATIENCE + SOON:
        wrong.append(f"ended after {seconds:.1f} s")
    wrong += after(place)
    place.hosts.plug(2, is_in=True)
    return wrong


def after(place: Place) -> list[str]:
    """Return which processes are left, and what differs after resuming in one process."""
    until = time.monotonic() + STAGGER
    while (left := [host for host in (1, 2) if place.hosts.processes(host)]) and (
        time.monotonic() < until
    ):
        time.sleep(0.05)
    wrong = [f"host {host}: processes are left" for host in left]
    place.train_alone("--resume")
    return wrong + place.differences()


CASES: dict[str, Callable[[Place], list[str]]] = {
    "2 hosts, a rank each: the bits of one process": same_bits,
    "2 hosts, two ranks each": lambda place: same_bits(place, 4),
    "2 hosts, a rank each, over libfabric": lambda place: same_bits(place, over="ofi"),
    "other labels on a host: one line, status 1": other_data,
    "no data on a host: one line, status 1": no_data,
    "a cable pulled out and plugged in: the same bits": out_for_a_moment,
    "a rank killed: all end, then the same bits with --resume": killed,
    "a cable pulled out: one line, status 1, then the same bits with --resume": out_for_good,
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--open-mpi", metavar="PYTHON", help="a Python beside Open MPI's mpiexec")
    open_mpi, cases = parser.parse_args().open_mpi, dict(CASES)
    if open_mpi:
        title = "2 hosts, a rank each, Open MPI"
        cases = {title: lambda place: same_bits(place, open_mpi=open_mpi), **cases}
    if found := missing() or (None if MPIEXEC.exists() else f"needs {MPIEXEC}"):
        print(f"skipped: {found}")
        return
    failed = 0
    with TemporaryDirectory() as name, hosts(2, Path(name)) as made:
        place = Place(made)
        for title, check in cases.items():
            wrong = check(place)
            print(f"{title}: {'; '.join(wrong) or 'ok'}", flush=True)
            failed += bool(wrong)
    print(f"{len(cases)} cases on hosts: {failed} not as expected")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
