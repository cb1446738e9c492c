"""Update rules: how to walk downhill, given the gradient. All work on one flat vector."""

import numpy as np

from digitnet import aligned
from digitnet.activations import FloatArray

EVERYTHING = slice(None)


class SGD:
    """Gradient descent in minibatches: parameters -= learning_rate × gradient.

    With momentum μ (Polyak 1964, in the form of Sutskever and others 2013, equations 1 and 2):
    velocity = μ × velocity - learning_rate × gradient, parameters += velocity. With `nesterov`
    the step looks ahead: parameters += μ × velocity - learning_rate × gradient, with the velocity
    already updated (their equations 3 and 4, told of the point that is looked ahead to).

    `scale` is what the gradient has to be multiplied by before `step` gets it, which costs nothing
    where it is computed: the learning rate.
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
        with np.errstate(over="ignore"):  # what comes of it is told by whoever sees the numbers
            self.scale = parameters.dtype.type(learning_rate)
        self.momentum = momentum
        self.nesterov = nesterov
        self.state = (
            {"velocity": aligned.zeros(parameters.shape, parameters.dtype)} if momentum else {}
        )

    def step(self, downhill: FloatArray, part: slice = EVERYTHING) -> None:
        """Move `parameters` one step, or the part of them that `downhill` is of.

        downhill: learning_rate × gradient. A step may be made part by part, in any order.
        `downhill` is used up.
        """
        parameters = self.parameters[part]
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


OPTIMIZERS = {"sgd": SGD}
