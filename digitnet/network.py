"""The network: pixels in, ten numbers out, some thousands of knobs, and the slope of each.

For a minibatch, one example per column, with C the cost and ⊙ the product element by element:

    forward     z_l = W_l a_(l-1) + b_l            a_l = σ(z_l)
    backward    δ_L = ∂C/∂a_L ⊙ σ'(z_L)            δ_(l-1) = (W_lᵀ δ_l) ⊙ σ'(z_(l-1))
    gradient    ∂C/∂W_l = δ_l a_(l-1)ᵀ             ∂C/∂b_l = δ_l summed over the examples

after 3Blue1Brown, Neural networks, chapters 1 to 4, and Nielsen, Neural Networks and Deep
Learning, chapter 2, BP1 to BP4. `A.dot(B, out=C)` is C = A B, written into an
array that is there already.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import DTypeLike, NDArray

from digitnet import aligned
from digitnet.activations import ACTIVATIONS, FloatArray, glorot
from digitnet.costs import COSTS, OUTPUTS
from digitnet.crew import ALONE, Share
from digitnet.workspace import Workspace

CHUNK = 500  # pictures that go forward together: small enough to stay in the cache


class Network:
    """Layers of neurons, each connected to the whole layer before it.

    weights[l], shape (n_out, n_in): row j holds the weights from the whole previous layer to
    neuron j. biases[l], shape (n_out,). Both are views into `parameters`, one flat vector.
    """

    def __init__(
        self,
        layer_sizes: Sequence[int],
        *,
        activation: str = "sigmoid",
        output: str = "sigmoid",
        cost: str = "quadratic",
        dtype: DTypeLike = np.float32,
    ) -> None:
        self.layer_sizes = tuple(layer_sizes)
        self.hidden = ACTIVATIONS[activation]
        self.functions = [self.hidden.function] * (len(layer_sizes) - 2) + [OUTPUTS[output]]
        self.cost = COSTS[cost, output]
        self.parameters: FloatArray = aligned.zeros((count_parameters(layer_sizes),), dtype)
        self.weights, self.biases = self.views(self.parameters)

    def views(self, vector: FloatArray) -> tuple[list[FloatArray], list[FloatArray]]:
        """A flat vector seen as weights and biases: W_1, b_1, W_2, b_2 … one after the other."""
        weights, biases, start = [], [], 0
        for n_in, n_out in pairwise(self.layer_sizes):
            weights.append(vector[start : start + n_out * n_in].reshape(n_out, n_in))
            biases.append(vector[start + n_out * n_in : start + n_out * n_in + n_out])
            start += n_out * n_in + n_out
        return weights, biases

    def initialise(self, *, rng: "np.random.Generator") -> None:
        """Start the weights random, biases at 0.

        The standard deviation suits the activation: Glorot's or He's, see `activations`.
        """
        spreads = [self.hidden.spread] * (len(self.weights) - 1) + [glorot]
        for W, b, spread in zip(self.weights, self.biases, spreads):
            n_out, n_in = W.shape
            W[:] = rng.standard_normal(W.shape, dtype=W.dtype.type)
            W *= spread(n_in, n_out)
            b[:] = 0

    def __call__(self, images: NDArray[np.generic]) -> FloatArray:
        """The whole network as one function: pixels in, activations of the last layer out.

        images: (n, 784) floats from 0 to 1, or whole numbers from 0 to 255, as (n, 28, 28) or
        (n, 784). Returns (n, classes). Raises ValueError for any other shape.
        """
        outputs = np.empty((len(images), self.layer_sizes[-1]), self.parameters.dtype)
        workspace = self.workspace(min(len(images), CHUNK))
        for start in range(0, len(images), CHUNK):
            chunk = images[start : start + CHUNK]
            if len(chunk) != workspace.n:
                workspace = self.workspace(len(chunk))
            outputs[start : start + CHUNK] = self.feedforward(self._pixels(chunk), workspace).T
        return outputs

    def activations(self, images: NDArray[np.generic]) -> list[FloatArray]:
        """The activations of every layer, a_0 (the pixels) to a_L: shapes (n, layer_sizes[l])."""
        workspace, pixels = self.workspace(len(images)), self._pixels(images)
        self.feedforward(pixels, workspace)
        return [a.T for a in (pixels, *workspace.a)]

    def _pixels(self, images: NDArray[np.generic]) -> FloatArray:
        pixels = images.reshape(len(images), -1).astype(self.parameters.dtype)
        if images.ndim < 2 or pixels.shape[1] != self.layer_sizes[0]:
            raise ValueError(f"expected (n, {self.layer_sizes[0]}) pixels, found {images.shape}")
        if np.issubdtype(images.dtype, np.integer):
            pixels *= 1 / 255
        return pixels.T

    def workspace(
        self,
        n: int,
        gradient: FloatArray | None = None,
        share: Share = ALONE,
        shared: Workspace | None = None,
    ) -> Workspace:
        """Room to compute in for n examples; see `Workspace` for threads that share a network.

        gradient: the vector that `backprop` writes to, laid out like `parameters`.
        """
        if gradient is None:
            gradient = aligned.empty(self.parameters.shape, self.parameters.dtype)
        return Workspace(self.weights, self.biases, *self.views(gradient), n, share, shared)

    def feedforward(self, x: FloatArray, workspace: Workspace) -> FloatArray:
        """Activations of the last layer, (classes, n), for x of shape (n_in, n).

        Every layer's z and a stay in the workspace.
        """
        a, meet = x, workspace.meet
        for (W, b, z, own_a, all_a), σ in zip(workspace.layers, self.functions):
            if meet and a is not x:
                meet()
            W.dot(a, out=z)  # (n_out, n_in) (n_in, n) -> (n_out, n)
            z += b
            σ(z, own_a)
            a = all_a
        return a

    def backprop(
        self, x: FloatArray, y: FloatArray, workspace: Workspace, scale: float = 1
    ) -> float:
        """The cost of a minibatch, summed over it; its gradient goes to the workspace's.

        x: (n_in, n) pixels from 0 to 1, y: (classes, n) one-hot. The gradient is of the average
        over the examples, times `scale`: every slope is a multiple of the δ of the last layer, so
        that it is enough to scale those. Of threads that share the network, the first alone
        computes the cost, the others return 0.
        """
        a_L, z_L, δ_L = self.feedforward(x, workspace), workspace.z[-1], workspace.δ[-1]
        cost = self.cost.total(z_L, a_L, y, δ_L) if workspace.first else 0.0
        # δ_L = ∂C/∂a_L ⊙ σ'(z_L), in closed form for this cost on this output
        self.cost.delta(a_L, y, scale / workspace.n, δ_L, z_L)
        for z, a in workspace.hidden_pieces:
            self.hidden.derivative(a, z)  # σ'(z) takes the place of z
        for back, next_δ, δ, dσ in workspace.hidden:
            # δ_(l-1) = (W_lᵀ δ_l) ⊙ σ'(z_(l-1))
            back(next_δ, out=δ)  # (n_in, n_out) (n_out, n) -> (n_in, n)
            δ *= dσ
            if workspace.meet:
                workspace.meet()
        for (δ, dC_dW, dC_db), a in zip(workspace.slopes, [x, *workspace.a]):
            δ.dot(a.T, out=dC_dW)  # (n_out, n) (n, n_in) -> (n_out, n_in)
            δ.dot(workspace.ones, out=dC_db)
        return cost


def count_parameters(layer_sizes: Sequence[int]) -> int:
    """Weights and biases together: 13,002 for 784-16-16-10."""
    return sum((n_in + 1) * n_out for n_in, n_out in pairwise(layer_sizes))
