"""A network with int8 weights, as microcontrollers compute it.

A neuron's weights are whole numbers from -127 to 127 times the neuron's scale. A layer's inputs are
whole numbers of steps, from -255 to 255, times the step; 255 steps are the largest magnitude of the
picture's inputs, in the first layer 1, so that pixels of 8 bits are exact. Sums of products are
exact; biases and activation functions are float32.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from digitnet.arrays import FloatArray
from digitnet.errors import DigitnetError
from digitnet.network.network import CHUNK, Network

MAX_WEIGHT = 127
STEPS = 255
MIN_HIGHEST = np.finfo(np.float32).tiny * np.float32(1024)  # smaller inputs count as 0
MAX_INPUTS = (2**31 - 1) // (STEPS * MAX_WEIGHT)  # inputs: more could overflow an int32 sum


class QuantisedLayer(NamedTuple):
    """weights: int8 (n_out, n_in). scales, biases: float32 (n_out,)."""

    weights: NDArray[np.int8]
    scales: FloatArray
    biases: FloatArray


class QuantisedNetwork:
    """A trained network whose weights are rounded to int8.

    Raises DigitnetError if a layer has more than MAX_INPUTS inputs.
    """

    def __init__(self, network: Network) -> None:
        widest = max(network.layer_sizes[:-1])
        if widest > MAX_INPUTS:
            raise DigitnetError(
                f"int8: expected layers of at most {MAX_INPUTS:,} neurons, found {widest:,}; "
                "export float32, without --int8"
            )
        self.layer_sizes = network.layer_sizes
        self.functions = network.functions
        self.layers = [_quantised(W, b) for W, b in zip(network.weights, network.biases)]

    @property
    def size(self) -> int:
        """The bytes of weights, scales and biases."""
        return sum(array.nbytes for layer in self.layers for array in layer)

    def __call__(self, images: NDArray[np.uint8]) -> FloatArray:
        """Return the activations of the last layer, float32 (n, classes).

        images: uint8 (n, 28, 28) or (n, 784).
        """
        outputs = np.empty((len(images), self.layer_sizes[-1]), np.float32)
        for start in range(0, len(images), CHUNK):
            chunk = images[start : start + CHUNK]
            outputs[start : start + CHUNK] = self._feedforward(chunk.reshape(len(chunk), -1).T)
        return outputs

    def _feedforward(self, pixels: NDArray[np.uint8]) -> FloatArray:
        """Return the outputs (n, classes) of pixels (784, n)."""
        steps, step = pixels.astype(np.float64), np.full(pixels.shape[1], 1 / STEPS, np.float32)
        with np.errstate(over="ignore", invalid="ignore"):  # huge weights overflow
            for (W, scales, b), σ in zip(self.layers, self.functions):
                sums = W.astype(np.float64).dot(steps)  # whole numbers below 2³¹: exact
                z = sums.astype(np.float32) * (step * scales[:, np.newaxis]) + b[:, np.newaxis]
                a = σ(z, None)
                steps, step = _in_steps(a)
        return a.T


def _quantised(W: FloatArray, b: FloatArray) -> QuantisedLayer:
    scales = abs(W).max(axis=1) / np.float32(MAX_WEIGHT)
    with np.errstate(divide="ignore", invalid="ignore"):
        rounded = np.rint(W / scales[:, np.newaxis])
    rounded[scales == 0] = 0
    weights = rounded.clip(-MAX_WEIGHT, MAX_WEIGHT).astype(np.int8)
    return QuantisedLayer(weights, scales, b.copy())


def _in_steps(a: FloatArray) -> tuple[NDArray[np.float64], FloatArray]:
    """Return activations (n_in, n) as whole numbers of steps, and the step of each picture (n,)."""
    highest = np.fmax.reduce(abs(a), axis=0, initial=0)  # ignores what is not a number
    with np.errstate(divide="ignore"):
        steps_per_unit = np.float32(STEPS) / highest
    steps_per_unit[highest < MIN_HIGHEST] = 0
    steps = np.trunc(a * steps_per_unit + np.copysign(np.float32(0.5), a))
    steps = np.where(steps < STEPS, steps.clip(min=-STEPS), STEPS)  # STEPS also for NaN
    return steps.astype(np.float64), highest / np.float32(STEPS)
