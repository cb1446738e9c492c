"""The workloads: three networks, each with its cost, optimizer and minibatches.

Importing this module does not load NumPy, so that digitnet can limit BLAS threads first.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from mnist import read_mnist

if TYPE_CHECKING:
    from digitnet.training.state import TrainingState

ENDLESS = 1_000_000  # epochs: the benchmark stops after the last round
Threads = Literal["auto"] | int


@dataclass(frozen=True)
class Workload:
    """A network and its training.

    videos: sigmoid and squared cost as in the videos; else ReLU, softmax and cross-entropy.
    examples: number of MNIST's training examples in an epoch.
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


WORKLOADS = {
    "videos": Workload(
        "an epoch of 784-16-16-10, sigmoid, squared cost, SGD, minibatch 10, 60,000 pictures",
        (784, 16, 16, 10),
        True,
        10,
        0.15,
        0.0,
    ),
    "wide": Workload(
        "an epoch of 784-512-512-10, ReLU, softmax, momentum, minibatch 128, 60,000 pictures",
        (784, 512, 512, 10),
        False,
        128,
        0.05,
        0.9,
    ),
    "deep": Workload(
        "784-2500-2000-1500-1000-500-10, ReLU, softmax, SGD, minibatch 128, only 12,800 pictures",
        (784, 2500, 2000, 1500, 1000, 500, 10),
        False,
        128,
        0.05,
        0.0,
        12_800,
    ),
}


def config_values(
    workload: Workload, path: str, threads: Threads, epochs: int, **settings: Any
) -> dict[str, Any]:
    """Return digitnet's config for a workload on the data at `path`, with nothing held out.

    settings: further keys of `training`.
    """
    return {
        "data": {"path": path, "validation": 0},
        "network": {
            "layer_sizes": list(workload.layer_sizes),
            "activation": "sigmoid" if workload.videos else "relu",
            "output": "sigmoid" if workload.videos else "softmax",
        },
        "cost": "quadratic" if workload.videos else "cross_entropy",
        "training": {
            "epochs": epochs,
            "minibatch_size": workload.minibatch_size,
            "optimizer": {"learning_rate": workload.learning_rate, "momentum": workload.momentum},
            "threads": threads,
            **settings,
        },
    }


def begin_training(workload: Workload, threads: Threads, **settings: Any) -> "TrainingState":
    """Return digitnet's training before its first step; all contenders start from its weights.

    settings: further keys of the config's `training`.
    """
    import numpy as np

    from digitnet.config.reader import to_config
    from digitnet.training.setup import begin

    images, labels, *_ = read_mnist()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "share.npz"
        np.savez(path, images=images[: workload.examples], labels=labels[: workload.examples])
        values = config_values(workload, str(path), threads, epochs=ENDLESS, **settings)
        return begin(to_config(values))
