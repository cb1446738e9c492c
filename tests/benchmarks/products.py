"""The limit: the matrix products of a training step and nothing else, in NumPy.

All layers forward, all but the first backward, all gradients; float32, into arrays made before, in
both layouts: NumPy's usual one with an example in each row, and an example in each column.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from trainer import Trainer
from works import Work

SHARE = 5  # one minibatch in so many is enough to time


def products_in_rows(work: Work) -> Trainer:
    import numpy as np

    layers = []
    for n_in, n_out in pairwise(work.layer_sizes):
        W, a, δ = _random((n_out, n_in), (work.minibatch_size, n_in), (work.minibatch_size, n_out))
        layers.append((W, a, δ, np.empty_like(δ), np.empty_like(a), np.empty_like(W)))

    def step() -> None:
        for W, a, _, z, _, _ in layers:
            np.matmul(a, W.T, out=z)  # (n, n_in) @ (n_in, n_out) -> (n, n_out)
        for l, (W, a, δ, _, before, dC_dW) in reversed(list(enumerate(layers))):
            np.matmul(δ.T, a, out=dC_dW)  # (n_out, n) @ (n, n_in) -> (n_out, n_in)
            if l > 0:
                np.matmul(δ, W, out=before)  # (n, n_out) @ (n_out, n_in) -> (n, n_in)

    return _trainer(work, step)


def products_in_columns(work: Work) -> Trainer:
    import numpy as np

    layers = []
    for n_in, n_out in pairwise(work.layer_sizes):
        W, a, δ = _random((n_out, n_in), (n_in, work.minibatch_size), (n_out, work.minibatch_size))
        layers.append((W, a, δ, np.empty_like(δ), np.empty_like(a), np.empty_like(W)))

    def step() -> None:
        for W, a, _, z, _, _ in layers:
            np.matmul(W, a, out=z)  # (n_out, n_in) @ (n_in, n) -> (n_out, n)
        for l, (W, a, δ, _, before, dC_dW) in reversed(list(enumerate(layers))):
            np.matmul(δ, a.T, out=dC_dW)  # (n_out, n) @ (n, n_in) -> (n_out, n_in)
            if l > 0:
                np.matmul(W.T, δ, out=before)  # (n_in, n_out) @ (n_out, n) -> (n_in, n)

    return _trainer(work, step)


def _random(*shapes: tuple[int, int]) -> list[Any]:
    import numpy as np

    rng = np.random.default_rng(1)
    return [rng.standard_normal(shape, np.float32) for shape in shapes]


def _trainer(work: Work, step: Callable[[], None]) -> Trainer:
    steps = work.minibatches // SHARE

    def some_of_an_epoch() -> None:
        for _ in range(steps):
            step()

    return Trainer(some_of_an_epoch, parts=work.examples / work.minibatch_size / steps)
