"""The arrays a network computes in: allocated once for n examples, used for every minibatch.

The activations of every layer but the last have one more row, of ones; its weights are the biases.

The members of a crew divide the neurons of a network. Each member computes z, a, δ and the gradient
of its own neurons in every hidden layer, and waits for the others before it reads their results.
Softmax and cost need the whole output layer, so each member computes all of it.
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
    """A layer of the forward pass: a member's own neurons; all_a is the input of the next layer.

    norm, drop: batch normalisation and dropout, in training.
    """

    Wb: FloatArray
    z: FloatArray
    a: FloatArray
    all_a: FloatArray
    norm: BatchNorm | None
    drop: Dropout | None


class Hidden(NamedTuple):
    """A hidden layer of the backward pass: a member's own neurons, and the whole next layer's δ.

    back(next_δ, δ) writes Wᵀ next_δ to δ, with W the weights from these neurons to the next layer.
    A single member treats the row of ones as one more neuron, whose δ is not used. dσ: the array of
    z, which σ'(z) overwrites.
    """

    back: Callable[[FloatArray, FloatArray], FloatArray]
    next_δ: FloatArray
    δ: FloatArray
    dσ: FloatArray
    norm: BatchNorm | None = None
    drop: Dropout | None = None


class Gradient(NamedTuple):
    """The gradient of a layer: a member's own neurons."""

    δ: FloatArray
    dC_dWb: FloatArray
    norm: BatchNorm | None


class Workspace:
    """Arrays for n examples. An array takes memory only once it is written to.

    matrices, gradients: the matrices [W b] of the network and of its gradient. shared: the
    workspace of another member, with which this one shares the hidden layers' arrays.
    regularisers: of the hidden layers, in training.

    z, a, δ: one array (n_out, n) per layer. Backprop overwrites z.
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
        self.n, self.barrier = n, share.barrier
        new = arrays.shared if arrays.is_shared(matrices[0]) else arrays.empty
        self.blocks: list[FloatArray] = (
            shared.blocks if shared else [new((rows, n), dtype) for _ in range(3)]
        )
        outputs = [arrays.empty((classes, n), dtype) for _ in range(3)]
        z, a, δ = (
            [*_split(block, hidden_sizes), output] for block, output in zip(self.blocks, outputs)
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
        # `dot` is faster than `matmul`, but copies a slice of a matrix.
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
        self.layer_gradients = [
            Gradient(l[rows], dC_dWb[rows], norm)
            for l, dC_dWb, rows, norm in zip(δ, gradients, own, norms)
        ]


def _split(block: FloatArray, sizes: list[int]) -> list[FloatArray]:
    """Return views of the block's rows, one per layer: `size` neurons and the row of ones."""
    return [
        block[end - size - 1 : end] for size, end in zip(sizes, accumulate(s + 1 for s in sizes))
    ]
