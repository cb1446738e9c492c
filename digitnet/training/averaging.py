"""The average of a network's parameters over its last steps, often better than the last of them."""

import numpy as np

from digitnet.arrays import FloatArray

EVERY = 8  # steps between two looks: eight times as cheap, and as good for averages over hundreds


class Average:
    """An exponential moving average: a step's share in it falls by `decay` with every one after it.

    After Polyak and Juditsky 1992. It begins with shorter ones, as TensorFlow's does: its decay is
    (t + 1) / (t + 10) at most after step t. parameters: the average, a vector like `source`, which
    is averaged.
    """

    def __init__(self, source: FloatArray, decay: float) -> None:
        self.source, self.decay = source, decay
        self.parameters = source.copy()

    def follow(self, number: int, part: slice, scratch: FloatArray) -> None:
        """Follow a part of `source` after the step `number`, counted from 1; scratch: as long."""
        average = self.parameters[part]
        if number < EVERY:
            average[:] = self.source[part]
        if number % EVERY:
            return
        np.subtract(self.source[part], average, out=scratch)
        scratch *= 1 - min(self.decay, (number + 1) / (number + 10)) ** EVERY
        average += scratch
