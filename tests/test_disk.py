"""Full disks and missing folders: one line, status 1, the old file intact, no leftover files."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import DIGITNET, ENVIRONMENT, OLD_MODEL, Run, Training

from digitnet.model.checkpoint import load_checkpoint

LARGE = ("--set", "network.layer_sizes=[784,300,10]")  # 2 MB


def assert_one_line(done: "subprocess.CompletedProcess[bytes]", path: Path, problem: str) -> None:
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr == f"{path}: cannot be written: {problem}\n".encode()


def limited(config_file: Path, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
    """Run `digitnet train -q` with a limit of 1,000 blocks per file."""
    script = 'ulimit -f 1000; exec "$0" train -q --config "$@"'
    return subprocess.run(
        ["sh", "-c", script, DIGITNET, config_file, *arguments],
        capture_output=True,
        env=ENVIRONMENT,
        check=False,
        timeout=60,
    )


def test_a_limit_on_file_size_is_reported(config_file: Path) -> None:
    output = config_file.parent / "model.npz"
    assert limited(config_file).returncode == 0
    before = output.read_bytes()
    assert_one_line(limited(config_file, *LARGE, "--overwrite"), output, "File too large")
    assert output.read_bytes() == before
    assert set(os.listdir(output.parent)) == {"config.yaml", "model.npz"}
    output.unlink()
    assert_one_line(limited(config_file, *LARGE), output, "File too large")
    assert os.listdir(output.parent) == ["config.yaml"]


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Path]:
    """A disk of 1 MB; skips the test if mounting is not allowed."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", folder]
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("mount is not installed")
    if done.returncode:
        pytest.skip("mounting is not allowed")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_full_disk_is_reported(run: Run, config_file: Path, mounted: Path) -> None:
    output = mounted / "model.npz"
    assert run("train", "-q", "--config", config_file, "-o", output).returncode == 0
    before = output.read_bytes()
    done = run("train", "-q", "--config", config_file, *LARGE, "-o", output, "--overwrite")
    assert_one_line(done, output, "No space left on device")
    assert output.read_bytes() == before
    assert os.listdir(mounted) == ["model.npz"]
    done = run("train", "-q", "--config", config_file, *LARGE, "-o", mounted / "new.npz")
    assert_one_line(done, mounted / "new.npz", "No space left on device")
    assert os.listdir(mounted) == ["model.npz"]


def test_a_read_only_disk_is_reported(run: Run, config_file: Path, mounted: Path) -> None:
    (mounted / "model.npz").write_bytes(OLD_MODEL)
    subprocess.run(["mount", "-o", "remount,ro", mounted], check=True)
    done = run("train", "-q", "--config", config_file, "-o", mounted / "model.npz", "--overwrite")
    assert (done.returncode, done.stdout) == (1, b"")
    message = f"{mounted}/model.npz: the folder {mounted} is not writable\n"
    assert done.stderr == message.encode()
    assert (mounted / "model.npz").read_bytes() == OLD_MODEL


@pytest.mark.parametrize("kind", ["full", "read-only"])
def test_no_prepared_picture_on_such_a_disk(
    run: Run, pictures: Path, mounted: Path, kind: str
) -> None:
    folder = mounted / "out"
    folder.mkdir()
    command = "predict", pictures / "00.png", "--save-prepared", folder
    if kind == "full":
        with contextlib.suppress(OSError), open(mounted / "much", "wb", buffering=0) as file:
            while file.write(bytes(4096)):
                pass
        path = f"{folder}{pictures}/00.png"
        assert_one_line(run(*command), Path(path), "No space left on device")
    else:
        subprocess.run(["mount", "-o", "remount,ro", mounted], check=True)
        done = run(*command)
        assert (done.returncode, done.stdout) == (1, b"")
        message = f"{folder}: the folder is not writable; name a new folder with --save-prepared\n"
        assert done.stderr == message.encode()
    assert [path for path in folder.rglob("*") if path.is_file()] == []


def as_nobody(*arguments: str | Path) -> "subprocess.CompletedProcess[bytes]":
    """Run the command as a user other than root."""
    user = 65534 if os.geteuid() == 0 else None
    return subprocess.run(
        [DIGITNET, *arguments], capture_output=True, check=False, timeout=60, user=user, cwd="/"
    )


@pytest.fixture
def protected(config_file: Path, small_mnist: Path) -> Iterator[Path]:
    """A read-only folder with a config, data and a model."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(small_mnist, folder / "data")
        text = config_file.read_text().replace(str(small_mnist), str(folder / "data"))
        (folder / "config.yaml").write_text(text)
        (folder / "model.npz").write_bytes(OLD_MODEL)
        folder.chmod(0o555)
        try:
            if as_nobody("--version").returncode:
                pytest.skip("other users cannot run the command")
        except PermissionError:
            pytest.skip("other users cannot run the command")
        yield folder
        folder.chmod(0o755)


def test_a_read_only_folder_is_reported(protected: Path) -> None:
    done = as_nobody("train", "-q", "--config", protected / "config.yaml", "--overwrite")
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.endswith(f"the folder {protected} is not writable\n".encode())
    assert len(done.stderr.splitlines()) == 1
    assert (protected / "model.npz").read_bytes() == OLD_MODEL


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGUSR1], ids=lambda stop: stop.name)
def test_a_deleted_folder_is_reported(
    start: Callable[..., Training], config_file: Path, tmp_path: Path, stop: signal.Signals
) -> None:
    (tmp_path / "gone").mkdir()
    output = tmp_path / "gone" / "model.npz"
    slow = ("--set", "training.minibatch_size=1", "--set", "training.epochs=1000")
    training = start("--config", config_file, *LARGE, *slow, "-o", output)
    shutil.rmtree(tmp_path / "gone")
    status, out, err = training.end(stop)
    assert (status, out) == (1, b"")
    message = f"{output}: cannot be written: No such file or directory\n".encode()
    assert err.splitlines(keepends=True)[-1] == message
    assert b"Traceback" not in err
    assert not (tmp_path / "gone").exists()


def test_leftovers_of_a_killed_training_are_removed(run: Run, config_file: Path) -> None:
    assert run("train", "-q", "--config", config_file).returncode == 0
    output = config_file.parent / "model.npz"
    before = output.read_bytes()
    for ending in (".tmp", ".lock"):
        Path(f"{output}{ending}").write_bytes(before[:1000])
    assert run("train", "-q", "--config", config_file, "--resume").returncode == 0
    assert output.read_bytes() == before
    assert set(os.listdir(output.parent)) == {"config.yaml", "model.npz"}
    assert len(load_checkpoint(output).history) == 3
