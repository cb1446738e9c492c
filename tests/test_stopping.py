"""How soon a signal stops the installed command, and with which exit status."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import DIGITNET, ENVIRONMENT, OLD_MODEL, REPOSITORY, Popen, Run, Training

from digitnet.model.checkpoint import load_checkpoint
from digitnet.session.signals import STOPS

SOON = 2.0  # seconds


@pytest.mark.parametrize(("number", "status"), STOPS.items(), ids=lambda value: value.name)
def test_a_signal_during_preparation_stops_it_at_once(
    popen: Popen, tmp_path: Path, number: signal.Signals, status: int
) -> None:
    output = tmp_path / "model.npz"
    output.write_bytes(OLD_MODEL)
    config = REPOSITORY / "configs" / "default.yaml"
    arguments = ("train", "--config", config, "-o", output, "--overwrite")
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with popen(*arguments, **pipes) as process:
        while not (tmp_path / "model.npz.lock").exists():
            assert process.poll() is None
        time.sleep(0.3)
        signalled = time.monotonic()
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert time.monotonic() - signalled < SOON
    assert (process.returncode, out) == (status, b"")
    message = f"stopped by {number.name} before the first step; there is nothing to save\n"
    assert err == message.encode()
    assert output.read_bytes() == OLD_MODEL
    assert os.listdir(tmp_path) == ["model.npz"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_a_signal_during_validation_stops_it_before_validation_ends(
    start: Callable[..., Training], tmp_path: Path, number: signal.Signals
) -> None:
    config, output = tmp_path / "config.yaml", tmp_path / "model.npz"
    config.write_text(
        f"data: {{path: {REPOSITORY / 'data' / 'mnist'}, validation: 59900}}\n"
        "network: {layer_sizes: [784, 2500, 2000, 10], activation: relu}\n"
        "training: {minibatch_size: 100, threads: 2}\n"
    )
    training = start("--config", config)
    time.sleep(0.7)  # after the only step of the epoch; validation takes many seconds
    status, _, err = training.end(number)
    assert status == 128 + number
    assert err.endswith(f"in epoch 1; {output} is saved, --resume continues it\n".encode())
    checkpoint = load_checkpoint(output, with_state=True)
    assert checkpoint.state
    assert checkpoint.history == []


def test_a_second_interrupt_stops_at_once_and_keeps_the_old_checkpoint(
    run: Run, start: Callable[..., Training], config_file: Path
) -> None:
    output = config_file.parent / "model.npz"
    assert run("train", "--config", config_file, "-q").returncode == 0
    before = output.read_bytes()
    large = (
        "--set",
        "network.layer_sizes=[784,2500,2000,10]",
        "--set",
        "training.minibatch_size=1500",
    )
    training = start("--config", config_file, "--overwrite", *large)
    for _ in range(2):
        training.process.send_signal(signal.SIGINT)
        time.sleep(0.05)
    signalled = time.monotonic()
    status, out, err = training.end()
    assert time.monotonic() - signalled < SOON
    assert (status, out) == (130, b"")
    assert b"Traceback" not in err
    assert output.read_bytes() == before
    assert set(os.listdir(output.parent)) == {"config.yaml", "model.npz"}


@pytest.mark.parametrize("module", ["click", "numpy"])
@pytest.mark.parametrize("verb", ["train --config config.yaml", "evaluate", "predict -"])
def test_an_interrupt_while_modules_load_is_silent(
    run: Run, config_file: Path, tmp_path: Path, verb: str, module: str
) -> None:
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / f"{module}.py").write_text(
        "import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(10)\n"
    )
    path = {"PYTHONPATH": str(tmp_path / "modules")}
    done = run(*verb.split(), cwd=config_file.parent, env=path)
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"")


def test_sigusr1_saves_a_checkpoint_and_training_continues(
    start: Callable[..., Training], config_file: Path
) -> None:
    output = config_file.parent / "model.npz"
    slow = ("--set", "network.layer_sizes=[784,3000,10]", "--set", "training.minibatch_size=1")
    training = start("--config", config_file, *slow)
    assert not output.exists()
    training.process.send_signal(signal.SIGUSR1)
    until = time.monotonic() + 10
    while not output.exists():
        assert time.monotonic() < until
    assert load_checkpoint(output, with_state=True).history == []
    assert training.process.poll() is None
    assert training.end(signal.SIGTERM)[0] == 143


def test_an_early_sigusr1_does_nothing(run: Run, tmp_path: Path) -> None:
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "click.py").write_text(
        "import os, signal, sys\n"
        "os.kill(os.getpid(), signal.SIGUSR1)\n"
        "print('went on')\n"
        "sys.exit(0)\n"
    )
    done = run("--version", env={"PYTHONPATH": str(tmp_path / "modules")})
    assert (done.returncode, done.stdout) == (0, b"went on\n")


@pytest.mark.parametrize(("device", "status"), [("pipe", 141), ("/dev/full", 0)])
def test_a_full_stderr_does_not_change_the_status(
    popen: Popen, config_file: Path, device: str, status: int
) -> None:
    if device == "pipe":
        reader, stderr = os.pipe()
        os.close(reader)
    else:
        stderr = os.open(device, os.O_WRONLY)
    train = ("train", "--config", config_file)
    with popen(*train, stdout=subprocess.DEVNULL, stderr=stderr) as process:
        os.close(stderr)
        assert process.wait(timeout=60) == status
    assert load_checkpoint(config_file.parent / "model.npz").history


def test_a_closed_stderr_is_not_replaced_by_a_file(config_file: Path) -> None:
    done = subprocess.run(
        ["sh", "-c", 'exec "$0" train -q --config "$1" 2>&-', DIGITNET, config_file],
        capture_output=True,
        timeout=60,
        check=False,
        env=ENVIRONMENT,
    )
    assert (done.returncode, done.stdout) == (0, b"")
