"""Where a network computes: arrays for n examples, made once and used for every minibatch.

Several threads share a network by its neurons. Each computes the z, a, δ and slopes of its own
neurons of every hidden layer, and waits for the others before it reads what they have written. The
output layer, which softmax and cost see as a whole, each thread computes for itself.
"""

import functools
from collections.abc import Callable
from itertools import accumulate
from typing import NamedTuple

import numpy as np

from digitnet import aligned
from digitnet.activations import FloatArray
from digitnet.crew import ALONE, Share


class Layer(NamedTuple):
    """A layer on the way forward: a thread's own neurons of it, and the whole layer's `all_a`."""

    W: FloatArray
    b: FloatArray
    z: FloatArray
    a: FloatArray
    all_a: FloatArray


class Hidden(NamedTuple):
    """A hidden layer on the way back: a thread's own neurons, and the whole next layer's δ.

    back(next_δ, out=δ) writes Wᵀ next_δ, with W (n_next, n_own) the weights from its neurons to the
    next layer.
    """

    back: Callable[..., FloatArray]
    next_δ: FloatArray
    δ: FloatArray
    z: FloatArray


class Slopes(NamedTuple):
    """The gradient of a layer, that of a thread's own neurons."""

    δ: FloatArray
    dC_dW: FloatArray
    dC_db: FloatArray


class Workspace:
    """Arrays for n examples. Memory is used only by those that are written to.

    weights, biases, dC_dW, dC_db: the network's and its gradient's views. shared: the workspace
    of another thread, the hidden layers of which this one shares.

    z, a, δ: one array (n_out, n) per layer. The way back uses up z.
    """

    def __init__(
        self,
        weights: list[FloatArray],
        biases: list[FloatArray],
        dC_dW: list[FloatArray],
        dC_db: list[FloatArray],
        n: int,
        share: Share = ALONE,
        shared: "Workspace | None" = None,
    ) -> None:
        *hidden_sizes, classes = sizes = [len(b) for b in biases]
        dtype = weights[0].dtype
        self.n, self.first, self.meet = n, share.member == 0, share.meet
        self.blocks: list[FloatArray] = (
            shared.blocks if shared else _rooms(sum(hidden_sizes), n, dtype)
        )
        outputs = _rooms(classes, n, dtype)
        self.z, self.a, self.δ = (
            [*_split(block, hidden_sizes), output] for block, output in zip(self.blocks, outputs)
        )
        self.ones = np.ones(n, dtype)
        own = [share.rows(size) for size in sizes]
        computed = [*own[:-1], slice(None)]
        self.layers = [
            Layer(W[rows], b[rows, np.newaxis], z[rows], a[rows], a)
            for W, b, z, a, rows in zip(weights, biases, self.z, self.a, computed)
        ]
        self.hidden = [
            Hidden(
                _back(weights[l + 1], own[l]), self.δ[l + 1], self.δ[l][own[l]], self.z[l][own[l]]
            )
            for l in reversed(range(len(hidden_sizes)))
        ]
        self.slopes = [
            Slopes(δ[rows], W[rows], b[rows]) for δ, W, b, rows in zip(self.δ, dC_dW, dC_db, own)
        ]
        if share.of == 1:
            hidden_z, hidden_a, _ = self.blocks
            self.hidden_pieces = [(hidden_z, hidden_a)]
        else:
            self.hidden_pieces = [(layer.z, layer.a) for layer in self.layers[:-1]]


def _back(W: FloatArray, own: slice) -> Callable[..., FloatArray]:
    """Whole matrices are multiplied faster by `dot`, which makes a copy of a part of one."""
    if own == slice(0, W.shape[1]):
        return W.T.dot
    return functools.partial(np.matmul, W[:, own].T)


def _rooms(rows: int, n: int, dtype: "np.dtype[np.floating]") -> list[FloatArray]:
    """For z, a and δ."""
    return [aligned.empty((rows, n), dtype) for _ in range(3)]


def _split(block: FloatArray, sizes: list[int]) -> list[FloatArray]:
    return [block[end - size : end] for size, end in zip(sizes, accumulate(sizes))]
