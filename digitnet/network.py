"""The network: pixels in, ten numbers out, some thousands of knobs, and the slope of each.

For a minibatch, one example per row, with C the cost and ⊙ the product element by element:

    forward     z_l = a_(l-1) W_lᵀ + b_l          a_l = σ(z_l)
    backward    δ_L = ∂C/∂a_L ⊙ σ'(z_L)           δ_(l-1) = (δ_l W_l) ⊙ σ'(z_(l-1))
    gradient    ∂C/∂W_l = δ_lᵀ a_(l-1)            ∂C/∂b_l = δ_l summed over the rows

after 3Blue1Brown, Neural networks, chapters 1 to 4, and Nielsen, Neural Networks and Deep
Learning, chapter 2.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import DTypeLike, NDArray

from digitnet.activations import ACTIVATIONS, FloatArray, glorot
from digitnet.costs import COSTS, OUTPUTS


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
        self.parameters: FloatArray = np.zeros(count_parameters(layer_sizes), dtype)
        self.weights, self.biases = self.views(self.parameters)

    def views(self, vector: FloatArray) -> tuple[list[FloatArray], list[FloatArray]]:
        """A flat vector seen as weights and biases: W_1, b_1, W_2, b_2 … one after the other."""
        weights, biases, start = [], [], 0
        for n_in, n_out in pairwise(self.layer_sizes):
            weights.append(vector[start : start + n_out * n_in].reshape(n_out, n_in))
            biases.append(vector[start + n_out * n_in : start + n_out * n_in + n_out])
            start += n_out * n_in + n_out
        return weights, biases

    def initialise(self, *, rng: np.random.Generator) -> None:
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
        return self.activations(images)[-1]

    def activations(self, images: NDArray[np.generic]) -> list[FloatArray]:
        """The activations of every layer, a_0 (the pixels) to a_L: shapes (n, layer_sizes[l])."""
        pixels = images.reshape(len(images), -1).astype(self.parameters.dtype)
        if images.ndim < 2 or pixels.shape[1] != self.layer_sizes[0]:
            raise ValueError(f"expected (n, {self.layer_sizes[0]}) pixels, found {images.shape}")
        if np.issubdtype(images.dtype, np.integer):
            pixels /= 255
        buffers = self.buffers(len(images))
        self.feedforward(pixels, buffers)
        return [pixels, *buffers.a]

    def buffers(self, n: int) -> "Buffers":
        """Room for minibatches of up to n examples."""
        z, a, delta = (
            [np.empty((n, size), self.parameters.dtype) for size in self.layer_sizes[1:]]
            for _ in range(3)
        )
        gradient = np.empty_like(self.parameters)
        penalty, _ = self.views(np.empty_like(self.parameters))
        return Buffers(z, a, delta, gradient, *self.views(gradient), penalty)

    def feedforward(self, x: FloatArray, buffers: "Buffers") -> FloatArray:
        """Activations of the last layer, (n, classes), for x of shape (n, n_in).

        Every layer's z and a stay in `buffers`.
        """
        a = x
        layers = zip(self.weights, self.biases, self.functions, buffers.z, buffers.a)
        for W, b, σ, z, out in layers:
            np.matmul(a, W.T, out=z)  # (n, n_in) @ (n_in, n_out) -> (n, n_out)
            z += b
            a = σ(z, out)
        return a

    def backprop(
        self, x: FloatArray, y: FloatArray, buffers: "Buffers", l2: float = 0
    ) -> FloatArray:
        """The gradient of the cost of a minibatch, laid out like `parameters`.

        x: (n, n_in) pixels from 0 to 1, y: (n, classes) one-hot. With `l2`, the gradient of
        C + l2/2 Σ w². The result lives in `buffers` and is overwritten by the next call; of z,
        only the last layer's is left there.
        """
        self.feedforward(x, buffers)
        a = [x, *buffers.a]
        # δ_L = ∂C/∂a_L ⊙ σ'(z_L), in closed form for this cost on this output
        δ = self.cost.delta(a[-1], y, buffers.delta[-1])
        for l in reversed(range(len(self.weights))):
            W, dC_dW, dC_db = self.weights[l], buffers.dC_dW[l], buffers.dC_db[l]
            # ∂C/∂W_l = δ_lᵀ a_(l-1)
            np.matmul(δ.T, a[l], out=dC_dW)  # (n_out, n) @ (n, n_in) -> (n_out, n_in)
            np.sum(δ, axis=0, out=dC_db)
            if l2:
                dC_dW += np.multiply(W, l2, out=buffers.penalty[l])
            if l > 0:
                # δ_(l-1) = (δ_l W_l) ⊙ σ'(z_(l-1)), with σ' in the place of z
                δ = np.matmul(δ, W, out=buffers.delta[l - 1])  # (n, n_out) @ (n_out, n_in)
                δ *= self.hidden.derivative(a[l], buffers.z[l - 1])
        return buffers.gradient


@dataclass(frozen=True, eq=False)
class Buffers:
    """Room for one minibatch on its way forward and back, made once and used for every step.

    z, a, delta: one array (n, n_out) per layer. gradient: one flat vector, seen through dC_dW and
    dC_db as the network's parameters are through weights and biases.
    """

    z: list[FloatArray]
    a: list[FloatArray]
    delta: list[FloatArray]
    gradient: FloatArray
    dC_dW: list[FloatArray]
    dC_db: list[FloatArray]
    penalty: list[FloatArray]

    def first(self, n: int) -> "Buffers":
        """The same room for a shorter minibatch, of n examples."""
        if n == len(self.a[0]):
            return self
        z, a, delta = ([array[:n] for array in arrays] for arrays in (self.z, self.a, self.delta))
        return replace(self, z=z, a=a, delta=delta)


def count_parameters(layer_sizes: Sequence[int]) -> int:
    """Weights and biases together: 13,002 for 784-16-16-10."""
    return sum((n_in + 1) * n_out for n_in, n_out in pairwise(layer_sizes))
