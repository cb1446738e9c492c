"""Minibatches: uint8 pictures to float32 rows, a cache-full at a time."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from digitnet.activations import FloatArray
from digitnet.dataset.definition import Dataset

BLOCK = 256  # pictures that are gathered and scaled together: 800 kB, fits the second-level cache


class Minibatches:
    """A data set handed out in minibatches, in any order, through buffers that are made once."""

    def __init__(self, dataset: Dataset, size: int) -> None:
        self.size = size = min(size, len(dataset))
        self.pixels = dataset.images.reshape(len(dataset), -1)
        self.labels = dataset.labels
        self.one_hot: FloatArray = np.eye(len(dataset.class_names), dtype=np.float32)
        rows = max(BLOCK // size, 1) * size
        self.gathered = np.empty((rows, self.pixels.shape[1]), np.uint8)
        self.x: FloatArray = np.empty(self.gathered.shape, np.float32)
        self.y: FloatArray = np.empty((rows, len(dataset.class_names)), np.float32)

    def __call__(
        self, order: NDArray[np.int64], skip: int = 0
    ) -> Iterator[tuple[FloatArray, FloatArray]]:
        """Minibatches of the examples that `order` (m,) names, without the first `skip` ones.

        Yields x (n, 784), pixels from 0 to 1, and y (n, classes), one-hot, with n = size but in
        the last, which may be shorter. Both are views that the next ones overwrite.
        """
        for start in range(skip * self.size, len(order), len(self.x)):
            indices = order[start : start + len(self.x)]
            n = len(indices)
            np.take(self.pixels, indices, axis=0, out=self.gathered[:n], mode="clip")
            np.divide(self.gathered[:n], np.float32(255), out=self.x[:n])
            np.take(self.one_hot, self.labels[indices], axis=0, out=self.y[:n], mode="clip")
            for first in range(0, n, self.size):
                rows = slice(first, min(first + self.size, n))
                yield self.x[rows], self.y[rows]
