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
from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np
from numpy.typing import DTypeLike, NDArray

from digitnet import aligned
from digitnet.activations import ACTIVATIONS, FloatArray, glorot
from digitnet.costs import COSTS, OUTPUTS

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
        self._bias_columns = [b[:, np.newaxis] for b in self.biases]

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
        forward = self.forward_buffers(min(len(images), CHUNK))
        for start in range(0, len(images), CHUNK):
            chunk = images[start : start + CHUNK]
            forward = forward if len(chunk) == forward.n else self.forward_buffers(len(chunk))
            outputs[start : start + CHUNK] = self.feedforward(self._pixels(chunk), forward).T
        return outputs

    def activations(self, images: NDArray[np.generic]) -> list[FloatArray]:
        """The activations of every layer, a_0 (the pixels) to a_L: shapes (n, layer_sizes[l])."""
        forward = self.forward_buffers(len(images))
        pixels = self._pixels(images)
        self.feedforward(pixels, forward)
        return [a.T for a in (pixels, *forward.a)]

    def _pixels(self, images: NDArray[np.generic]) -> FloatArray:
        pixels = images.reshape(len(images), -1).astype(self.parameters.dtype)
        if images.ndim < 2 or pixels.shape[1] != self.layer_sizes[0]:
            raise ValueError(f"expected (n, {self.layer_sizes[0]}) pixels, found {images.shape}")
        if np.issubdtype(images.dtype, np.integer):
            pixels *= 1 / 255
        return pixels.T

    def forward_buffers(self, n: int) -> "Forward":
        """Room for n examples on their way forward."""
        sizes = self.layer_sizes[1:]
        z, a = (aligned.empty((sum(sizes), n), self.parameters.dtype) for _ in range(2))
        layers = [slice(end - size, end) for size, end in zip(sizes, accumulate(sizes))]
        hidden = slice(layers[-1].start)
        return Forward(n, [z[l] for l in layers], [a[l] for l in layers], z[hidden], a[hidden])

    def backward_buffers(self, n: int, gradient: FloatArray | None = None) -> "Backward":
        """Room for n examples on their way forward and back.

        gradient: the vector to write to, laid out like `parameters`; without it, a new one.
        """
        forward = self.forward_buffers(n)
        delta = [aligned.empty(z.shape, z.dtype) for z in forward.z]
        ones = np.ones(n, self.parameters.dtype)
        if gradient is None:
            gradient = aligned.empty(self.parameters.shape, self.parameters.dtype)
        return Backward(forward, delta, ones, gradient, *self.views(gradient))

    def feedforward(self, x: FloatArray, forward: "Forward") -> FloatArray:
        """Activations of the last layer, (classes, n), for x of shape (n_in, n).

        Every layer's z and a stay in `forward`.
        """
        a = x
        layers = zip(self.weights, self._bias_columns, self.functions, forward.z, forward.a)
        for W, b, σ, z, out in layers:
            W.dot(a, out=z)  # (n_out, n_in) (n_in, n) -> (n_out, n)
            z += b
            a = σ(z, out)
        return a

    def backprop(
        self, x: FloatArray, y: FloatArray, buffers: "Backward", minibatch: int | None = None
    ) -> float:
        """The cost of some examples, in `buffers.gradient` its slope by every parameter.

        x: (n_in, n) pixels from 0 to 1, y: (classes, n) one-hot. The cost is summed over the
        examples. The gradient is of the average over a minibatch of `minibatch` examples; these n
        are all of them if it is None, or a share: the gradients of the shares add up to the
        whole's.
        """
        forward, δ = buffers.forward, buffers.delta
        self.feedforward(x, forward)
        z, a = forward.z, [x, *forward.a]
        cost = self.cost.total(z[-1], a[-1], y, δ[-1])
        # δ_L = ∂C/∂a_L ⊙ σ'(z_L), in closed form for this cost on this output
        self.cost.delta(a[-1], y, minibatch or forward.n, δ[-1], z[-1])
        self.hidden.derivative(forward.hidden_a, forward.hidden_z)  # σ'(z) takes the place of z
        for l in reversed(range(len(self.weights))):
            δ[l].dot(a[l].T, out=buffers.dC_dW[l])  # (n_out, n) (n, n_in) -> (n_out, n_in)
            δ[l].dot(buffers.ones, out=buffers.dC_db[l])
            if l > 0:
                # δ_(l-1) = (W_lᵀ δ_l) ⊙ σ'(z_(l-1))
                self.weights[l].T.dot(δ[l], out=δ[l - 1])  # (n_in, n_out) (n_out, n)
                δ[l - 1] *= z[l - 1]
        return cost


@dataclass(frozen=True, eq=False)
class Forward:
    """Room for n examples on their way forward, made once and used for every minibatch.

    z, a: one array (n_out, n) per layer. hidden_z, hidden_a: those of all hidden layers as one.
    """

    n: int
    z: list[FloatArray]
    a: list[FloatArray]
    hidden_z: FloatArray
    hidden_a: FloatArray


@dataclass(frozen=True, eq=False)
class Backward:
    """Room for n examples on their way forward and back. The way back uses up z.

    delta: one array (n_out, n) per layer. gradient: one flat vector, seen through dC_dW and dC_db
    as the network's parameters are through weights and biases.
    """

    forward: Forward
    delta: list[FloatArray]
    ones: FloatArray
    gradient: FloatArray
    dC_dW: list[FloatArray]
    dC_db: list[FloatArray]


def count_parameters(layer_sizes: Sequence[int]) -> int:
    """Weights and biases together: 13,002 for 784-16-16-10."""
    return sum((n_in + 1) * n_out for n_in, n_out in pairwise(layer_sizes))
