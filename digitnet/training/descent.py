"""Gradient descent: backprop and update, minibatch by minibatch, in one thread or several.

Several threads share the neurons: each computes the gradient of its own neurons and updates their
parameters. The order of every sum is fixed, so the same number of threads gives the same bits.
"""

import functools
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from digitnet import arrays
from digitnet.arrays import FloatArray, Share
from digitnet.config.threads import BLAS_SPACE, require_memory
from digitnet.fleet.fleet import ALONE, Fleet
from digitnet.network.crew import Crew
from digitnet.network.network import Network
from digitnet.network.regularisers import NO_REGULARISERS, Regularisers
from digitnet.network.workspace import Workspace
from digitnet.training.optimizers import Coefficients, Optimizer
from digitnet.training.shards import Shard, Shards, begin, end

PART = 262144  # parameters: longest slice updated at once, 1 MB of each vector


class Descent:
    """Gradient descent on a network, in arrays that are allocated once.

    frozen: how many layers, counted from the first, keep their parameters. shards, fleet: parts of
    a minibatch, and the ranks that share them. Raises TrainingError if the threads cannot be
    started.
    """

    def __init__(
        self,
        network: Network,
        optimizer: Optimizer,
        *,
        regularisers: Regularisers = NO_REGULARISERS,
        threads: int = 1,
        frozen: int = 0,
        shards: int = 1,
        fleet: Fleet = ALONE,
    ) -> None:
        self.network, self.optimizer, self.regularisers = network, optimizer, regularisers
        self.crew = Crew(min(threads, max(network.layer_sizes[1:-1], default=1)))
        shares = self.crew.shares
        self.parts = [_parts(network, share, frozen) for share in shares]
        self.shards, shape = None, network.parameters.shape
        if shards > 1 or fleet.size > 1:
            self.shards = Shards(network, regularisers, shards, fleet, self.parts)
        self.gradient = (
            self.shards.gradient if self.shards else arrays.empty(shape, network.parameters.dtype)
        )
        needs_scratch = optimizer.l2 is not None
        self.scratch = [
            arrays.empty((PART,), self.gradient.dtype) if needs_scratch else None for _ in shares
        ]
        self.workspaces: dict[int, list[Workspace]] = {}  # by the number of examples
        self.cuts: dict[int, list[Shard]] = {}

    def walk(
        self,
        minibatches: Sequence[tuple[FloatArray, FloatArray]],
        gather: Callable[[Share], None] | None = None,
        rates: Sequence[float] | None = None,
        number: int = 1,
    ) -> list[float]:
        """Make one step for each minibatch x (785, n), y (classes, n); return their summed costs.

        gather(share): called first, in each thread, to fill its share of the minibatches. rates:
        the learning-rate schedule's factor for each step. number: of the first step, counted from 1
        over the whole training.
        """
        rates = rates or [1.0] * len(minibatches)
        with np.errstate(over="ignore"):
            coefficients = [
                self.optimizer.coefficients(rate, number + i) for i, rate in enumerate(rates)
            ]
        for x, _ in minibatches:
            self._prepare(x.shape[1])
        costs = [0.0] * len(minibatches)

        def learn(share: Share) -> None:
            member, _, wait = share
            if gather:
                gather(share)
            if wait:
                wait()
            with np.errstate(over="ignore", invalid="ignore"):  # the caller checks the costs
                for i, (x, y) in enumerate(minibatches):
                    cost = self._step(share, x, y, coefficients[i], number + i)
                    if member == 0:
                        costs[i] = cost

        self.crew(learn)
        return costs

    def close(self) -> None:
        """End the threads."""
        self.crew.close()

    def _step(
        self, share: Share, x: FloatArray, y: FloatArray, coefficients: Coefficients, number: int
    ) -> float:
        """Make a thread's share of a step; return the summed cost.

        When `backprop` returns, no thread reads this thread's parameters any more in this step.
        """
        n, member, scale = x.shape[1], share.member, coefficients.gradient
        if self.shards:
            cut, workspaces = self.cuts[n], self.workspaces
            cost = self.shards.backprop(x, y, cut, workspaces, share, scale, number)
        else:
            workspace = self.workspaces[n][member]
            begin(workspace, number)
            cost = self.network.backprop(x, y, workspace, scale)
            if n > 1:  # one example has no variance
                end(workspace, number)
        for part in self.parts[member]:
            self.optimizer.step(self.gradient[part], coefficients, part, self.scratch[member])
        return cost

    def _prepare(self, n: int) -> None:
        """Make all that the threads need for minibatches of n examples."""
        if self.shards and n not in self.cuts:
            self.cuts[n] = self.shards.cut(n)
            for size in {shard.size for shard in self.cuts[n]} - {0}:
                self._workspaces(size)
        elif not self.shards:
            self._workspaces(n)

    def _workspaces(self, n: int) -> list[Workspace]:
        """Return each thread's workspace for a minibatch of n examples."""
        if n not in self.workspaces:
            first, *others = self.crew.shares
            make = functools.partial(self.network.workspace, n, self.gradient)
            shared = make(first, regularisers=self.regularisers)
            rest = [make(share, shared, self.regularisers) for share in others]
            if not self.workspaces:  # BLAS ends the process where it gets no memory: ask before
                require_memory(len(others) * BLAS_SPACE)
            self.workspaces[n] = [shared, *rest]
        return self.workspaces[n]


def _parts(network: Network, share: Share, frozen: int) -> list[slice]:
    """Return the slices of the flat vector that a thread updates, each at most PART long."""
    if share.members == 1:
        first = sum(Wb.size for Wb in network.matrices[:frozen])
        return _cut(first, len(network.parameters))
    parts, start = [], 0
    for l, (n_in, n_out) in enumerate(pairwise(network.layer_sizes)):
        rows, width = share.rows(n_out), n_in + 1
        if l >= frozen:
            parts += _cut(start + rows.start * width, start + rows.stop * width)
        start += n_out * width
    return parts


def _cut(first: int, last: int) -> list[slice]:
    return [slice(start, min(start + PART, last)) for start in range(first, last, PART)]
