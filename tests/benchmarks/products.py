"""The lower limit: the matrix products of a training step in NumPy, and nothing else.

The products are: forward for all layers, backward for all layers but the first, and all gradients.
They are float32 and write to preallocated arrays. Two layouts are measured: an example per row,
which is usual in NumPy, and an example per column.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from trainer import Trainer
from workloads import Workload

ONE_MINIBATCH_IN = 5  # only one minibatch in five is timed


def products_in_rows(workload: Workload) -> Trainer:
    import numpy as np

    layers = []
    for n_in, n_out in pairwise(workload.layer_sizes):
        W, a, δ = _random(
            (n_out, n_in), (workload.minibatch_size, n_in), (workload.minibatch_size, n_out)
        )
        layers.append((W, a, δ, np.empty_like(δ), np.empty_like(a), np.empty_like(W)))

    def step() -> None:
        for W, a, _, z, _, _ in layers:
            np.matmul(a, W.T, out=z)  # (n, n_in) @ (n_in, n_out) -> (n, n_out)
        for l, (W, a, δ, _, before, dC_dW) in reversed(list(enumerate(layers))):
            np.matmul(δ.T, a, out=dC_dW)  # (n_out, n) @ (n, n_in) -> (n_out, n_in)
            if l > 0:
                np.matmul(δ, W, out=before)  # (n, n_out) @ (n_out, n_in) -> (n, n_in)

    return _trainer(workload, step)


def products_in_columns(workload: Workload) -> Trainer:
    import numpy as np

    layers = []
    for n_in, n_out in pairwise(workload.layer_sizes):
        W, a, δ = _random(
            (n_out, n_in), (n_in, workload.minibatch_size), (n_out, workload.minibatch_size)
        )
        layers.append((W, a, δ, np.empty_like(δ), np.empty_like(a), np.empty_like(W)))

    def step() -> None:
        for W, a, _, z, _, _ in layers:
            np.matmul(W, a, out=z)  # (n_out, n_in) @ (n_in, n) -> (n_out, n)
        for l, (W, a, δ, _, before, dC_dW) in reversed(list(enumerate(layers))):
            np.matmul(δ, a.T, out=dC_dW)  # (n_out, n) @ (n, n_in) -> (n_out, n_in)
            if l > 0:
                np.matmul(W.T, δ, out=before)  # (n_in, n_out) @ (n_out, n) -> (n_in, n)

    return _trainer(workload, step)


def _random(*shapes: tuple[int, int]) -> list[Any]:
    import numpy as np

    rng = np.random.default_rng(1)
    return [rng.standard_normal(shape, np.float32) for shape in shapes]


def _trainer(workload: Workload, step: Callable[[], None]) -> Trainer:
    steps = workload.minibatches // ONE_MINIBATCH_IN

    def part_of_an_epoch() -> None:
        for _ in range(steps):
            step()

    return Trainer(part_of_an_epoch, parts=workload.examples / workload.minibatch_size / steps)
