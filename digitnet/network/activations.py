"""Activation functions of the hidden layers, each beside its derivative.

Each takes `out`, an array to write to, so that training need not allocate one. A derivative is told
from the activation a = σ(z), which is at hand when it is needed, instead of from z.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from digitnet.arrays import FloatArray

# As arrays, for NumPy takes longer with Python's numbers.
ZERO, HALF, ONE, INFINITY = (np.array(x, np.float32) for x in (0, 0.5, 1, np.inf))


class Activation(NamedTuple):
    """σ, its derivative, and how widely to draw the first weights of a layer that uses it."""

    function: Callable[[FloatArray, FloatArray | None], FloatArray]
    derivative: Callable[[FloatArray, FloatArray | None], FloatArray]
    spread: Callable[[int, int], float]


def sigmoid(z: FloatArray, out: FloatArray | None = None) -> FloatArray:
    """σ(z) = 1 / (1 + e⁻ᶻ), any shape; written as (1 + tanh(z/2)) / 2, which cannot overflow."""
    a = np.multiply(z, HALF, out)
    np.tanh(a, a)
    a *= HALF
    a += HALF
    return a


def sigmoid_derivative(a: FloatArray, out: FloatArray | None = None) -> FloatArray:
    """σ'(z) = a (1 - a)."""
    derivative = np.subtract(ONE, a, out)
    derivative *= a
    return derivative


def tanh(z: FloatArray, out: FloatArray | None = None) -> FloatArray:
    """The hyperbolic tangent, any shape."""
    return np.tanh(z, out=out)


def tanh_derivative(a: FloatArray, out: FloatArray | None = None) -> FloatArray:
    """tanh'(z) = 1 - a²."""
    derivative = np.multiply(a, a, out=out)
    return np.subtract(ONE, derivative, out=derivative)


def relu(z: FloatArray, out: FloatArray | None = None) -> FloatArray:
    """max(z, 0), any shape."""
    return z.clip(ZERO, INFINITY, out)  # in a third of the time of np.maximum(z, 0)


def relu_derivative(a: FloatArray, out: FloatArray | None = None) -> FloatArray:
    """1 where the neuron is active, else 0."""
    active = np.empty_like(a) if out is None else out
    return np.greater(a, ZERO, out=active)  # in half the time of np.sign(a)


def glorot(n_in: int, n_out: int) -> float:
    """√(2 / (n_in + n_out)): Glorot and Bengio 2010, equation 12."""
    return float(np.sqrt(2 / (n_in + n_out)))


def he(n_in: int, n_out: int) -> float:
    """√(2 / n_in): He and others 2015, equation 10."""
    return float(np.sqrt(2 / n_in))


ACTIVATIONS = {
    "sigmoid": Activation(sigmoid, sigmoid_derivative, glorot),
    "tanh": Activation(tanh, tanh_derivative, glorot),
    "relu": Activation(relu, relu_derivative, he),
}
