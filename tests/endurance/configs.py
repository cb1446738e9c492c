"""Configs of small trainings of all kinds, with epochs long enough to be interrupted."""

import gzip
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

REPOSITORY = Path(__file__).parent.parent.parent
DIGITNET = str(Path(sys.executable).with_name("digitnet"))
MNIST = REPOSITORY / "data" / "mnist"

SGD = "{name: sgd, learning_rate: 0.05, momentum: 0.5}"
CONFIGS = {  # layer sizes, other sections of the config, other keys of `training`
    "momentum": ("[784, 100, 10]", "", f"minibatch_size: 1, optimizer: {SGD}"),
    "adam": ("[784, 60, 10]", "", "minibatch_size: 2, optimizer: {name: adam}"),
    "adamw": (
        "[784, 60, 10]",
        "",
        "minibatch_size: 2, optimizer: {name: adamw}, l2: 0.01, "
        "schedule: {name: cosine, warmup: 0.1}",
    ),
    "distortions": (
        "[784, 60, 10]",
        "augment: {rotation: 10, scale: 0.1, shear: 0.1, shift: 1, elastic: 30, final: 0.3}",
        f"minibatch_size: 2, optimizer: {SGD}",
    ),
    "dropout": (
        "[784, 80, 40, 10]",
        "",
        f"minibatch_size: 2, dropout: 0.3, optimizer: {SGD}",
    ),
    "batch_norm": (
        "[784, 60, 30, 10]",
        "",
        f"minibatch_size: 3, batch_norm: true, optimizer: {SGD}",
    ),
    "threads": ("[784, 120, 60, 10]", "", f"minibatch_size: 4, threads: 2, optimizer: {SGD}"),
    "everything": (
        "[784, 60, 40, 10]",
        "augment: {rotation: 10, shift: 1}",
        "threads: 2, dropout: 0.2, batch_norm: true, background: 0.1, optimizer: {name: adam}",
    ),
}
EPOCHS = 3
DIGITS = 3000


def read_start(name: str, header: int, size: int) -> np.ndarray:
    """Return the bytes of the first DIGITS items of a file of MNIST's training set."""
    with gzip.open(MNIST / f"train-{name}-ubyte.gz") as file:
        return np.frombuffer(file.read(header + DIGITS * size), np.uint8, offset=header)


@contextmanager
def folder_of_configs() -> Iterator[Path]:
    """Yield a folder with all configs, named NAME.yaml: few digits, frequent checkpoints."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        images, labels = read_start("images-idx3", 16, 784), read_start("labels-idx1", 8, 1)
        np.savez(folder / "digits.npz", images=images.reshape(-1, 28, 28), labels=labels)
        for title, (layers, other, settings) in CONFIGS.items():
            (folder / f"{title}.yaml").write_text(
                "data: {path: digits.npz, validation: 500}\n"
                f"network: {{layer_sizes: {layers}, activation: relu, output: softmax}}\n"
                f"cost: cross_entropy\n{other}\n"
                f"training: {{epochs: {EPOCHS}, checkpoint_seconds: 0.001, {settings}}}\n"
            )
        yield folder


def contents(path: Path) -> dict[str, Any]:
    """Return the arrays and history of a checkpoint, without timings and paths."""
    with np.load(path) as file:
        arrays: dict[str, Any] = dict(file)
    for name in ("config", "history", "origin", "state_place"):
        arrays[name] = json.loads(str(arrays[name]))
    for record in arrays["history"]:
        del record["seconds"], record["images_per_second"]
    del arrays["config"]["model"], arrays["origin"]["created"], arrays["state_place"]["seconds"]
    return arrays


def differing(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """Return the names of contents that are not the same, bit for bit."""
    return [name for name in one.keys() | other.keys() if not _same(one, other, name)]


def _same(one: dict[str, Any], other: dict[str, Any], name: str) -> bool:
    if name not in one or name not in other:
        return False
    a, b = one[name], other[name]
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    return bool(a == b)
