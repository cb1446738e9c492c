"""One step downhill: the gradient of a minibatch and the update, by one thread or by several.

Several threads share the examples of the minibatch, each finds the gradient of its share, and the
gradients are added up; then they share the parameters. The order of every sum is fixed, so the
same number of threads gives the same bits.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from digitnet import aligned
from digitnet.activations import FloatArray
from digitnet.crew import Crew
from digitnet.network import Backward, Network
from digitnet.optimizers import SGD

PART = 262144  # parameters that are updated together, at most: 1 MB of each vector


class Share(NamedTuple):
    """One thread's examples of a minibatch, and its buffers."""

    which: slice
    buffers: Backward


class Descent:
    """Steps downhill, in buffers that are made once. l2 × w is added to each weight's gradient."""

    def __init__(
        self, network: Network, optimizer: SGD, *, l2: float = 0, threads: int = 1
    ) -> None:
        self.network, self.optimizer = network, optimizer
        self.decay = _decay(network, l2) if l2 else None
        shape, dtype = network.parameters.shape, network.parameters.dtype
        self.gradients = [aligned.empty(shape, dtype) for _ in range(threads)]
        self.scratch = [aligned.empty((PART,), dtype) for _ in range(threads)]
        self.parts = _parts(len(network.parameters), threads)
        self.shares: dict[int, list[Share]] = {}
        self.crew = Crew(threads)

    def step(self, x: FloatArray, y: FloatArray) -> float:
        """Learn from a minibatch x (784, n), y (classes, n): its cost, summed over the examples."""
        n = x.shape[1]
        if n not in self.shares:
            self.shares[n] = self._share_out(n)
        shares = self.shares[n]
        if len(shares) == 1:
            cost = self.network.backprop(x, y, shares[0].buffers)
            self._update(1, self.parts, self.scratch[0])
            return cost
        costs = [0.0] * len(shares)

        def learn(member: int) -> None:
            if member < len(shares):
                which, buffers = shares[member]
                with np.errstate(over="ignore", invalid="ignore"):
                    costs[member] = self.network.backprop(x[:, which], y[:, which], buffers, n)

        def update(member: int) -> None:
            with np.errstate(over="ignore", invalid="ignore"):
                parts = self.parts[member :: self.crew.size]
                self._update(len(shares), parts, self.scratch[member])

        self.crew(learn)
        self.crew(update)
        return sum(costs)

    def close(self) -> None:
        """Let the threads go."""
        self.crew.close()

    def _update(self, shares: int, parts: list[slice], scratch: FloatArray) -> None:
        for part in parts:
            self.optimizer.step(self._gradient(shares, part, scratch), part)

    def _gradient(self, shares: int, part: slice, scratch: FloatArray) -> FloatArray:
        """The part's gradient, of all shares and the penalty together."""
        first, *others = (gradient[part] for gradient in self.gradients[:shares])
        scratch = scratch[: len(first)]
        if self.decay is not None:
            parameters = self.network.parameters[part]
            others.insert(0, np.multiply(self.decay[part], parameters, out=scratch))
        if not others:
            return first
        total: FloatArray = np.add(first, others[0], out=scratch)
        for other in others[1:]:
            total += other
        return total

    def _share_out(self, n: int) -> list[Share]:
        """Each thread's share of a minibatch of n; for fewer examples than threads, one each."""
        shares = min(len(self.gradients), n)
        bounds = [n * share // shares for share in range(shares + 1)]
        return [
            Share(slice(first, last), self.network.backward_buffers(last - first, gradient))
            for (first, last), gradient in zip(pairwise(bounds), self.gradients)
        ]


def _decay(network: Network, l2: float) -> FloatArray:
    """l2 for each weight, 0 for each bias: (n_parameters,)."""
    decay = np.zeros_like(network.parameters)
    for W in network.views(decay)[0]:
        W[:] = l2
    return decay


def _parts(n: int, threads: int) -> list[slice]:
    """Slices of n parameters, as many for each thread, of at most PART."""
    count = -(-n // (PART * threads)) * threads
    bounds = [n * part // count for part in range(count + 1)]
    return [slice(first, last) for first, last in pairwise(bounds)]
