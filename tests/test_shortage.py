"""Not enough memory or open files: one line that names the limit, and status 1."""

import errno
import itertools
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import DIGITNET, ENVIRONMENT

from digitnet.errors import FILES, MEMORY, THREADS, DataError, Shortage, shortage


def raised(error: Exception, cause: Exception | None = None) -> Exception:
    """Return an error as `except` sees it, raised while `cause` was handled."""
    try:
        try:
            raise cause or error
        except Exception:
            raise error from None
    except Exception as caught:
        return caught


@pytest.mark.parametrize(
    ("error", "short"),
    [
        (MemoryError(), MEMORY),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), MEMORY),
        (OSError(errno.EMFILE, "Too many open files"), FILES),
        (ImportError("libx.so: failed to map segment from shared object"), MEMORY),
        (ImportError("x.so: cannot open shared object file: Too many open files"), FILES),
        (RuntimeError("can't start new thread"), THREADS),
        (OSError(errno.ENOENT, "No such file or directory"), None),
        (ImportError("No module named 'x'"), None),
        (ValueError("Cannot allocate memory"), None),
    ],
)
def test_a_shortage_is_found_behind_other_errors(error: Exception, short: Shortage | None) -> None:
    assert shortage(error) == shortage(raised(DataError("x"), error)) == short


def limited(folder: Path, limit: str, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
    """Run the command under a limit; skips the test if even Python does not start."""
    script = f'ulimit {limit}; "$1" -c pass || exit 99; shift; exec "$0" "$@"'
    done = subprocess.run(
        ["sh", "-c", script, DIGITNET, sys.executable, *arguments],
        capture_output=True,
        check=False,
        cwd=folder,
        env=ENVIRONMENT,
        timeout=60,
    )
    if done.returncode == 99:
        pytest.skip("Python itself does not start")
    return done


COMMANDS = {
    "train": ("train", "-q", "--config", "config.yaml", "--overwrite"),
    "threads": (
        *("train", "-q", "--config", "config.yaml", "--overwrite", "--set", "training.epochs=1"),
        *("--set", "training.threads=6", "--set", "network.layer_sizes=[784,300,10]"),
    ),
    "evaluate": ("evaluate", "-m", "model.npz", "--data", "{}"),
    "predict": ("predict", "-m", "model.npz", "7.png"),
}


@pytest.fixture
def folder(config_file: Path, model: Path, pictures: Path) -> Path:
    (config_file.parent / "model.npz").write_bytes(model.read_bytes())
    (config_file.parent / "7.png").write_bytes((pictures / "00.png").read_bytes())
    return config_file.parent


@pytest.mark.parametrize(
    ("command", "limit"),
    [
        *itertools.product(
            ("train", "evaluate", "predict"), ("-v 40000", "-v 140000", "-v 400000", "-n 5")
        ),
        ("threads", "-v 400000"),  # as `train` under lower limits
    ],
)
def test_a_limit_that_is_too_low_is_reported(
    folder: Path, small_mnist: Path, command: str, limit: str
) -> None:
    arguments = [argument.replace("{}", str(small_mnist)) for argument in COMMANDS[command]]
    done = limited(folder, limit, *arguments)
    assert done.returncode in (0, 1)
    if limit != "-v 400000":  # enough for some commands
        assert done.returncode == 1
    if done.returncode == 1:
        assert done.stdout == b""
        assert done.stderr.count(b"\n") == 1
        assert b"ulimit" in done.stderr


@pytest.mark.parametrize("module", ["digitnet.model.prediction", "digitnet.cli", "numpy"])
def test_a_part_that_cannot_be_loaded_is_one_line(module: str) -> None:
    program = (
        f"import sys; sys.modules[{module!r}] = None; sys.argv = ['digitnet', 'predict', 'x.png']; "
        "from digitnet.__main__ import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (1, b"")
    (line,) = done.stderr.decode().splitlines()
    assert line.startswith(f"digitnet cannot be loaded: import of {module} halted")
