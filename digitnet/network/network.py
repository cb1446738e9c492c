"""The network: pixels in, ten numbers out, thousands of knobs, and the gradient for each knob.

For a minibatch, one example per column, with C the cost and ⊙ the product element by element:

    forward     z_l = W_l a_(l-1) + b_l            a_l = σ(z_l)
    backward    δ_L = ∂C/∂a_L ⊙ σ'(z_L)            δ_(l-1) = (W_lᵀ δ_l) ⊙ σ'(z_(l-1))
    gradient    ∂C/∂W_l = δ_l a_(l-1)ᵀ             ∂C/∂b_l = δ_l summed over the examples

after 3Blue1Brown, Neural networks, chapters 1 to 4, and Nielsen, Neural Networks and Deep
Learning, chapter 2, BP1 to BP4. `A.dot(B, C)` writes A B to the existing array C. A bias is the
weight of an input that is always 1. `plain.py` has the same mathematics in a few lines.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import DTypeLike, NDArray

from digitnet import arrays
from digitnet.arrays import ALONE, FloatArray, Share
from digitnet.network.activations import ACTIVATIONS, glorot
from digitnet.network.costs import COSTS, MIN_OUTPUTS, OUTPUTS
from digitnet.network.regularisers import NO_REGULARISERS, Regularisers
from digitnet.network.workspace import Workspace

CHUNK = 500  # images fed forward together: few enough to stay in the cache


class Network:
    """Layers of neurons, each connected to the whole layer before it.

    weights[l], shape (n_out, n_in): row j holds the weights from the whole previous layer to
    neuron j. biases[l], shape (n_out,). Both are views into `parameters`, one flat vector, in
    which each neuron's weights are followed by its bias. matrices[l] is the same as one matrix
    [W b], (n_out, n_in + 1): its product with activations and a last row of ones is W a + b.
    min_output: the smallest positive output in float32, which rounds smaller ones to 0. shared:
    True if forked processes share the parameters.
    """

    def __init__(
        self,
        layer_sizes: Sequence[int],
        *,
        activation: str = "sigmoid",
        output: str = "sigmoid",
        cost: str = "quadratic",
        dtype: DTypeLike = np.float32,
        shared: bool = False,
    ) -> None:
        self.layer_sizes = tuple(layer_sizes)
        self.names = activation, output
        self.hidden = ACTIVATIONS[activation]
        self.functions = [self.hidden.function] * (len(layer_sizes) - 2) + [OUTPUTS[output]]
        self.min_output = MIN_OUTPUTS[output]
        self.cost = COSTS[cost, output]
        new = arrays.shared if shared else arrays.zeros
        self.parameters: FloatArray = new((count_parameters(layer_sizes),), dtype)
        self.matrices = self.matrices_of(self.parameters)
        self.weights = [Wb[:, :-1] for Wb in self.matrices]
        self.biases = [Wb[:, -1] for Wb in self.matrices]

    def __repr__(self) -> str:
        return f"Network({'-'.join(map(str, self.layer_sizes))}, {', '.join(self.names)})"

    def matrices_of(self, vector: FloatArray) -> list[FloatArray]:
        """Return views of a vector laid out like `parameters`: one matrix [W b] per layer."""
        matrices, start = [], 0
        for n_in, n_out in pairwise(self.layer_sizes):
            end = start + n_out * (n_in + 1)
            matrices.append(vector[start:end].reshape(n_out, n_in + 1))
            start = end
        return matrices

    def initialise(self, *, rng: "np.random.Generator") -> None:
        """Draw the weights from normal distributions, set the biases to 0.

        The standard deviation suits the activation: Glorot's or He's, see `activations`.
        """
        spreads = [self.hidden.spread] * (len(self.weights) - 1) + [glorot]
        for W, b, spread in zip(self.weights, self.biases, spreads):
            n_out, n_in = W.shape
            W[:] = rng.standard_normal(W.shape, dtype=W.dtype.type)
            W *= spread(n_in, n_out)
            b[:] = 0

    def __call__(self, images: NDArray[np.generic], *, together: int = CHUNK) -> FloatArray:
        """Return the activations of the last layer, (n, classes): the network as one function.

        images: (n, 784) or (n, 28, 28), floats from 0 to 1 or whole numbers from 0 to 255.
        together: how many images are fed forward at once, 1 or more. Raises ValueError for other
        shapes, and for pixels outside these ranges.
        """
        self._check(images)
        outputs = np.empty((len(images), self.layer_sizes[-1]), self.parameters.dtype)
        x = self._input(min(len(images), together))
        workspace = self.workspace(min(len(images), together))
        for start in range(0, len(images), together):
            chunk = images[start : start + together]
            if len(chunk) != workspace.n:
                workspace = self.workspace(len(chunk))
            output = self.feedforward(self._fill(x, chunk), workspace)
            outputs[start : start + together] = output.T
        return outputs

    def activations(self, images: NDArray[np.generic]) -> list[FloatArray]:
        """Return the activations of every layer, a_0 (the pixels) to a_L, (n, layer_sizes[l])."""
        self._check(images)
        workspace = self.workspace(len(images))
        x = self._fill(self._input(len(images)), images)
        self.feedforward(x, workspace)
        return [a.T for a in (x[:-1], *workspace.a)]

    def _check(self, images: NDArray[np.generic]) -> None:
        if images.ndim < 2 or math.prod(images.shape[1:]) != self.layer_sizes[0]:
            raise ValueError(f"expected (n, {self.layer_sizes[0]}) pixels, found {images.shape}")
        if images.dtype == np.uint8 or not images.size:
            return
        most = 255 if np.issubdtype(images.dtype, np.integer) else 1
        least_found, most_found = images.min(), images.max()  # NaN if any pixel is NaN
        if not (least_found >= 0 and most_found <= most):
            raise ValueError(
                "expected pixels as floats from 0 to 1, or as whole numbers from 0 to 255 (uint8); "
                f"found {images.dtype} from {least_found} to {most_found}"
            )

    def _input(self, n: int) -> FloatArray:
        """Return a buffer for n images, (n, n_in + 1)."""
        return np.zeros((n, self.layer_sizes[0] + 1), self.parameters.dtype)

    def _fill(self, buffer: FloatArray, images: NDArray[np.generic]) -> FloatArray:
        """Copy images to the buffer; return them as `feedforward` takes them."""
        x = buffer[: len(images)]
        x[:, :-1] = images.reshape(len(images), -1)
        if np.issubdtype(images.dtype, np.integer):
            x *= x.dtype.type(1 / 255)  # contiguous: takes a quarter of the time of x[:, :-1]
        x[:, -1] = 1
        return x.T

    def workspace(
        self,
        n: int,
        gradient: FloatArray | None = None,
        share: Share = ALONE,
        shared: Workspace | None = None,
        regularisers: Regularisers = NO_REGULARISERS,
    ) -> Workspace:
        """Return the arrays to compute in for n examples; see `Workspace`, also for crews.

        gradient: the vector that `backprop` writes to, laid out like `parameters`.
        """
        if gradient is None:
            gradient = arrays.empty(self.parameters.shape, self.parameters.dtype)
        gradients = self.matrices_of(gradient)
        return Workspace(self.matrices, gradients, n, share, shared, regularisers)

    def feedforward(self, x: FloatArray, workspace: Workspace) -> FloatArray:
        """Return the activations of the last layer, (classes, n).

        x: (n_in + 1, n), pixels from 0 to 1 and a last row of ones. The workspace keeps z and a of
        every layer.
        """
        a, wait = x, workspace.barrier
        for (Wb, z, own_a, all_a, norm, drop), σ in zip(workspace.layers, self.functions):
            if wait and a is not x:
                wait()
            Wb.dot(a, z)  # W a + b: (n_out, n_in + 1) (n_in + 1, n) -> (n_out, n)
            if norm:
                norm.forward(z)
            σ(z, own_a)
            if drop:
                drop(own_a)
            a = all_a
        return a

    def backprop(
        self, x: FloatArray, y: FloatArray, workspace: Workspace, scale: float | np.floating = 1
    ) -> float:
        """Return the cost summed over a minibatch; write its gradient to the workspace's vector.

        x: as for `feedforward`. y: (classes, n), one-hot. The gradient is that of the average cost,
        times `scale`. It is proportional to δ_L, so scaling δ_L scales all of it. When `backprop`
        returns, no member of a crew reads the parameters any more.
        """
        a_L, δ_L, wait = self.feedforward(x, workspace), workspace.δ[-1], workspace.barrier
        # δ_L = ∂C/∂a_L ⊙ σ'(z_L), in closed form for this cost on this output
        cost = self.cost(workspace.z[-1], a_L, y, scale / workspace.n, δ_L)
        for z, a in workspace.derivatives:
            self.hidden.derivative(a, z)  # σ'(z) overwrites z
        for back, next_δ, δ, dσ, norm, drop in workspace.hidden:
            if wait and next_δ is not δ_L:
                wait()
            # δ_(l-1) = (W_lᵀ δ_l) ⊙ σ'(z_(l-1))
            back(next_δ, δ)  # (n_in, n_out) (n_out, n) -> (n_in, n), and the ones' row
            if drop:
                drop(δ)
            δ *= dσ
            if norm:
                norm.backward(δ)
        a = x
        for (δ, dC_dWb, norm), layer in zip(workspace.layer_gradients, workspace.layers):
            δ.dot(a.T, dC_dWb)  # (n_out, n) (n, n_in + 1) -> (n_out, n_in + 1)
            if norm:
                dC_dWb[:, -1:] = norm.db
            a = layer.all_a
        if wait:
            wait()
        return cost


def count_parameters(layer_sizes: Sequence[int]) -> int:
    """Return the number of weights and biases: 13,002 for 784-16-16-10."""
    return sum((n_in + 1) * n_out for n_in, n_out in pairwise(layer_sizes))
