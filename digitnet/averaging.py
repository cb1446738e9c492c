"""The average of a network's parameters over its last steps, often better than the last of them."""

import numpy as np

from digitnet.activations import FloatArray

EVERY = 8  # steps between two looks: eight times as cheap, and as good for averages over hundreds


class Average:
    """An exponential moving average: a step's share in it falls by `decay` with every one after it.

    After Polyak and Juditsky 1992; in the form of Tarvainen and Valpola 2017, section 2, who
    begin with a shorter one, (t + 1) / (t + 10) at most. parameters: the average, a vector like
    `source`, which is averaged.
    """

    def __init__(self, source: FloatArray, decay: float) -> None:
        self.source, self.decay = source, decay
        self.parameters = source.copy()

    def follow(self, number: int, part: slice, scratch: FloatArray) -> None:
        """Follow a part of `source` after the step `number`, counted from 1; scratch: as long."""
        if number % EVERY:
            return
        average = self.parameters[part]
        np.subtract(self.source[part], average, out=scratch)
        scratch *= 1 - min(self.decay, (number + 1) / (number + 10)) ** EVERY
        average += scratch
