"""Measure a forward pass of 10,000 pictures: digitnet's network compared with bare NumPy.

    python forward.py ROUNDS

Both take MNIST's test images, uint8 (n, 28, 28), have the same weights of 784-16-16-10, and give
the same answers. Print JSON: a list of seconds for each.
"""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from mnist import read_mnist
from turns import take_turns

from digitnet import Network

CALLS_PER_MEASUREMENT = 10


def main() -> None:
    _, _, images, _ = read_mnist()
    network = Network((784, 16, 16, 10))
    network.initialise(rng=np.random.default_rng(1))

    def bare() -> Any:
        a = images.reshape(len(images), 784) / np.float32(255)
        for W, b in zip(network.weights, network.biases):
            z = a @ W.T  # (n, n_in) @ (n_in, n_out) -> (n, n_out)
            z += b
            a = 1 / (1 + np.exp(-z))
        return a

    np.testing.assert_allclose(network(images), bare(), rtol=1e-4)
    contenders = {
        "digitnet": measure_seconds(lambda: network(images)),
        "bare NumPy": measure_seconds(bare),
    }
    print(json.dumps(take_turns(contenders, int(sys.argv[1]))))


def measure_seconds(function: Callable[[], Any]) -> Callable[[], float]:
    """Return a function that calls `function` and returns the seconds per call."""

    def measure() -> float:
        started = time.perf_counter()
        for _ in range(CALLS_PER_MEASUREMENT):
            function()
        return (time.perf_counter() - started) / CALLS_PER_MEASUREMENT

    return measure


if __name__ == "__main__":
    main()
