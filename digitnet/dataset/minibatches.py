"""Minibatches: uint8 pictures to float32 columns, a cache-full at a time."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from digitnet import aligned
from digitnet.activations import FloatArray
from digitnet.dataset.definition import Dataset

BLOCK = 256  # pictures that are gathered and scaled together: 800 kB, fits the second-level cache
WHITE = np.array(1 / 255, np.float32)


class Minibatches:
    """A data set handed out in minibatches, in any order, through buffers that are made once."""

    def __init__(self, dataset: Dataset, size: int) -> None:
        self.size = size = min(size, len(dataset))
        self.pixels = dataset.images.reshape(len(dataset), -1)
        self.labels = dataset.labels
        self.classes = np.arange(len(dataset.class_names))[:, np.newaxis]
        count = max(BLOCK // size, 1)
        rows = count * size
        self.chosen = np.empty(rows, self.labels.dtype)
        self.gathered = np.empty((rows, self.pixels.shape[1]), np.uint8)
        self.x: FloatArray = aligned.empty(self.gathered.shape, np.float32)
        self.y: FloatArray = np.empty((count, len(self.classes), size), np.float32)
        self.whole = list(zip(self.x.reshape(count, size, -1).transpose(0, 2, 1), self.y))

    def __call__(
        self, order: NDArray[np.int64], skip: int = 0
    ) -> Iterator[tuple[FloatArray, FloatArray]]:
        """Minibatches of the examples that `order` (m,) names, without the first `skip` ones.

        Yields x (784, n), pixels from 0 to 1, and y (classes, n), one-hot, one example per column,
        with n = size but in the last, which may be smaller. Both are views that the next ones
        overwrite.
        """
        for start in range(skip * self.size, len(order), len(self.x)):
            indices = order[start : start + len(self.x)]
            self._gather(indices)
            whole, rest = divmod(len(indices), self.size)
            yield from self.whole[:whole]
            if rest:
                last = slice(len(indices) - rest, len(indices))
                is_class = self.chosen[last] == self.classes
                yield self.x[last].T, is_class.astype(np.float32)

    def _gather(self, indices: NDArray[np.int64]) -> None:
        n, whole = len(indices), len(indices) // self.size
        np.take(self.pixels, indices, axis=0, out=self.gathered[:n], mode="clip")
        self.x[:n] = self.gathered[:n]
        self.x[:n] *= WHITE
        np.take(self.labels, indices, out=self.chosen[:n], mode="clip")
        labels = self.chosen[: whole * self.size].reshape(whole, 1, self.size)
        np.equal(labels, self.classes, out=self.y[:whole])
