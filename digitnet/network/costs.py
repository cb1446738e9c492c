"""Costs: how bad the answers are, each as a pair with the output activation it is measured on.

The pair gives the total and delta = ∂C/∂z of the output layer in closed form, stable where the
product ∂C/∂a ⊙ σ'(z) would lose its digits. Notation: z weighted inputs and a activations of the
output layer, y what they should have been (one-hot), each of shape (classes, n), one example per
column. C is summed over the outputs and averaged over the examples of a minibatch.
"""

from collections.abc import Callable

import numpy as np

from digitnet.arrays import FloatArray
from digitnet.network.activations import sigmoid, sigmoid_derivative

Room = FloatArray | None  # an array to write to, or None for a new one
Weight = float | np.floating  # of NumPy's own kind of the arrays' precision it is quickest

# cost(z, a, y, weight, delta) is the sum over the examples, n times C. To `delta` it writes ∂C/∂z,
# with C the sum times `weight`, 1/n for the average. It may use up z.
Cost = Callable[[FloatArray, FloatArray, FloatArray, Weight, Room], float]


def softmax(z: FloatArray, out: FloatArray | None = None) -> FloatArray:
    """eᶻ / Σ eᶻ down each column; the column's maximum is taken off first: nothing overflows."""
    a: FloatArray = np.subtract(z, z.max(axis=0), out=out)
    np.exp(a, out=a)
    a /= a.sum(axis=0)
    return a


def quadratic_sigmoid(
    z: FloatArray, a: FloatArray, y: FloatArray, weight: Weight, delta: Room
) -> float:
    """Σ (a - y)²: the squared differences of 3Blue1Brown's videos, without a factor ½.

    δ = weight × 2 (a - y) ⊙ a (1 - a).
    """
    delta = np.subtract(a, y, delta)
    cost = np.vdot(delta, delta)
    delta *= sigmoid_derivative(a, z)
    delta *= 2 * weight
    return float(cost)


def quadratic_softmax(
    z: FloatArray, a: FloatArray, y: FloatArray, weight: Weight, delta: Room
) -> float:
    """Σ (a - y)².

    δ = weight × 2 a ⊙ (e - Σ e a) with e = a - y: ∂a_i/∂z_j of softmax is a_i ([i = j] - a_j).
    """
    delta = np.subtract(a, y, delta)
    cost = np.vdot(delta, delta)
    delta -= np.multiply(delta, a, out=z).sum(axis=0)
    delta *= a
    delta *= 2 * weight
    return float(cost)


def cross_entropy_sigmoid(
    z: FloatArray, a: FloatArray, y: FloatArray, weight: Weight, delta: Room
) -> float:
    """-Σ (y ln a + (1 - y) ln(1 - a)), ten binary ones as in Nielsen, chapter 3, equation 63.

    It is Σ ln(1 + eᶻ) - y z, finite for every z. δ = weight × (a - y): σ' cancels.
    """
    labelled = np.multiply(y, z, out=delta).sum()
    cost = float(np.logaddexp(0, z, out=z).sum()) - float(labelled)
    delta = np.subtract(a, y, out=delta)
    delta *= weight
    return cost


def cross_entropy_softmax(
    z: FloatArray, a: FloatArray, y: FloatArray, weight: Weight, delta: Room
) -> float:
    """-Σ y ln a, from ln a = z - max z + ln max a, finite for every z.

    δ = weight × (a - y): the derivative of softmax cancels.
    """
    z -= z.max(axis=0)
    z *= y
    cost = -float(z.sum()) - float(np.log(a.max(axis=0)).sum())
    delta = np.subtract(a, y, out=delta)
    delta *= weight
    return cost


OUTPUTS = {"sigmoid": sigmoid, "softmax": softmax}

COSTS: dict[tuple[str, str], Cost] = {
    ("quadratic", "sigmoid"): quadratic_sigmoid,
    ("quadratic", "softmax"): quadratic_softmax,
    ("cross_entropy", "sigmoid"): cross_entropy_sigmoid,
    ("cross_entropy", "softmax"): cross_entropy_softmax,
}
