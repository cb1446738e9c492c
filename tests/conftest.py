"""Shared fixtures: parts of the real MNIST, a trained model, and the installed command."""

import errno
import functools
import gzip
import json
import os
import signal
import struct
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import blas_thread  # noqa: F401  before any other import of NumPy
import numpy as np
import pytest
from hypothesis import settings
from PIL import Image
from preloaded import Preloaded

REPOSITORY = Path(__file__).parent.parent
MNIST = REPOSITORY / "data" / "mnist"
DIGITNET = Path(sys.executable).with_name("digitnet")
NOT_INHERITED = ("DIGITNET_MODEL", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE")
ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
OLD_MODEL = b"PK\3\4" + bytes(22) + b"\x12\0\0\0format_version.npy"  # a truncated checkpoint

# Each worker and each command would compile all modules again.
sys.dont_write_bytecode = False

# No deadline, because other programs share the machine. The same examples in every run, so that a
# failure can be repeated elsewhere; hence no database of earlier failures.
settings.register_profile("digitnet", deadline=None, derandomize=True, database=None)
settings.load_profile("digitnet")

# Child processes inherit ignored signals, as in a background job or under nohup, but no handlers.
# So a handler that does nothing takes the place of an ignored signal.
for _number in (signal.SIGHUP, signal.SIGINT):
    if signal.getsignal(_number) == signal.SIG_IGN:
        signal.signal(_number, lambda *_: None)

Popen = Callable[..., "subprocess.Popen[bytes]"]
Run = Callable[..., "subprocess.CompletedProcess[bytes]"]
Failing = Callable[[str, str | Path], None]


def read_mnist(split: str, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the first n images uint8 (n, 28, 28) and labels uint8 (n,) of `train` or `t10k`."""
    with gzip.open(MNIST / f"{split}-images-idx3-ubyte.gz") as file:
        images = np.frombuffer(file.read(16 + n * 784), np.uint8, offset=16).reshape(n, 28, 28)
    with gzip.open(MNIST / f"{split}-labels-idx1-ubyte.gz") as file:
        labels = np.frombuffer(file.read(8 + n), np.uint8, offset=8)
    return images, labels


def write_idx(path: Path, array: np.ndarray) -> Path:
    """Write an array of unsigned bytes as an IDX file; return its path."""
    header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    path.write_bytes(header + array.astype(np.uint8).tobytes())
    return path


def in_shell(script: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    """Run a script of bash that stops at its first error, as in the virtual environment."""
    return subprocess.run(
        ["/bin/bash", "-euc", script],
        cwd=cwd,
        env=ENVIRONMENT | {"PATH": f"{DIGITNET.parent}:/usr/local/bin:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="session")
def small_mnist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of IDX files: the first 2,000 training and 500 test digits of MNIST."""
    folder = tmp_path_factory.mktemp("small-mnist")
    for split, n in (("train", 2000), ("t10k", 500)):
        images, labels = read_mnist(split, n)
        write_idx(folder / f"{split}-images-idx3-ubyte", images)
        write_idx(folder / f"{split}-labels-idx1-ubyte", labels)
    return folder


@pytest.fixture(scope="session")
def preloaded() -> Iterator[Preloaded]:
    """Yield what forks the installed command, without its start-up."""
    preloaded = Preloaded(ENVIRONMENT)
    yield preloaded
    preloaded.close()


@pytest.fixture(scope="session")
def popen(preloaded: Preloaded) -> Popen:
    """Return a function that starts the installed command as Popen does.

    popen("predict", "-", stdin=PIPE). $DIGITNET_MODEL is not inherited; the process is forked.
    """
    return functools.partial(preloaded.start, DIGITNET)


@pytest.fixture(scope="session")
def run(preloaded: Preloaded) -> Run:
    """Return a function that runs the installed command.

    run("predict", "-", input=b"…", cwd=folder, env={…}). $DIGITNET_MODEL is not inherited; stdin is
    empty unless `input` is given; `data_limit` is RLIMIT_DATA in bytes. The process is forked from
    one that has imported the command, except with `fresh` and with variables that may change the
    start-up.
    """

    def run(
        *arguments: str | bytes | Path,
        input: bytes = b"",
        cwd: Path | None = None,
        env: dict[str, str] | None = None,
        timeout: float = 60,
        data_limit: int | None = None,
        fresh: bool = False,
    ) -> subprocess.CompletedProcess[bytes]:
        command, env = [DIGITNET, *arguments], env or {}
        if not fresh and all(name.startswith(("DIGITNET_MODEL", "SLURM_")) for name in env):
            return preloaded.run(command, input, timeout, cwd, env, data_limit)
        assert data_limit is None
        return subprocess.run(
            command,
            input=input,
            capture_output=True,
            timeout=timeout,
            check=False,
            cwd=cwd,
            env={**ENVIRONMENT, **env},
        )

    return run


@pytest.fixture
def interrupted_mask(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Raise KeyboardInterrupt when signals are blocked, as for one that came just before.

    Afterwards, no other signals may be blocked than before.
    """
    original = signal.pthread_sigmask

    def interrupted(how: int, signals: Iterable[int]) -> set[signal.Signals]:
        before = original(how, signals)
        if how == signal.SIG_BLOCK and signals:
            raise KeyboardInterrupt
        return before

    before = original(signal.SIG_BLOCK, ())
    monkeypatch.setattr(signal, "pthread_sigmask", interrupted)
    yield
    assert original(signal.SIG_SETMASK, before) == before


@pytest.fixture
def impatient() -> Iterator[None]:
    """Fail a test that takes more than ten seconds."""

    def fail(*_: object) -> None:
        pytest.fail("still waiting")

    before = signal.signal(signal.SIGALRM, fail)
    signal.alarm(10)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def config_file(tmp_path: Path, small_mnist: Path) -> Path:
    """The config of a small network on the small MNIST, saved as model.npz in the same folder."""
    path = tmp_path / "config.yaml"
    path.write_text(
        f"""\
data:
  path: {small_mnist}
  validation: 500
network:
  layer_sizes: [784, 16, 10]
  output: softmax
cost: cross_entropy
training:
  epochs: 3
  minibatch_size: 30
  optimizer: {{name: sgd, learning_rate: 0.6}}
"""
    )
    return path


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory, small_mnist: Path, run: Run) -> Path:
    """A checkpoint of a network trained on the small MNIST; its accuracy is above 85 %."""
    return train_model(
        tmp_path_factory.mktemp("model"),
        run,
        f"data: {{path: {small_mnist}, validation: 500}}\n"
        "network: {layer_sizes: [784, 30, 10], output: softmax}\n"
        "cost: cross_entropy\n"
        "training: {epochs: 8, optimizer: {name: sgd, learning_rate: 0.5}}\n",
    )


def train_model(folder: Path, run: Run, config: str) -> Path:
    """Train with the installed command in a folder; return its `model.npz`."""
    (folder / "config.yaml").write_text(config)
    done = run("train", "--config", folder / "config.yaml", "-q")
    assert done.returncode == 0, done.stderr
    return folder / "model.npz"


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with MNIST's first 20 test digits as 00.png to 19.png; 00.png is a 7."""
    folder = tmp_path_factory.mktemp("pictures")
    images, _ = read_mnist("t10k", 20)
    for number, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{number:02}.png")
    return folder


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Failing:
    """Return a function: after failing("stat", path), `os.stat(path)` fails as on a broken disk."""

    def failing(name: str, path: str | Path) -> None:
        original = getattr(os, name)

        def call(at: Any, *arguments: Any, **options: Any) -> Any:
            if isinstance(at, str | Path) and str(at) == str(path):
                raise OSError(errno.EIO, os.strerror(errno.EIO), at)
            return original(at, *arguments, **options)

        monkeypatch.setattr(os, name, call)

    return failing


def comparable(path: Path) -> dict[str, Any]:
    """Return the arrays of a checkpoint, without timings and without the model's own path."""
    with np.load(path) as file:
        arrays: dict[str, Any] = {name: array.tolist() for name, array in file.items()}
    for name in ("history", "config", "origin", "state_place"):
        arrays[name] = json.loads(arrays[name])
    for record in arrays["history"]:
        del record["seconds"], record["images_per_second"]
    del arrays["config"]["model"], arrays["origin"]["created"], arrays["state_place"]["seconds"]
    return arrays


class Training:
    """A running `digitnet train -v …`; the constructor returns once training has started."""

    def __init__(self, popen: Popen, *arguments: str | Path, ignoring: str = "") -> None:
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        if ignoring:
            script = f'trap "" {ignoring}; exec "$0" train -v "$@"'
            command = ["sh", "-c", script, DIGITNET, *arguments]
            self.process = subprocess.Popen(command, env=ENVIRONMENT, **streams)
        else:
            self.process = popen("train", "-v", *arguments, **streams)
        assert self.process.stderr is not None
        self.first_line = self.process.stderr.readline()

    def end(self, stop: signal.Signals | None = None) -> tuple[int, bytes, bytes]:
        """Send `stop`, if given, and wait; return exit status, stdout and the rest of stderr."""
        if stop is not None:
            self.process.send_signal(stop)
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, out, err


@pytest.fixture
def start(popen: Popen) -> Iterator[Callable[..., Training]]:
    """Return a function that starts a training, which is killed after the test if still running.

    start("--config", file, ignoring="HUP")
    """
    started: list[Training] = []

    def start(*arguments: str | Path, ignoring: str = "") -> Training:
        started.append(Training(popen, *arguments, ignoring=ignoring))
        return started[-1]

    yield start
    for training in started:
        if training.process.poll() is None:
            training.end(signal.SIGKILL)
