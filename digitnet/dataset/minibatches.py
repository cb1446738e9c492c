"""Minibatches: uint8 images to float32 columns, as many at once as fit the cache."""

import itertools
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from digitnet import arrays
from digitnet.arrays import ALONE, FloatArray, Share
from digitnet.dataset.definition import NON_DIGIT, Dataset

BLOCK = 256  # images gathered and scaled together: 800 kB, fits the second-level cache
WHITE = np.array(1 / 255, np.float32)
Minibatch = tuple[FloatArray, FloatArray]

# distort(images, out, position, share) reads uint8 (n, 784) and writes float32 (n, 784), 0 to 255.
# position: of the first image in the epoch's order.
Distort = Callable[[NDArray[np.uint8], FloatArray, int, Share], None]


class Minibatches:
    """Serves a data set in minibatches, in any order, from buffers that are allocated once.

    size: images in a minibatch, at most as many as an order has. most: minibatches gathered
    together, at most. distort: called for each image, if given. part: this rank's part of each
    minibatch; the images of the others are not gathered. shared: True if forked processes share the
    minibatches. buffers: the number of blocks that exist at the same time.
    """

    def __init__(
        self,
        dataset: Dataset,
        size: int,
        most: int = BLOCK,
        distort: Distort | None = None,
        part: Share = ALONE,
        shared: bool = False,
        buffers: int = 1,
    ) -> None:
        self.size, self.distort, self.part = size, distort, part
        self.pixels = dataset.images.reshape(len(dataset), -1)
        self.labels = dataset.labels
        self.has_non_digits = bool((self.labels == NON_DIGIT).any())
        self.classes = np.arange(len(dataset.class_names))[:, np.newaxis]
        count = max(min(BLOCK // size, most), 1)
        rows = count * size
        self.chosen = np.empty(rows, self.labels.dtype)
        self.gathered = np.empty((rows, self.pixels.shape[1]), np.uint8)
        new = arrays.shared if shared else arrays.zeros
        x_shape, y_shape = (rows, self.pixels.shape[1] + 1), (count, len(self.classes), size)
        self.buffers = itertools.cycle(
            [Buffer(new(x_shape, np.float32), new(y_shape, np.float32)) for _ in range(buffers)]
        )

    def __call__(self, order: NDArray[np.int64], skip: int = 0) -> Iterator[Minibatch]:
        """Yield minibatches of the examples in `order` (m,), without the first `skip` minibatches.

        Yields x (785, n), pixels from 0 to 1 and a last row of ones, the input of the biases; and
        y (classes, n), one-hot. One example per column; n = size, or less in the last minibatch.
        Both are views that the next block overwrites.
        """
        for block in self.blocks(order, skip):
            block.gather()
            yield from block.minibatches

    def label(self, labels: NDArray[np.int64], y: FloatArray) -> None:
        """Write labels (…, 1, n) to columns (…, classes, n): one-hot, or uniform for NON_DIGIT."""
        np.equal(labels, self.classes, out=y)
        if self.has_non_digits:
            np.copyto(y, 1 / len(self.classes), where=labels == NON_DIGIT)

    def blocks(self, order: NDArray[np.int64], skip: int = 0) -> "Iterator[Block]":
        """Yield the same minibatches in blocks that fit the cache, not yet gathered.

        Blocks use the buffers in turn: with one buffer, gather and use a block before the next.
        """
        rows = len(self.chosen)
        starts = range(skip * self.size, len(order), rows)
        for start, buffer in zip(starts, self.buffers):
            yield Block(self, buffer, order[start : start + rows], start)


class Buffer:
    """Memory for the minibatches of a block: x (rows, 785) and y (count, classes, size).

    minibatches: views of it, for whole minibatches.
    """

    def __init__(self, x: FloatArray, y: FloatArray) -> None:
        count, _, size = y.shape
        self.x, self.y = x, y
        self.minibatches = list(zip(x.reshape(count, size, -1).transpose(0, 2, 1), y))


class Block:
    """Minibatches that are gathered together."""

    def __init__(
        self, source: Minibatches, buffer: Buffer, indices: NDArray[np.int64], position: int
    ) -> None:
        self.source, self.buffer, self.indices, self.position = source, buffer, indices, position
        self.whole, rest = divmod(len(indices), source.size)
        self.rest = slice(len(indices) - rest, len(indices))
        self.minibatches = buffer.minibatches[: self.whole]
        if rest:
            y = buffer.y[self.whole].reshape(-1)[: len(source.classes) * rest]
            self.minibatches.append((buffer.x[self.rest].T, y.reshape(-1, rest)))

    def gather(self, share: Share = ALONE) -> None:
        """Write a member's share of the images to the minibatches; the first member adds labels."""
        n, size, part = len(self.indices), self.source.size, self.source.part
        if part.members == 1:
            self._gather_images(share.rows(n), share)
        else:
            for start in range(0, n, size):
                own = part.rows(min(size, n - start))
                rows = share.rows(own.stop - own.start)
                first = start + own.start
                self._gather_images(slice(first + rows.start, first + rows.stop), share)
        if share.member == 0:
            self._gather_labels()

    def _gather_images(self, rows: slice, share: Share) -> None:
        source = self.source
        x, gathered = self.buffer.x[rows], source.gathered[rows]
        np.take(source.pixels, self.indices[rows], axis=0, out=gathered, mode="clip")
        if source.distort:
            source.distort(gathered, x[:, :-1], self.position + rows.start, share)
        else:
            x[:, :-1] = gathered
        x *= WHITE  # contiguous: takes a quarter of the time of x[:, :-1]
        x[:, -1] = 1

    def _gather_labels(self) -> None:
        source = self.source
        labels = source.chosen[: len(self.indices)]
        np.take(source.labels, self.indices, out=labels, mode="clip")
        whole = labels[: self.rest.start].reshape(self.whole, 1, source.size)
        source.label(whole, self.buffer.y[: self.whole])
        if len(self.minibatches) > self.whole:
            source.label(labels[self.rest], self.minibatches[-1][1])
