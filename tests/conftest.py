"""What the tests share: slices of the real MNIST, a trained model, and the installed command."""

import gzip
import os
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

REPOSITORY = Path(__file__).parent.parent
MNIST = REPOSITORY / "data" / "mnist"
DIGITNET = Path(sys.executable).with_name("digitnet")

Run = Callable[..., "subprocess.CompletedProcess[bytes]"]


def read_mnist(split: str, n: int) -> tuple[np.ndarray, np.ndarray]:
    """The first n images uint8 (n, 28, 28) and labels uint8 (n,) of `train` or `t10k`."""
    with gzip.open(MNIST / f"{split}-images-idx3-ubyte.gz") as file:
        images = np.frombuffer(file.read(16 + n * 784), np.uint8, offset=16).reshape(n, 28, 28)
    with gzip.open(MNIST / f"{split}-labels-idx1-ubyte.gz") as file:
        labels = np.frombuffer(file.read(8 + n), np.uint8, offset=8)
    return images, labels


def write_idx(path: Path, array: np.ndarray) -> Path:
    """An array of unsigned bytes as an IDX file."""
    header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    path.write_bytes(header + array.astype(np.uint8).tobytes())
    return path


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
def run() -> Run:
    """Run the installed `digitnet`: run("predict", "-", input=b"…", cwd=folder, env={…}).

    $DIGITNET_MODEL is not inherited; stdin is empty unless there is `input`.
    """

    def run(
        *arguments: str | bytes | Path,
        input: bytes = b"",
        cwd: Path | None = None,
        env: dict[str, str] | None = None,
    ) -> subprocess.CompletedProcess[bytes]:
        inherited = {name: value for name, value in os.environ.items() if name != "DIGITNET_MODEL"}
        return subprocess.run(
            [DIGITNET, *arguments],
            input=input,
            capture_output=True,
            timeout=60,
            check=False,
            cwd=cwd,
            env={**inherited, **(env or {})},
        )

    return run


@pytest.fixture
def config_file(tmp_path: Path, small_mnist: Path) -> Path:
    """A config of a small network on the small MNIST; its model goes to model.npz beside it."""
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
  optimizer: {{name: sgd, learning_rate: 0.3}}
"""
    )
    return path


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory, small_mnist: Path, run: Run) -> Path:
    """A checkpoint of a network trained on the small MNIST, more than 85 % right."""
    folder = tmp_path_factory.mktemp("model")
    (folder / "config.yaml").write_text(
        f"data: {{path: {small_mnist}, validation: 500}}\n"
        "network: {layer_sizes: [784, 30, 10], output: softmax}\n"
        "cost: cross_entropy\n"
        "training: {epochs: 8, optimizer: {name: sgd, learning_rate: 0.5}}\n"
    )
    done = run("train", "--config", folder / "config.yaml", "-q")
    assert done.returncode == 0, done.stderr
    return folder / "model.npz"
