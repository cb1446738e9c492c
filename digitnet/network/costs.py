"""Costs: how bad the answers are, one function for each pair of cost and output activation.

Each pair has δ = ∂C/∂z of the output layer in closed form, stable where the product
∂C/∂a ⊙ σ'(z) would lose precision. Notation: weighted inputs z and activations a of the output
layer, labels y (one-hot), each of shape (classes, n), one example per column. C is summed over the
outputs and averaged over the examples of a minibatch.
"""

from collections.abc import Callable

import numpy as np

from digitnet.arrays import FloatArray
from digitnet.network.activations import MIN_SIGMOID, sigmoid, sigmoid_derivative

Out = FloatArray | None  # an array to write to, or None for a new one
Weight = float | np.floating  # fastest as a NumPy scalar of the arrays' precision

# cost(z, a, y, weight, delta) returns the cost summed over the examples. It writes ∂C/∂z to
# `delta`, where C is that sum times `weight`: 1/n for the average. It may overwrite z.
Cost = Callable[[FloatArray, FloatArray, FloatArray, Weight, Out], float]


def softmax(z: FloatArray, out: FloatArray | None = None) -> FloatArray:
    """Return eᶻ / Σ eᶻ per column; subtracting the column's maximum first prevents overflow."""
    a: FloatArray = np.subtract(z, z.max(axis=0), out=out)
    np.exp(a, out=a)
    a /= a.sum(axis=0)
    return a


def quadratic_sigmoid(
    z: FloatArray, a: FloatArray, y: FloatArray, weight: Weight, delta: Out
) -> float:
    """Return Σ (a - y)²: the squared differences of 3Blue1Brown's videos, without a factor ½.

    δ = weight × 2 (a - y) ⊙ a (1 - a).
    """
    delta = np.subtract(a, y, delta)
    cost = np.vdot(delta, delta)
    delta *= sigmoid_derivative(a, z)
    delta *= 2 * weight
    return float(cost)


def quadratic_softmax(
    z: FloatArray, a: FloatArray, y: FloatArray, weight: Weight, delta: Out
) -> float:
    """Return Σ (a - y)².

    δ = weight × 2 a ⊙ (e - Σ e a) with e = a - y: ∂a_i/∂z_j of softmax is a_i ([i = j] - a_j).
    """
    delta = np.subtract(a, y, delta)
    cost = np.vdot(delta, delta)
    delta -= np.multiply(delta, a, out=z).sum(axis=0)
    delta *= a
    delta *= 2 * weight
    return float(cost)


def cross_entropy_sigmoid(
    z: FloatArray, a: FloatArray, y: FloatArray, weight: Weight, delta: Out
) -> float:
    """Return -Σ (y ln a + (1 - y) ln(1 - a)): a binary cross-entropy per output.

    Nielsen, chapter 3, equation 63. Computed as Σ ln(1 + eᶻ) - y z, which is finite for every z.
    δ = weight × (a - y): σ' cancels.
    """
    labelled = np.multiply(y, z, out=delta).sum()
    cost = float(np.logaddexp(0, z, out=z).sum()) - float(labelled)
    delta = np.subtract(a, y, out=delta)
    delta *= weight
    return cost


def cross_entropy_softmax(
    z: FloatArray, a: FloatArray, y: FloatArray, weight: Weight, delta: Out
) -> float:
    """Return -Σ y ln a, with ln a = z - max z + ln max a, which is finite for every z.

    δ = weight × (a - y): the derivative of softmax cancels.
    """
    z -= z.max(axis=0)
    z *= y
    cost = -float(z.sum()) - float(np.log(a.max(axis=0)).sum())
    delta = np.subtract(a, y, out=delta)
    delta *= weight
    return cost


OUTPUTS = {"sigmoid": sigmoid, "softmax": softmax}
MIN_OUTPUTS = {"sigmoid": MIN_SIGMOID, "softmax": 2.0**-149}  # smallest positive float32 of each

COSTS: dict[tuple[str, str], Cost] = {
    ("quadratic", "sigmoid"): quadratic_sigmoid,
    ("quadratic", "softmax"): quadratic_softmax,
    ("cross_entropy", "sigmoid"): cross_entropy_sigmoid,
    ("cross_entropy", "softmax"): cross_entropy_softmax,
}
