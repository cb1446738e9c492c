"""Activation functions of the hidden layers, each beside its derivative.

Each writes to `out` if given, so that training allocates no arrays. A derivative is computed from
a = σ(z), which backprop has, not from z.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from digitnet.arrays import FloatArray

MIN_SIGMOID = 2.0**-25  # the smallest positive float32 that `sigmoid` returns

# 0-d arrays are faster operands than Python floats.
ZERO, HALF, ONE, INFINITY = (np.array(x, np.float32) for x in (0, 0.5, 1, np.inf))


class Activation(NamedTuple):
    """σ, its derivative, and the initial weights' standard deviation as spread(n_in, n_out)."""

    function: Callable[[FloatArray, FloatArray | None], FloatArray]
    derivative: Callable[[FloatArray, FloatArray | None], FloatArray]
    spread: Callable[[int, int], float]


def sigmoid(z: FloatArray, out: FloatArray | None = None) -> FloatArray:
    """Return σ(z) = 1 / (1 + e⁻ᶻ), any shape; (1 + tanh(z/2)) / 2 is equal and cannot overflow."""
    a = np.multiply(z, HALF, out)
    np.tanh(a, a)
    a *= HALF
    a += HALF
    return a


def sigmoid_derivative(a: FloatArray, out: FloatArray | None = None) -> FloatArray:
    """Return σ'(z) = a (1 - a)."""
    derivative = np.subtract(ONE, a, out)
    derivative *= a
    return derivative


def tanh(z: FloatArray, out: FloatArray | None = None) -> FloatArray:
    """Return the hyperbolic tangent, any shape."""
    return np.tanh(z, out=out)


def tanh_derivative(a: FloatArray, out: FloatArray | None = None) -> FloatArray:
    """Return tanh'(z) = 1 - a²."""
    derivative = np.multiply(a, a, out=out)
    return np.subtract(ONE, derivative, out=derivative)


def relu(z: FloatArray, out: FloatArray | None = None) -> FloatArray:
    """Return max(z, 0), any shape."""
    return z.clip(ZERO, INFINITY, out)  # a third of the time of np.maximum(z, 0)


def relu_derivative(a: FloatArray, out: FloatArray | None = None) -> FloatArray:
    """Return 1 where the neuron is active, else 0."""
    active = np.empty_like(a) if out is None else out
    return np.greater(a, ZERO, out=active)  # half the time of np.sign(a)


def glorot(n_in: int, n_out: int) -> float:
    """Return √(2 / (n_in + n_out)): Glorot and Bengio 2010, equation 12."""
    return float(np.sqrt(2 / (n_in + n_out)))


def he(n_in: int, n_out: int) -> float:
    """Return √(2 / n_in): He and others 2015, equation 10."""
    return float(np.sqrt(2 / n_in))


ACTIVATIONS = {
    "sigmoid": Activation(sigmoid, sigmoid_derivative, glorot),
    "tanh": Activation(tanh, tanh_derivative, glorot),
    "relu": Activation(relu, relu_derivative, he),
}
