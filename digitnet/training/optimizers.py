"""Update rules of gradient descent. Each moves one flat vector, given its gradient."""

import math
from abc import ABC, abstractmethod
from typing import NamedTuple

import numpy as np

from digitnet import arrays
from digitnet.arrays import FloatArray
from digitnet.network.network import Network

EVERYTHING = slice(None)
ZERO = np.float32(0)


class Coefficients(NamedTuple):
    """The numbers of one step, in the parameters' precision, which NumPy computes fastest with.

    gradient: the factor of the gradient; `backprop` multiplies by it at no extra cost. decay: the
    factor of l2 × w. step_size, epsilon: Adam's.
    """

    gradient: np.floating
    decay: np.floating
    step_size: np.floating = ZERO
    epsilon: np.floating = ZERO


class Optimizer(ABC):
    """An update rule.

    parameters: the vector that it moves, (n_parameters,). l2: the L2 coefficient of each parameter,
    (n_parameters,), or None; see `l2_coefficients`. state: vectors that it keeps from step to step,
    by name, each (n_parameters,).
    """

    decoupled = False  # True: subtract l2 × w from the weights; False: add it to the gradient

    def __init__(
        self, parameters: FloatArray, learning_rate: float, l2: FloatArray | None, *state: str
    ) -> None:
        self.parameters, self.learning_rate, self.l2 = parameters, learning_rate, l2
        self.state = {name: arrays.zeros_like(parameters) for name in state}

    @abstractmethod
    def coefficients(self, rate: float = 1, number: int = 1) -> Coefficients:
        """Return the coefficients of one step.

        rate: the learning-rate schedule's factor, 0 to 1. number: of the step, counted from 1.
        """

    def step(
        self,
        gradient: FloatArray,
        coefficients: Coefficients,
        part: slice = EVERYTHING,
        scratch: FloatArray | None = None,
    ) -> None:
        """Move `parameters`, or the `part` of them that `gradient` belongs to, by one step.

        gradient: already multiplied by coefficients.gradient; overwritten. The parts of a step may
        be moved in any order. scratch: an array at least as long as the part, used with l2.
        """
        if self.l2 is not None:
            out = None if scratch is None else scratch[: len(gradient)]
            decay = np.multiply(self.l2[part], self.parameters[part], out=out)
            decay *= coefficients.decay
            if self.decoupled:
                self.parameters[part] -= decay
            else:
                gradient += decay
        self._move(gradient, coefficients, part)

    @abstractmethod
    def _move(self, gradient: FloatArray, coefficients: Coefficients, part: slice) -> None:
        """Apply the rule to a part of the parameters, l2 already applied."""


class SGD(Optimizer):
    """Minibatch gradient descent: parameters -= learning_rate × gradient.

    With momentum coefficient μ (Polyak 1964, in the form of Sutskever and others 2013, equations 1
    and 2): velocity = μ × velocity - learning_rate × gradient, parameters += velocity. With
    Nesterov's momentum: parameters += μ × velocity - learning_rate × gradient, with the velocity
    already updated (their equations 3 and 4, written for the point θ + μ × velocity).
    """

    def __init__(
        self,
        parameters: FloatArray,
        *,
        learning_rate: float,
        momentum: float = 0,
        nesterov: bool = False,
        l2: FloatArray | None = None,
    ) -> None:
        super().__init__(parameters, learning_rate, l2, *(["velocity"] if momentum else []))
        self.momentum, self.nesterov = momentum, nesterov

    def coefficients(self, rate: float = 1, number: int = 1) -> Coefficients:
        step_length = self.parameters.dtype.type(self.learning_rate * rate)
        return Coefficients(step_length, step_length)

    def _move(self, gradient: FloatArray, coefficients: Coefficients, part: slice) -> None:
        parameters, downhill = self.parameters[part], gradient  # learning_rate × gradient
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


class Adam(Optimizer):
    """Adaptive moment estimation: Kingma and Ba 2015, algorithm 1.

    m = β₁ m + (1 - β₁) g and v = β₂ v + (1 - β₂) g² are moving averages of gradient and squared
    gradient; parameters -= learning_rate × m̂ / (√v̂ + ε), with m̂ = m / (1 - β₁ᵗ) and
    v̂ = v / (1 - β₂ᵗ) in step t. `state` holds m / (1 - β₁) and v / (1 - β₂): they take fewer
    operations to update.
    """

    EPSILON = 1e-8

    def __init__(
        self,
        parameters: FloatArray,
        *,
        learning_rate: float,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        l2: FloatArray | None = None,
    ) -> None:
        super().__init__(parameters, learning_rate, l2, "gradients", "squares")
        self.beta_1, self.beta_2 = beta_1, beta_2

    def coefficients(self, rate: float = 1, number: int = 1) -> Coefficients:
        first = (1 - self.beta_1) / (1 - self.beta_1**number)  # m̂ = first × gradients
        second = math.sqrt((1 - self.beta_2) / (1 - self.beta_2**number))  # √v̂ = second × √squares
        length = self.learning_rate * rate
        numbers = 1, length if self.decoupled else 1, length * first / second, self.EPSILON / second
        return Coefficients(*map(self.parameters.dtype.type, numbers))

    def _move(self, gradient: FloatArray, coefficients: Coefficients, part: slice) -> None:
        gradients, squares = self.state["gradients"][part], self.state["squares"][part]
        gradients *= self.beta_1
        gradients += gradient
        gradient *= gradient
        squares *= self.beta_2
        squares += gradient
        step = np.sqrt(squares, out=gradient)
        step += coefficients.epsilon
        np.divide(gradients, step, out=step)
        step *= coefficients.step_size
        self.parameters[part] -= step


class AdamW(Adam):
    """Adam with decoupled weight decay: each step subtracts learning_rate × l2 × w from a weight.

    Loshchilov and Hutter 2019, algorithm 2, where the product has no learning rate.
    """

    decoupled = True


def l2_coefficients(network: Network, l2: float) -> FloatArray | None:
    """Return the L2 coefficient of each parameter: l2 for weights, 0 for biases; None if l2 is 0.

    Shape (n_parameters,).
    """
    if not l2:
        return None
    coefficients = np.zeros_like(network.parameters)
    for Wb in network.matrices_of(coefficients):
        Wb[:, :-1] = l2
    return coefficients


OPTIMIZERS: dict[str, type[SGD] | type[Adam]] = {"sgd": SGD, "adam": Adam, "adamw": AdamW}
