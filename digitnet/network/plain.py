"""The videos' network as on a blackboard, for readers: sigmoid neurons, squared cost, matrices.

`network.py` computes the same, faster: it writes to existing arrays, and threads share its neurons.
Only a test imports this module: it compares the gradients of both.
"""

from collections.abc import Sequence

import numpy as np

from digitnet.arrays import FloatArray


def sigmoid(z: FloatArray) -> FloatArray:
    """Return σ(z) = 1 / (1 + e⁻ᶻ), any shape."""
    a: FloatArray = 1 / (1 + np.exp(-z))
    return a


def feedforward(
    weights: Sequence[FloatArray], biases: Sequence[FloatArray], x: FloatArray
) -> list[FloatArray]:
    """Return the activations of every layer, (n, layer_sizes[l]); the pixels x are the first.

    weights[l]: (n_out, n_in), row j is what neuron j looks for. biases[l]: (n_out,).
    """
    activations = [x]
    for W, b in zip(weights, biases):
        activations.append(sigmoid(activations[-1] @ W.T + b))  # (n, n_in) (n_in, n_out)
    return activations


def backprop(
    weights: Sequence[FloatArray], biases: Sequence[FloatArray], x: FloatArray, y: FloatArray
) -> list[tuple[FloatArray, FloatArray]]:
    """Return the gradient of the cost: (∂C/∂W, ∂C/∂b) of every layer.

    The cost is Σ (a - y)², averaged over the n examples. x: (n, 784), pixels from 0 to 1.
    y: (n, 10), 1 for the right digit, else 0.
    """
    *inputs, a = feedforward(weights, biases, x)
    δ = 2 * (a - y) / len(x) * a * (1 - a)  # δ_L = ∂C/∂a_L ⊙ σ'(z_L)
    gradient: list[tuple[FloatArray, FloatArray]] = []
    for W, a in zip(weights[::-1], inputs[::-1]):
        gradient.append((δ.T @ a, δ.sum(axis=0)))  # ∂C/∂W: (n_out, n) (n, n_in)
        δ = δ @ W * a * (1 - a)  # δ_(l-1): (n, n_out) (n_out, n_in)
    return gradient[::-1]
