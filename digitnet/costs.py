"""Costs: how bad the answers are, each as a pair with the output activation it is measured on.

The pair gives the total and delta = ∂C/∂z of the output layer in closed form, stable where the
product ∂C/∂a ⊙ σ'(z) would lose its digits. Notation: z weighted inputs and a activations of the
output layer, y what they should have been (one-hot), each of shape (classes, n), one example per
column. C is summed over the outputs and averaged over the examples of a minibatch.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from digitnet.activations import FloatArray, sigmoid, sigmoid_derivative

Room = FloatArray | None  # an array to write to, or None for a new one


class Cost(NamedTuple):
    """How bad the answers are, and how that changes with z.

    total(z, a, y, scratch) is the sum over the examples, n times C. delta(a, y, weight, out,
    scratch) writes ∂C/∂z to `out`, with C the sum over the examples times `weight`, 1/n for the
    average. `scratch`, of the same shape, is overwritten; where it or `out` is None, an array is
    made.
    """

    total: Callable[[FloatArray, FloatArray, FloatArray, Room], float]
    delta: Callable[[FloatArray, FloatArray, float, Room, Room], FloatArray]


def softmax(z: FloatArray, out: FloatArray | None = None) -> FloatArray:
    """eᶻ / Σ eᶻ down each column; the column's maximum is taken off first: nothing overflows."""
    a: FloatArray = np.subtract(z, z.max(axis=0), out=out)
    np.exp(a, out=a)
    a /= a.sum(axis=0)
    return a


def quadratic(z: FloatArray, a: FloatArray, y: FloatArray, scratch: Room) -> float:
    """Σ (a - y)²: the squared differences of 3Blue1Brown's videos, without a factor ½."""
    difference = np.subtract(a, y, out=scratch)
    return float(np.vdot(difference, difference))


def quadratic_sigmoid_delta(
    a: FloatArray, y: FloatArray, weight: float, out: Room, scratch: Room
) -> FloatArray:
    """weight × 2 (a - y) ⊙ a (1 - a)."""
    delta = np.subtract(a, y, out=out)
    delta *= sigmoid_derivative(a, scratch)
    delta *= 2 * weight
    return delta


def quadratic_softmax_delta(
    a: FloatArray, y: FloatArray, weight: float, out: Room, scratch: Room
) -> FloatArray:
    """weight × 2 a ⊙ (e - Σ e a) with e = a - y: ∂a_i/∂z_j of softmax is a_i ([i = j] - a_j)."""
    delta = np.subtract(a, y, out=out)
    delta -= np.multiply(delta, a, out=scratch).sum(axis=0)
    delta *= a
    delta *= 2 * weight
    return delta


def cross_entropy_sigmoid(z: FloatArray, a: FloatArray, y: FloatArray, scratch: Room) -> float:
    """-Σ (y ln a + (1 - y) ln(1 - a)), ten binary ones as in Nielsen, chapter 3, equation 63.

    It is Σ ln(1 + eᶻ) - y z, finite for every z.
    """
    unlabelled = float(np.logaddexp(0, z, out=scratch).sum())
    return unlabelled - float(np.multiply(y, z, out=scratch).sum())


def cross_entropy_softmax(z: FloatArray, a: FloatArray, y: FloatArray, scratch: Room) -> float:
    """-Σ y ln a, from ln a = z - max z + ln max a, finite for every z."""
    shifted = np.subtract(z, z.max(axis=0), out=scratch)
    shifted *= y
    return -float(shifted.sum()) - float(np.log(a.max(axis=0)).sum())


def cross_entropy_delta(
    a: FloatArray, y: FloatArray, weight: float, out: Room, scratch: Room
) -> FloatArray:
    """weight × (a - y), for sigmoid and softmax alike: the derivative of the output cancels."""
    delta = np.subtract(a, y, out=out)
    delta *= weight
    return delta


OUTPUTS = {"sigmoid": sigmoid, "softmax": softmax}

COSTS = {
    ("quadratic", "sigmoid"): Cost(quadratic, quadratic_sigmoid_delta),
    ("quadratic", "softmax"): Cost(quadratic, quadratic_softmax_delta),
    ("cross_entropy", "sigmoid"): Cost(cross_entropy_sigmoid, cross_entropy_delta),
    ("cross_entropy", "softmax"): Cost(cross_entropy_softmax, cross_entropy_delta),
}
