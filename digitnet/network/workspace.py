"""Where a network computes: arrays for n examples, made once and used for every minibatch.

Every layer but the last has one more row in its activations, of ones: their weights are the
biases.

Several threads share a network by its neurons. Each computes the z, a, δ and slopes of its own
neurons of every hidden layer, and waits for the others before it reads what they have written. The
output layer, which softmax and cost see as a whole, each thread computes for itself.
"""

import functools
from collections.abc import Callable
from itertools import accumulate
from typing import NamedTuple

import numpy as np

from digitnet import arrays
from digitnet.arrays import ALONE, FloatArray, Share
from digitnet.network.regularisers import NO_REGULARISERS, BatchNorm, Dropout, Regularisers


class Layer(NamedTuple):
    """A layer on the way forward: a thread's own neurons, and all that the next layer reads.

    norm, drop: what they do besides, in training.
    """

    Wb: FloatArray
    z: FloatArray
    a: FloatArray
    all_a: FloatArray
    norm: BatchNorm | None
    drop: Dropout | None


class Hidden(NamedTuple):
    """A hidden layer on the way back: a thread's own neurons, and the whole next layer's δ.

    back(next_δ, δ) writes Wᵀ next_δ to δ, with W the weights from its neurons to the next layer;
    for one who is alone the row of ones is a neuron more, whose δ nobody reads. dσ is z, which
    the derivative takes the place of.
    """

    back: Callable[[FloatArray, FloatArray], FloatArray]
    next_δ: FloatArray
    δ: FloatArray
    dσ: FloatArray
    norm: BatchNorm | None = None
    drop: Dropout | None = None


class Slopes(NamedTuple):
    """The gradient of a layer, that of a thread's own neurons."""

    δ: FloatArray
    dC_dWb: FloatArray
    norm: BatchNorm | None


class Workspace:
    """Arrays for n examples. Memory is used only by those that are written to.

    matrices, gradients: the network's and its gradient's. shared: the workspace of another thread,
    the hidden layers of which this one shares. regularisers: of the hidden layers, in training.

    z, a, δ: one array (n_out, n) per layer. The way back uses up z.
    """

    def __init__(
        self,
        matrices: list[FloatArray],
        gradients: list[FloatArray],
        n: int,
        share: Share = ALONE,
        shared: "Workspace | None" = None,
        regularisers: Regularisers = NO_REGULARISERS,
    ) -> None:
        *hidden_sizes, classes = sizes = [len(Wb) for Wb in matrices]
        dtype = matrices[0].dtype
        rows = sum(hidden_sizes) + len(hidden_sizes)
        self.n, self.meet = n, share.barrier
        self.blocks: list[FloatArray] = shared.blocks if shared else _rooms(rows, n, dtype)
        z, a, δ = (
            [*_split(block, hidden_sizes), output]
            for block, output in zip(self.blocks, _rooms(classes, n, dtype))
        )
        for a_l in a[:-1]:
            a_l[-1] = 1
        self.z, self.a, self.δ = ([l[:size] for l, size in zip(ls, sizes)] for ls in (z, a, δ))
        own = [share.rows(size) for size in sizes]
        computed = [*own[:-1], slice(classes)]
        hidden = range(len(hidden_sizes))
        norms = [*(regularisers.norm(l, own[l], matrices[l], n) for l in hidden), None]
        drops = [*(regularisers.drop(l, own[l], n, share.member) for l in hidden), None]
        self.regularisers = [r for r in (*norms, *drops) if r is not None]
        self.layers = [
            Layer(Wb[rows], z_l[rows], a_l[rows], a_l, norm, drop)
            for Wb, z_l, a_l, rows, norm, drop in zip(matrices, z, a, computed, norms, drops)
        ]
        # `dot` is quicker than `matmul`, but makes a copy of a part of a matrix.
        if share.members == 1 and not regularisers:
            backs = [Wb.T.dot for Wb in matrices[1:]]
            self.hidden = list(map(Hidden, backs, self.δ[1:], δ, z))
            self.derivatives = [(self.blocks[0], self.blocks[1])]
        else:
            parts = [Wb[:, rows].T for Wb, rows in zip(matrices[1:], own)]
            backs = [functools.partial(np.matmul, part) for part in parts]
            own_δ, own_z = ([l[rows] for l, rows in zip(ls, own[:-1])] for ls in (δ, z))
            self.hidden = list(map(Hidden, backs, self.δ[1:], own_δ, own_z, norms, drops))
            self.derivatives = [(layer.z, layer.a) for layer in self.layers[:-1]]
        self.hidden.reverse()
        self.slopes = [
            Slopes(l[rows], dC_dWb[rows], norm)
            for l, dC_dWb, rows, norm in zip(δ, gradients, own, norms)
        ]


def _rooms(rows: int, n: int, dtype: "np.dtype[np.floating]") -> list[FloatArray]:
    """For z, a and δ."""
    return [arrays.empty((rows, n), dtype) for _ in range(3)]


def _split(block: FloatArray, sizes: list[int]) -> list[FloatArray]:
    """Layers of so many rows, and one more."""
    return [
        block[end - size - 1 : end] for size, end in zip(sizes, accumulate(s + 1 for s in sizes))
    ]
