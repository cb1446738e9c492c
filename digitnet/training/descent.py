"""Steps downhill: the gradient of a minibatch and the update, by one thread or by several.

Several threads share the neurons: each finds the slopes of its own and moves their parameters. The
order of every sum is fixed, so the same number of threads gives the same bits.
"""

import functools
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from digitnet import arrays
from digitnet.arrays import FloatArray, Share
from digitnet.config.threads import BLAS_SPACE, require_memory
from digitnet.network.crew import Crew
from digitnet.network.network import Network
from digitnet.network.regularisers import NO_REGULARISERS, Regularisers, limit_norms
from digitnet.network.workspace import Workspace
from digitnet.training.averaging import Average
from digitnet.training.optimizers import Optimizer, Pace

PART = 262144  # parameters that are updated together, at most: 1 MB of each vector


class Descent:
    """Steps downhill, in arrays that are made once.

    l2 × w is added to each weight's gradient, or taken off beside it where the optimizer has it so.
    max_norm: of the weights to a hidden neuron, if any. average: follows the parameters.
    """

    def __init__(
        self,
        network: Network,
        optimizer: Optimizer,
        *,
        regularisers: Regularisers = NO_REGULARISERS,
        average: Average | None = None,
        l2: float = 0,
        max_norm: float | None = None,
        threads: int = 1,
    ) -> None:
        self.network, self.optimizer = network, optimizer
        self.regularisers, self.average = regularisers, average
        self.l2 = _per_parameter(network, l2) if l2 else None
        self.max_norm = max_norm
        self.gradient = arrays.empty(network.parameters.shape, network.parameters.dtype)
        self.crew = Crew(min(threads, max(network.layer_sizes[1:-1], default=1)))
        shares = self.crew.shares
        self.scratch = [arrays.empty((PART,), self.gradient.dtype) for _ in shares if l2]
        self.parts = [_parts(network, share) for share in shares]
        self.hidden_weights = [
            [W[share.rows(len(W))] for W in network.weights[:-1]] for share in shares
        ]
        self.workspaces: dict[int, list[Workspace]] = {}

    def walk(
        self,
        minibatches: Sequence[tuple[FloatArray, FloatArray]],
        gather: Callable[[Share], None] | None = None,
        rates: Sequence[float] | None = None,
        number: int = 1,
    ) -> list[float]:
        """A step for each minibatch x (785, n), y (classes, n): their costs, summed over each.

        gather(share) is called before, to put a share of the pictures into them. rates: of each
        step, as a share of the learning rate. number: of the first one, counted from 1 where the
        training began.
        """
        rates = rates or [1.0] * len(minibatches)
        with np.errstate(over="ignore"):
            paces = [self.optimizer.pace(rate, number + i) for i, rate in enumerate(rates)]
        workspaces = [self._workspaces(x.shape[1]) for x, _ in minibatches]
        costs = [0.0] * len(minibatches)

        def learn(share: Share) -> None:
            member, _, meet = share
            if gather:
                gather(share)
            if meet:
                meet()
            with np.errstate(over="ignore", invalid="ignore"):  # whoever sees the costs can say it
                for i, (x, y) in enumerate(minibatches):
                    workspace = workspaces[i][member]
                    cost = self._step(member, x, y, workspace, paces[i], number + i)
                    if member == 0:
                        costs[i] = cost

        self.crew(learn)
        return costs

    def close(self) -> None:
        """Let the threads go."""
        self.crew.close()

    def _step(
        self,
        member: int,
        x: FloatArray,
        y: FloatArray,
        workspace: Workspace,
        pace: Pace,
        number: int,
    ) -> float:
        """A thread's share of a step. Nobody reads its parameters any more when it moves them."""
        for regulariser in workspace.regularisers:
            regulariser.begin(number)
        cost = self.network.backprop(x, y, workspace, pace.scale)
        for part in self.parts[member]:
            gradient = self.gradient[part]
            if self.l2 is not None:
                decay = self.scratch[member][: len(gradient)]
                np.multiply(self.l2[part], self.network.parameters[part], out=decay)
                decay *= pace.decay
                if self.optimizer.decoupled:
                    self.network.parameters[part] -= decay
                else:
                    gradient += decay
            self.optimizer.step(gradient, pace, part)
        if self.max_norm is not None:
            for weights in self.hidden_weights[member]:
                limit_norms(weights, self.max_norm)
        if self.average:
            for part in self.parts[member]:
                self.average.follow(number, part, self.gradient[part])
        return cost

    def _workspaces(self, n: int) -> list[Workspace]:
        """Each thread's for a minibatch of n."""
        if n not in self.workspaces:
            first, *others = self.crew.shares
            make = functools.partial(self.network.workspace, n, self.gradient)
            shared = make(first, regularisers=self.regularisers)
            rest = [make(share, shared, self.regularisers) for share in others]
            if not self.workspaces:
                require_memory(len(others) * BLAS_SPACE)  # BLAS takes it, or ends the process
            self.workspaces[n] = [shared, *rest]
        return self.workspaces[n]


def _parts(network: Network, share: Share) -> list[slice]:
    """A thread's own parameters, in slices of at most PART."""
    if share.members == 1:
        return _cut(0, len(network.parameters))
    parts, start = [], 0
    for n_in, n_out in pairwise(network.layer_sizes):
        rows, width = share.rows(n_out), n_in + 1
        parts += _cut(start + rows.start * width, start + rows.stop * width)
        start += n_out * width
    return parts


def _cut(first: int, last: int) -> list[slice]:
    return [slice(start, min(start + PART, last)) for start in range(first, last, PART)]


def _per_parameter(network: Network, l2: float) -> FloatArray:
    """l2 for each weight, 0 for each bias: (n_parameters,)."""
    decay = np.zeros_like(network.parameters)
    for Wb in network.matrices_of(decay):
        Wb[:, :-1] = l2
    return decay
