"""Update rules: how to walk downhill, given the gradient. All work on one flat vector."""

import numpy as np

from digitnet.activations import FloatArray


class SGD:
    """Gradient descent in minibatches: parameters -= learning_rate × gradient.

    With momentum μ (Polyak 1964, in the form of Sutskever and others 2013, equations 1 and 2):
    velocity = μ × velocity - learning_rate × gradient, parameters += velocity. With `nesterov`
    the step looks ahead: parameters += μ × velocity - learning_rate × gradient, with the velocity
    already updated (their equations 3 and 4, told of the point that is looked ahead to).
    """

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
        self.state = {"velocity": np.zeros_like(parameters)} if momentum else {}

    def step(self, gradient: FloatArray) -> None:
        """Move `parameters` one step downhill; `gradient` (n_parameters,) is used up."""
        gradient *= self.learning_rate
        if self.momentum:
            velocity = self.state["velocity"]
            velocity *= self.momentum
            velocity -= gradient
            if self.nesterov:
                self.parameters -= gradient
                np.multiply(velocity, self.momentum, out=gradient)
                self.parameters += gradient
            else:
                self.parameters += velocity
        else:
            self.parameters -= gradient


OPTIMIZERS = {"sgd": SGD}
