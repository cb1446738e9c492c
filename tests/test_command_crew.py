"""A training by several processes, as the installed command: kills, signals, the same bits."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import ENVIRONMENT, Run, Training

from digitnet.config.threads import BLAS_VARIABLES
from digitnet.model.checkpoint import load_checkpoint

THREE = ("--set", "training.threads=3")
LONG = ("--set", "training.epochs=100000", "--set", "training.landscape=false")


def members(process: int) -> list[int]:
    """Return the children of a process."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text()
    return list(map(int, children.split()))


def semaphores() -> list[str]:
    return [name for name in os.listdir("/dev/shm") if name.startswith("sem.mp-")]


@pytest.fixture
def training(
    request: pytest.FixtureRequest, start: Callable[..., Training], config_file: Path
) -> tuple[Training, list[int], Path]:
    """A long training by three processes that has saved a checkpoint; its members; the output."""
    ignoring = getattr(request, "param", "")
    begun = start("--config", config_file, *THREE, *LONG, ignoring=ignoring)
    output = config_file.parent / "model.npz"
    time.sleep(1)
    begun.process.send_signal(signal.SIGUSR1)
    until = time.monotonic() + 20
    while not output.exists():
        assert time.monotonic() < until
        time.sleep(0.02)
    found = members(begun.process.pid)
    assert len(found) == 2
    return begun, found, output


def are_gone(processes: list[int]) -> bool:
    until = time.monotonic() + 5
    while any(Path(f"/proc/{process}").exists() for process in processes):
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


@pytest.mark.parametrize("training", ["", "CHLD"], indirect=True)
def test_a_killed_member_ends_the_training_in_one_line_and_it_can_be_resumed(
    training: tuple[Training, list[int], Path], run: Run, config_file: Path
) -> None:
    begun, (one, other), output = training
    os.kill(other, signal.SIGKILL)
    status, out, err = begun.end()
    assert (status, out) == (1, b"")
    last = err.decode().splitlines()[-1]
    assert "training.threads: expected 3 processes, found that one " in last
    assert "Traceback" not in err.decode()
    assert are_gone([one, other])
    assert sorted(os.listdir(output.parent)) == ["config.yaml", "model.npz"]
    epochs = len(load_checkpoint(output, with_state=True).history)
    more = ("--set", f"training.epochs={epochs + 1}")
    done = run("train", "--config", config_file, "--resume", *THREE, *more)
    assert done.returncode == 0, done.stderr
    assert len(load_checkpoint(output).history) == epochs + 1


def test_nothing_is_left_of_a_killed_training(
    training: tuple[Training, list[int], Path], run: Run, config_file: Path
) -> None:
    begun, found, output = training
    status, _, _ = begun.end(signal.SIGKILL)
    assert status == -signal.SIGKILL
    assert semaphores() == []
    assert load_checkpoint(output, with_state=True).state
    epochs = len(load_checkpoint(output).history)
    done = run(
        "train", "--config", config_file, "--resume", *THREE, "--set", f"training.epochs={epochs}"
    )
    assert done.returncode == 0, done.stderr  # a member that lived on would hold the lock
    assert are_gone(found)


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)]
)
def test_a_signal_to_all_processes_saves_the_training(
    training: tuple[Training, list[int], Path], number: signal.Signals, status: int
) -> None:
    begun, found, output = training
    for process in (*found, begun.process.pid):
        os.kill(process, number)
    ended, _, err = begun.end()
    assert ended == status
    assert err.endswith(f"{output} is saved, --resume continues it\n".encode())
    assert are_gone(found)


PROGRAM = """
import json, sys, threading, time, zlib
if sys.argv[2] == "threads":
    threading.Thread(target=time.sleep, args=[600], daemon=True).start()
from digitnet.config.threads import load_numpy
load_numpy(1)
import digitnet
from digitnet.network.crew import may_fork
from digitnet.training.state import arrays
for progress in digitnet.train(json.loads(sys.argv[1])):
    if progress.record:
        print(progress.record.training.cost, progress.record.validation.cost)
for name, array in arrays(progress.state).items():
    print(name, zlib.crc32(array.data), array.any())
print("processes" if may_fork() else "threads", file=sys.stderr)
"""
CASES = {
    "momentum": {"optimizer": {"learning_rate": 0.1, "momentum": 0.9}, "l2": 1e-4},
    "adam": {"optimizer": {"name": "adam", "learning_rate": 0.002}, "schedule": {"name": "cosine"}},
    "regularised": {"batch_norm": True, "dropout": 0.1, "background": 0.2},
    "shards": {"shards": 4, "batch_norm": True, "optimizer": {"name": "adamw"}, "l2": 1e-3},
}


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("case", CASES)
def test_processes_and_threads_give_the_same_bits(
    case: str, threads: int, small_mnist: Path
) -> None:
    size = 32 if threads > 1 else 300  # 1500 pictures: a short minibatch; an odd number of blocks
    config = {
        "data": {"path": str(small_mnist), "validation": 500},
        "network": {"layer_sizes": [784, 16, 9, 10], "output": "softmax"},
        "cost": "cross_entropy",
        "augment": {"rotation": 10, "elastic": 30, "final": 0.5} if case != "momentum" else {},
        "training": {"epochs": 2, "minibatch_size": size, "threads": threads, **CASES[case]},
    }
    environment = {n: value for n, value in ENVIRONMENT.items() if n not in BLAS_VARIABLES}
    found = []
    for kind in ("processes", "threads"):
        command = [sys.executable, "-c", PROGRAM, json.dumps(config), kind]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
        assert done.stderr.splitlines()[-1] == kind
        assert len(done.stdout.splitlines()) >= 3
        found.append(done.stdout)
    assert found[0] == found[1]
    assert "False" not in found[0]
