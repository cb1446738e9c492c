"""Ranks that are processes of an MPI job, in small programs under mpiexec."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from conftest import ENVIRONMENT
from ranks import MPIEXEC, launch, mpiexec, needs_mpi, rank_pids

from digitnet.arrays import FloatArray
from digitnet.fleet.fleet import Fleet, Request
from tests.thread_fleet import run_ranks

pytestmark = needs_mpi

START = """
import json, sys, time
import numpy as np
from digitnet.errors import DataError, DigitnetError
from digitnet.fleet import mpi
from digitnet.fleet.fleet import Request
from digitnet.fleet.launcher import join
fleet = join()
rank, size = fleet.rank, fleet.size

def leave(status):
    fleet.agreed(DigitnetError("the end"))
    sys.exit(fleet.end(status))
"""


def run(ranks: int, program: str, timeout: float = 30) -> "subprocess.CompletedProcess[bytes]":
    return mpiexec(ranks, sys.executable, "-c", START + program, timeout=timeout)


EXCHANGES = """
def vector(length):
    return np.random.default_rng(rank).normal(size=length).astype(np.float32)

sums = []
for length in (size * 16, size * 16, size * 25_000):
    message = vector(length)
    fleet.add(message)
    sums.append(message.tobytes().hex())

mpi.CHUNK = 1 << 16  # bytes
pictures = np.full((rank * 100, 28, 28), rank, np.uint8)
found = fleet.gather({"rank": rank, "pictures": pictures, "none": np.empty(0)})
assert [each["rank"] for each in found] == list(range(size))
for number, each in enumerate(found):
    assert each["pictures"].shape == (number * 100, 28, 28)
    assert (each["pictures"] == number).all() and each["pictures"].flags.writeable
    assert each["none"].shape == (0,)
assert fleet.share("from rank 0" if rank == 0 else 7) == "from rank 0"

heard = []
for step in range(3):
    if step == 1 and rank == size - 1:
        fleet.ask(Request.TERMINATE)
    fleet.add(np.zeros(16 * size, np.float32))
    heard.append(sorted(fleet.take_requests()))
    fleet.share(None)
everything = fleet.gather((sums, heard))
if rank == 0:
    print(json.dumps(everything))
leave(3)
"""


@pytest.mark.parametrize("ranks", [2, 4])
def test_processes_exchange_the_same_bits_as_threads(ranks: int) -> None:
    def work(fleet: Fleet) -> list[str]:
        sums = []
        for length in (ranks * 16, ranks * 16, ranks * 25_000):
            message = vector(fleet.rank, length)
            fleet.add(message)
            sums.append(message.tobytes().hex())
        return sums

    done = run(ranks, EXCHANGES)
    assert (done.returncode, done.stderr) == (3, b"")
    heard = [[], [Request.TERMINATE], []]
    assert json.loads(done.stdout) == [[sums, heard] for sums in run_ranks(ranks, work)]


def vector(rank: int, length: int) -> FloatArray:
    return np.random.default_rng(rank).normal(size=length).astype(np.float32)


FAILING = """
def start():
    if rank == 1:
        raise DataError("digits.csv: expected a file, found none")
    fleet.gather("an exchange that the failed rank never reaches")

try:
    fleet.attempt(start)
except DigitnetError as error:
    if rank == 0:
        print(error)
    sys.exit(fleet.end(error.exit_status))
"""


def test_an_error_in_one_rank_ends_all() -> None:
    done = run(2, FAILING)
    assert done.stdout == b"rank 1: digits.csv: expected a file, found none\n"
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.parametrize(
    ("program", "status"),
    [
        ("fleet.end(75)", 75),
        ("1 / 0", 1),
    ],
    ids=["end", "exception"],
)
def test_a_rank_that_ends_alone_ends_all(program: str, status: int) -> None:
    alone = f"if rank == 1:\n    print('the last words')\n    {program}\nfleet.share(None)"
    done = run(2, alone)
    assert done.returncode == status
    assert done.stdout == b"the last words\n"
    assert b"Abort" not in done.stderr
    assert (b"ZeroDivisionError" in done.stderr) == (program == "1 / 0")


WAITING = """
mpi.PATIENCE = 1.2
fleet.share(None)
before = time.process_time()
time.sleep(1.5 * rank)  # rank 1 reads data, which may take longer
fleet.share(None)
assert time.process_time() - before < 0.2, "a waiting rank keeps a core busy"
fleet.is_watched = True
print("trains", flush=True)
while True:
    fleet.add(np.zeros(16 * size, np.float32))
    time.sleep(0.01)
"""


def test_a_stopped_rank_ends_all_after_some_patience() -> None:
    with launch(2, sys.executable, "-c", START + WAITING) as process:
        assert process.stdout is not None
        for _ in range(2):
            assert process.stdout.readline() == b"trains\n"
        pids = rank_pids(process)
        for pid in pids.values():  # the whole job, and for longer: no rank is to blame
            os.kill(pid, signal.SIGSTOP)
        time.sleep(1.5)
        for pid in pids.values():
            os.kill(pid, signal.SIGCONT)
        time.sleep(0.2)
        assert process.poll() is None
        os.kill(pids[1], signal.SIGSTOP)
        _, err = process.communicate(timeout=20)
    assert process.returncode == 1
    assert err.decode() == (
        f"rank 0 on {os.uname().nodename}: expected an answer from the other ranks, found none for "
        "0.02 minutes: a process or its machine has stopped; go on with --resume\n"
    )


def test_a_world_of_another_size_is_refused() -> None:
    alone = {**ENVIRONMENT, "PMI_RANK": "0", "PMI_SIZE": "2"}
    command = [sys.executable, "-c", START]
    done = subprocess.run(command, capture_output=True, check=False, env=alone, timeout=30)
    last = done.stderr.decode().splitlines()[-1]
    assert "LaunchError: MPI: expected 2 ranks, as the launcher says, found 1 with MPICH" in last
    assert str(MPIEXEC) in last
