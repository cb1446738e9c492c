"""Regularisers of the hidden layers: batch normalisation and dropout.

They are active in training only: `fold` puts both into the weights of the trained network.
"""

import functools
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from digitnet import arrays
from digitnet.arrays import FloatArray

EPSILON = 1e-5  # added to variances, as Ioffe and Szegedy do
LEAST_MOMENTUM = 0.01  # weight of a minibatch in the running statistics, after the first hundred


class BatchNorm:
    """Batch normalisation: z of each neuron gets mean 0 and variance 1 in the minibatch.

    Ioffe and Szegedy 2015, algorithm 1; the bias is their β. There is no γ: with ReLU the next
    layer's weights can replace it.

    b: (neurons, 1), a view of the biases. running, found: (2, neurons), mean and variance of z
    without its bias: moving averages, and those of the minibatch. n: examples in a minibatch.
    """

    def __init__(self, b: FloatArray, running: FloatArray, found: FloatArray, n: int) -> None:
        self.b, self.running, self.found, self.n = b, running, found, n
        self.weight = 1.0
        self.normal = arrays.empty((len(b), n), b.dtype)
        self.mean, self.variance, self.per_deviation, self.along, self.db = (
            np.empty((len(b), 1), b.dtype) for _ in range(5)
        )

    def begin(self, number: int, shard: int = 0, weight: float = 1.0) -> None:
        """Prepare for a minibatch. weight: what `found` is multiplied by."""
        self.weight = weight

    def end(self, number: int) -> None:
        """Let the moving averages follow `found`. number: of the step, counted from 1."""
        momentum = max(1 / number, LEAST_MOMENTUM)
        self.running *= 1 - momentum
        self.running += momentum * self.found

    def forward(self, z: FloatArray) -> None:
        """Normalise z (neurons, n) and add the bias; write mean and variance to `found`."""
        z.mean(axis=1, keepdims=True, out=self.mean)
        z -= self.mean
        self._dot(z, z, self.variance)
        np.add(self.variance, EPSILON, out=self.per_deviation)
        np.sqrt(self.per_deviation, out=self.per_deviation)
        np.divide(1, self.per_deviation, out=self.per_deviation)
        np.multiply(z, self.per_deviation, out=self.normal)
        np.add(self.normal, self.b, out=z)
        self.mean -= self.b
        if self.n > 1:  # one example has no variance
            self.variance *= self.n / (self.n - 1)  # the unbiased estimate, as in algorithm 2
        np.multiply(self.mean[:, 0], self.weight, out=self.found[0])
        np.multiply(self.variance[:, 0], self.weight, out=self.found[1])

    def backward(self, δ: FloatArray) -> None:
        """Turn ∂C/∂z after `forward` into ∂C/∂z before it, (neurons, n); write ∂C/∂b to `db`."""
        δ.mean(axis=1, keepdims=True, out=self.mean)
        np.multiply(self.mean, self.n, out=self.db)
        self._dot(δ, self.normal, self.along)
        self.normal *= self.along
        δ -= self.mean
        δ -= self.normal
        δ *= self.per_deviation

    def _dot(self, one: FloatArray, other: FloatArray, out: FloatArray) -> None:
        """Write the mean of one ⊙ other over each row."""
        np.einsum("ij,ij->i", one, other, out=out[:, 0])
        out /= self.n


class Dropout:
    """Dropout: neurons switched off at random, anew for each example in each step.

    Srivastava and others 2014, equation 4. shape: (neurons, n). keep: probability that a neuron
    stays active. key: the Philox key of the layer. member: of the crew; each has its own stream.
    """

    def __init__(self, shape: tuple[int, int], keep: float, key: np.ndarray, member: int) -> None:
        from digitnet.randomness import stream_at

        self.stream = functools.partial(stream_at, key)
        self.keep, self.member = keep, member
        self.random, self.mask = np.empty((2, *shape), np.float32)

    def begin(self, number: int, shard: int = 0, weight: float = 1.0) -> None:
        """Draw the mask of a shard of the step `number`, counted from 1."""
        rng = self.stream(number, self.member, shard=shard)
        rng.random(dtype=np.float32, out=self.random)
        np.less(self.random, self.keep, out=self.mask)

    def end(self, number: int) -> None:
        """Do nothing: dropout keeps nothing from step to step."""

    def __call__(self, rows: FloatArray) -> None:
        """Set rows (neurons, n) of a, or of ∂C/∂a, to 0 where a neuron is switched off."""
        rows *= self.mask


class Regularisers:
    """Which regularisers a network's hidden layers have; makes them for each workspace.

    hidden_sizes: neurons of each hidden layer. dropout: share of neurons switched off in a step.
    state: the running mean and variance of all neurons; empty without batch normalisation. found:
    float32 (2, neurons), mean and variance in a step, before it has ended. shared: True if forked
    processes share both.
    """

    def __init__(
        self,
        hidden_sizes: Sequence[int],
        *,
        batch_norm: bool = False,
        dropout: float = 0,
        seed: int = 0,
        shared: bool = False,
    ) -> None:
        self.sizes = tuple(hidden_sizes)
        self.batch_norm, self.keep, self.seed = batch_norm, 1 - dropout, seed
        new = arrays.shared if shared else arrays.zeros
        self.running, self.found = new((2, 2, sum(hidden_sizes) * batch_norm), np.float32)
        mean, variance = self.running
        variance[:] = 1
        self.state = {"batch_mean": mean, "batch_variance": variance} if batch_norm else {}

    def __bool__(self) -> bool:
        return self.batch_norm or self.keep < 1

    def norm(self, l: int, rows: slice, Wb: FloatArray, n: int) -> BatchNorm | None:
        """Return batch normalisation for `rows` of the hidden layer l, in minibatches of n."""
        if not self.batch_norm:
            return None
        neurons = self._neurons(l)
        running, found = (each[:, neurons][:, rows] for each in (self.running, self.found))
        return BatchNorm(Wb[rows, -1:], running, found, n)

    def drop(self, l: int, rows: slice, n: int, member: int) -> Dropout | None:
        """Return dropout for `rows` of the hidden layer l, in minibatches of n."""
        if self.keep == 1:
            return None
        from digitnet.randomness import Purpose, philox_key  # only training needs random numbers

        shape = rows.stop - rows.start, n
        return Dropout(shape, self.keep, philox_key(self.seed, Purpose.DROPOUT, l), member)

    def fold(self, matrices: Sequence[FloatArray]) -> None:
        """Fold both into the matrices [W b], so that the network answers without them.

        W a + b becomes (W a - mean) / √(variance + ε) + b, with the running statistics. Weights
        from neurons with dropout are multiplied by `keep` (Srivastava, figure 2).
        """
        for l, (Wb, next_Wb) in enumerate(pairwise(matrices)):
            if self.batch_norm:
                mean, variance = self.running[:, self._neurons(l)]
                per_deviation = 1 / np.sqrt(variance + np.float32(EPSILON))
                Wb[:, :-1] *= per_deviation[:, np.newaxis]
                Wb[:, -1] -= mean * per_deviation
            next_Wb[:, :-1] *= self.keep

    def _neurons(self, l: int) -> slice:
        """Return the place of a hidden layer's neurons among all."""
        start = sum(self.sizes[:l])
        return slice(start, start + self.sizes[l])


NO_REGULARISERS = Regularisers(())
