"""Update rules: how to walk downhill, given the gradient. All work on one flat vector."""

import math
from typing import NamedTuple, Protocol

import numpy as np

from digitnet import arrays
from digitnet.arrays import FloatArray

EVERYTHING = slice(None)
ZERO = np.float32(0)


class Pace(NamedTuple):
    """How a step is made.

    scale: what the gradient is to be multiplied by before `step` gets it, which costs nothing
    where it is computed. decay: what l2 × w is to be multiplied by. step_size, epsilon: the rule's.
    All are of the parameters' precision, with which NumPy is quickest.
    """

    scale: np.floating
    decay: np.floating
    step_size: np.floating = ZERO
    epsilon: np.floating = ZERO


class Optimizer(Protocol):
    """An update rule.

    parameters: the vector that it moves. state: vectors of the same length that it keeps, by name.
    decoupled: whether l2 × w, times the pace's `decay`, is taken off the parameters beside its
    step; else it is added to the gradient.
    """

    parameters: FloatArray
    state: dict[str, FloatArray]
    decoupled: bool

    def pace(self, rate: float = 1, number: int = 1) -> Pace:
        """Of the step `number`, counted from 1, made with a share of the learning rate."""

    def step(self, gradient: FloatArray, pace: Pace, part: slice = EVERYTHING) -> None:
        """Move `parameters` one step, or the part of them that `gradient` is of.

        gradient: pace.scale × gradient. A step may be made part by part, in any order. `gradient`
        is used up.
        """


class SGD:
    """Gradient descent in minibatches: parameters -= learning_rate × gradient.

    With momentum μ (Polyak 1964, in the form of Sutskever and others 2013, equations 1 and 2):
    velocity = μ × velocity - learning_rate × gradient, parameters += velocity. With `nesterov`
    the step looks ahead: parameters += μ × velocity - learning_rate × gradient, with the velocity
    already updated (their equations 3 and 4, told of the point that is looked ahead to).
    """

    decoupled = False

    def __init__(
        self,
        parameters: FloatArray,
        *,
        learning_rate: float,
        momentum: float = 0,
        nesterov: bool = False,
    ) -> None:
        self.parameters = parameters
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.nesterov = nesterov
        self.state = _vectors(parameters, "velocity") if momentum else {}

    def pace(self, rate: float = 1, number: int = 1) -> Pace:
        length = self.parameters.dtype.type(self.learning_rate * rate)
        return Pace(length, length)

    def step(self, gradient: FloatArray, pace: Pace, part: slice = EVERYTHING) -> None:
        parameters, downhill = self.parameters[part], gradient  # scaled by the rate already
        if not self.momentum:
            parameters -= downhill
            return
        velocity = self.state["velocity"][part]
        velocity *= self.momentum
        velocity -= downhill
        if self.nesterov:
            parameters -= downhill
            np.multiply(velocity, self.momentum, out=downhill)
            parameters += downhill
        else:
            parameters += velocity


class Adam:
    """Steps of a length of their own for each parameter: Kingma and Ba 2015, algorithm 1.

    m = β₁ m + (1 - β₁) g and v = β₂ v + (1 - β₂) g², averages of gradient and squared gradient;
    parameters -= learning_rate × m̂ / (√v̂ + ε), with m̂ = m / (1 - β₁ᵗ) and v̂ = v / (1 - β₂ᵗ)
    in the step number t. Kept are the sums m / (1 - β₁) and v / (1 - β₂), which take less to move.
    """

    decoupled = False
    EPSILON = 1e-8

    def __init__(
        self,
        parameters: FloatArray,
        *,
        learning_rate: float,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
    ) -> None:
        self.parameters = parameters
        self.learning_rate = learning_rate
        self.beta_1, self.beta_2 = beta_1, beta_2
        self.state = _vectors(parameters, "gradients", "squares")

    def pace(self, rate: float = 1, number: int = 1) -> Pace:
        first = (1 - self.beta_1) / (1 - self.beta_1**number)  # m̂ = first × gradients
        second = math.sqrt((1 - self.beta_2) / (1 - self.beta_2**number))  # √v̂ = second × √squares
        length = self.learning_rate * rate
        numbers = 1, length if self.decoupled else 1, length * first / second, self.EPSILON / second
        return Pace(*map(self.parameters.dtype.type, numbers))

    def step(self, gradient: FloatArray, pace: Pace, part: slice = EVERYTHING) -> None:
        gradients, squares = self.state["gradients"][part], self.state["squares"][part]
        gradients *= self.beta_1
        gradients += gradient
        gradient *= gradient
        squares *= self.beta_2
        squares += gradient
        step = np.sqrt(squares, out=gradient)
        step += pace.epsilon
        np.divide(gradients, step, out=step)
        step *= pace.step_size
        self.parameters[part] -= step


class AdamW(Adam):
    """Adam without l2 in the gradient; each weight loses learning_rate × l2 × w besides.

    After Loshchilov and Hutter 2019, algorithm 2, who leave the learning rate out of that product.
    """

    decoupled = True


def _vectors(parameters: FloatArray, *names: str) -> dict[str, FloatArray]:
    return {name: arrays.zeros(parameters.shape, parameters.dtype) for name in names}


OPTIMIZERS: dict[str, type[SGD] | type[Adam]] = {"sgd": SGD, "adam": Adam, "adamw": AdamW}
