"""Minibatches: uint8 pictures to float32 columns, a cache-full at a time."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from digitnet import arrays
from digitnet.arrays import ALONE, FloatArray, Share
from digitnet.dataset.definition import NON_DIGIT, Dataset

BLOCK = 256  # pictures that are gathered and scaled together: 800 kB, fits the second-level cache
WHITE = np.array(1 / 255, np.float32)
Minibatch = tuple[FloatArray, FloatArray]

# distort(pictures, out, first, share) writes uint8 pictures (n, 784), the first of which is the
# epoch's number `first`, to out, float32 (n, 784) from 0 to 255.
Distort = Callable[[NDArray[np.uint8], FloatArray, int, Share], None]


class Minibatches:
    """A data set handed out in minibatches, in any order, through buffers that are made once.

    size: pictures in a minibatch, at most as many as an order has; the buffers hold this many.
    most: how many minibatches are gathered together at most.
    """

    def __init__(self, dataset: Dataset, size: int, most: int = BLOCK) -> None:
        self.size = size
        self.pixels = dataset.images.reshape(len(dataset), -1)
        self.labels = dataset.labels
        self.has_nothing = bool((self.labels == NON_DIGIT).any())
        self.classes = np.arange(len(dataset.class_names))[:, np.newaxis]
        count = max(min(BLOCK // size, most), 1)
        rows = count * size
        self.chosen = np.empty(rows, self.labels.dtype)
        self.gathered = np.empty((rows, self.pixels.shape[1]), np.uint8)
        self.x: FloatArray = arrays.zeros((rows, self.pixels.shape[1] + 1), np.float32)
        self.y: FloatArray = np.empty((count, len(self.classes), size), np.float32)
        self.whole = list(zip(self.x.reshape(count, size, -1).transpose(0, 2, 1), self.y))

    def __call__(self, order: NDArray[np.int64], skip: int = 0) -> Iterator[Minibatch]:
        """Minibatches of the examples that `order` (m,) names, without the first `skip` ones.

        Yields x (785, n), pixels from 0 to 1 and then 1, the input that biases are weights of, and
        y (classes, n), one-hot; one example per column, with n = size but in the last, which may
        be smaller. Both are views that the next ones overwrite.
        """
        for block in self.blocks(order, skip):
            block.gather()
            yield from block.minibatches

    def label(self, labels: NDArray[np.int64], y: FloatArray) -> None:
        """Write labels (…, 1, n) as columns (…, classes, n): one-hot, or even for NON_DIGIT."""
        np.equal(labels, self.classes, out=y)
        if self.has_nothing:
            np.copyto(y, 1 / len(self.classes), where=labels == NON_DIGIT)

    def blocks(
        self, order: NDArray[np.int64], skip: int = 0, distort: Distort | None = None
    ) -> "Iterator[Block]":
        """The same, as many together as fit the cache, and still to be gathered.

        All blocks are gathered to the same arrays, one at a time.
        """
        for start in range(skip * self.size, len(order), len(self.x)):
            yield Block(self, order[start : start + len(self.x)], start, distort)


class Block:
    """Minibatches that are gathered together."""

    def __init__(
        self,
        source: Minibatches,
        indices: NDArray[np.int64],
        start: int,
        distort: Distort | None,
    ) -> None:
        self.source, self.indices, self.start, self.distort = source, indices, start, distort
        self.whole, rest = divmod(len(indices), source.size)
        self.rest = slice(len(indices) - rest, len(indices))
        self.minibatches = source.whole[: self.whole]
        if rest:
            y = np.empty((len(source.classes), rest), np.float32)
            self.minibatches.append((source.x[self.rest].T, y))

    def gather(self, share: Share = ALONE) -> None:
        """Put a share of the pictures into the minibatches; with the first one come the labels."""
        source, rows = self.source, share.rows(len(self.indices))
        x, gathered = source.x[rows], source.gathered[rows]
        np.take(source.pixels, self.indices[rows], axis=0, out=gathered, mode="clip")
        if self.distort:
            self.distort(gathered, x[:, :-1], self.start + rows.start, share)
        else:
            x[:, :-1] = gathered
        x *= WHITE  # whole, for that takes a quarter of the time of x[:, :-1]
        x[:, -1] = 1
        if share.member == 0:
            self._gather_labels()

    def _gather_labels(self) -> None:
        source = self.source
        labels = source.chosen[: len(self.indices)]
        np.take(source.labels, self.indices, out=labels, mode="clip")
        whole = labels[: self.rest.start].reshape(self.whole, 1, source.size)
        source.label(whole, source.y[: self.whole])
        if len(self.minibatches) > self.whole:
            source.label(labels[self.rest], self.minibatches[-1][1])
