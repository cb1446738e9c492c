"""Costs: how bad the answers are, each as a pair with the output activation it is measured on.

The pair gives the value and delta = ∂C/∂z of the output layer in closed form, stable where the
product ∂C/∂a ⊙ σ'(z) would lose its digits. Notation: z weighted inputs and a activations of the
output layer, y what they should have been (one-hot), each of shape (n, classes). C is summed over
the outputs and averaged over the n examples.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from digitnet.activations import FloatArray, sigmoid, sigmoid_derivative


class Cost(NamedTuple):
    """`value(z, a, y)` is C; `delta(a, y, out)` writes ∂C/∂z, shape (n, classes), to `out`."""

    value: Callable[[FloatArray, FloatArray, FloatArray], float]
    delta: Callable[[FloatArray, FloatArray, FloatArray | None], FloatArray]


def softmax(z: FloatArray, out: FloatArray | None = None) -> FloatArray:
    """eᶻ / Σ eᶻ along each row; the row's maximum is taken off first, so nothing overflows."""
    a: FloatArray = np.subtract(z, z.max(axis=1, keepdims=True), out=out)
    np.exp(a, out=a)
    a /= a.sum(axis=1, keepdims=True)
    return a


def quadratic(z: FloatArray, a: FloatArray, y: FloatArray) -> float:
    """C = Σ (a - y)²: the squared differences of 3Blue1Brown's videos, without a factor ½."""
    difference = a - y
    return float(np.vdot(difference, difference)) / len(a)


def quadratic_sigmoid_delta(
    a: FloatArray, y: FloatArray, out: FloatArray | None = None
) -> FloatArray:
    """2 (a - y) ⊙ a (1 - a) / n."""
    delta = np.subtract(a, y, out=out)
    delta *= sigmoid_derivative(a)
    delta *= 2 / len(a)
    return delta


def quadratic_softmax_delta(
    a: FloatArray, y: FloatArray, out: FloatArray | None = None
) -> FloatArray:
    """2 a ⊙ (e - Σ e a) / n with e = a - y: ∂a_i/∂z_j of softmax is a_i ([i = j] - a_j)."""
    delta = np.subtract(a, y, out=out)
    delta -= np.einsum("ij,ij->i", delta, a)[:, None]
    delta *= a
    delta *= 2 / len(a)
    return delta


def cross_entropy_sigmoid(z: FloatArray, a: FloatArray, y: FloatArray) -> float:
    """C = -Σ (y ln a + (1 - y) ln(1 - a)), ten binary ones as in Nielsen, chapter 3, equation 63.

    With ln(1 + eᶻ) = max(z, 0) + ln(1 + e^-|z|) it is Σ ln(1 + eᶻ) - y z, finite for every z.
    """
    return float(np.sum(np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z))) - y * z)) / len(z)


def cross_entropy_softmax(z: FloatArray, a: FloatArray, y: FloatArray) -> float:
    """C = -Σ y ln a, from ln a = z - max z - ln Σ e^(z - max z), finite for every z."""
    shifted = z - z.max(axis=1, keepdims=True)
    return float(np.sum(np.log(np.exp(shifted).sum(axis=1)) - (y * shifted).sum(axis=1))) / len(z)


def cross_entropy_delta(a: FloatArray, y: FloatArray, out: FloatArray | None = None) -> FloatArray:
    """(a - y) / n, for sigmoid and softmax alike: the derivative of the output cancels."""
    delta = np.subtract(a, y, out=out)
    delta *= 1 / len(a)
    return delta


OUTPUTS = {"sigmoid": sigmoid, "softmax": softmax}

COSTS = {
    ("quadratic", "sigmoid"): Cost(quadratic, quadratic_sigmoid_delta),
    ("quadratic", "softmax"): Cost(quadratic, quadratic_softmax_delta),
    ("cross_entropy", "sigmoid"): Cost(cross_entropy_sigmoid, cross_entropy_delta),
    ("cross_entropy", "softmax"): Cost(cross_entropy_softmax, cross_entropy_delta),
}
