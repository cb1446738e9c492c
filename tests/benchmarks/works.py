"""What is trained: three networks, each with its cost, optimizer and minibatches.

Nothing here loads NumPy before it is called, so that digitnet can settle its threads first.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from mnist import read_mnist

if TYPE_CHECKING:
    from digitnet.training.state import TrainingState

ENDLESS = 1_000_000  # epochs: whoever times them stops when it has seen enough
Threads = Literal["auto"] | int


@dataclass(frozen=True)
class Work:
    """videos: sigmoid and squared cost; else ReLU, softmax and cross-entropy.

    examples: how many of MNIST's 60,000 make an epoch.
    """

    title: str
    layer_sizes: tuple[int, ...]
    videos: bool
    minibatch_size: int
    learning_rate: float
    momentum: float
    examples: int = 60_000

    @property
    def minibatches(self) -> int:
        return -(-self.examples // self.minibatch_size)


WORKS = {
    "videos": Work(
        "an epoch of 784-16-16-10, sigmoid, squared cost, SGD, minibatch 10, 60,000 pictures",
        (784, 16, 16, 10),
        True,
        10,
        0.15,
        0.0,
    ),
    "wide": Work(
        "an epoch of 784-512-512-10, ReLU, softmax, momentum, minibatch 128, 60,000 pictures",
        (784, 512, 512, 10),
        False,
        128,
        0.05,
        0.9,
    ),
    "deep": Work(
        "784-2500-2000-1500-1000-500-10, ReLU, softmax, SGD, minibatch 128, only 12,800 pictures",
        (784, 2500, 2000, 1500, 1000, 500, 10),
        False,
        128,
        0.05,
        0.0,
        12_800,
    ),
}


def config_values(work: Work, path: str, threads: Threads, epochs: int) -> dict[str, Any]:
    """The config that makes digitnet do this work on the data at `path`, nothing held out."""
    return {
        "data": {"path": path, "validation": 0},
        "network": {
            "layer_sizes": list(work.layer_sizes),
            "activation": "sigmoid" if work.videos else "relu",
            "output": "sigmoid" if work.videos else "softmax",
        },
        "cost": "quadratic" if work.videos else "cross_entropy",
        "training": {
            "epochs": epochs,
            "minibatch_size": work.minibatch_size,
            "optimizer": {"learning_rate": work.learning_rate, "momentum": work.momentum},
            "threads": threads,
        },
    }


def begin_work(work: Work, threads: Threads) -> "TrainingState":
    """digitnet's training before its first step: the weights that every contender starts from."""
    import numpy as np

    from digitnet.config.reader import to_config
    from digitnet.training.state import begin

    images, labels, *_ = read_mnist()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "share.npz"
        np.savez(path, images=images[: work.examples], labels=labels[: work.examples])
        return begin(to_config(config_values(work, str(path), threads, epochs=ENDLESS)))
