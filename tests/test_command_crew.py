"""A training by several processes, as the installed command: kills, signals, the same bits."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Run, Training, comparable

from digitnet.model.checkpoint import load_checkpoint

THREE = ("--set", "training.threads=3")
LONG = ("--set", "training.epochs=100000", "--set", "training.landscape=false")


def members(process: int) -> list[int]:
    """Return the children of a process."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text()
    return list(map(int, children.split()))


def shared_memory() -> set[str]:
    return {name for name in os.listdir("/dev/shm") if not name.startswith("pym-")}


@pytest.fixture
def training(start: Callable[..., Training], config_file: Path) -> tuple[Training, list[int], Path]:
    """A long training by three processes that has saved a checkpoint; its members; the output."""
    begun = start("--config", config_file, *THREE, *LONG)
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


def test_a_killed_member_ends_the_training_in_one_line_and_it_can_be_resumed(
    training: tuple[Training, list[int], Path], run: Run, config_file: Path
) -> None:
    begun, (one, other), output = training
    os.kill(other, signal.SIGKILL)
    status, out, err = begun.end()
    assert (status, out) == (1, b"")
    last = err.decode().splitlines()[-1]
    assert "a process of the training was killed; perhaps the memory ran out; --resume" in last
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
    before = shared_memory()
    status, _, _ = begun.end(signal.SIGKILL)
    assert status == -signal.SIGKILL
    assert shared_memory() <= before
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


def test_processes_and_threads_give_the_same_bits(run: Run, config_file: Path) -> None:
    (config_file.parent / "sitecustomize.py").write_text(
        "import threading, time\n"
        "threading.Thread(target=time.sleep, args=[1e6], daemon=True).start()\n"
    )
    models = []
    for name, environment in (
        ("processes", {}),
        ("threads", {"PYTHONPATH": str(config_file.parent)}),
    ):
        output = config_file.parent / f"{name}.npz"
        options = (*THREE, "--set", "training.batch_norm=true", "--set", "augment.rotation=10")
        done = run("train", "--config", config_file, "-q", "-o", output, *options, env=environment)
        assert (done.returncode, done.stderr) == (0, b"")
        models.append(comparable(output))
    assert models[0] == models[1]
