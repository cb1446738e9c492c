"""Gradient descent: backprop and update, minibatch by minibatch, by the members of a crew.

Several members share the neurons: each computes the gradient of its own neurons and updates their
parameters. The order of every sum is fixed, so the same number of members gives the same bits.
"""

import contextlib
import functools
import itertools
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from digitnet import arrays
from digitnet.arrays import FloatArray, Share
from digitnet.config.threads import BLAS_SPACE, require_memory
from digitnet.fleet.fleet import ALONE, Fleet
from digitnet.network.crew import Crew, make_crew
from digitnet.network.network import Network
from digitnet.network.regularisers import NO_REGULARISERS, Regularisers
from digitnet.network.threads import Refused, Task
from digitnet.network.workspace import Workspace
from digitnet.training.optimizers import Coefficients, Optimizer
from digitnet.training.shards import Shard, Shards, begin, end

PART = 262144  # parameters: longest slice updated at once, 1 MB of each vector


class Stretch(NamedTuple):
    """Steps that are made together, one for each minibatch x (785, n), y (classes, n).

    gather(share): called first, in each member, to fill its share of the minibatches. rates: the
    learning-rate schedule's factor for each step; None if all are 1. number: of the first step,
    counted from 1 over the whole training.
    """

    minibatches: Sequence[tuple[FloatArray, FloatArray]]
    gather: Callable[[Share], None] | None = None
    rates: Sequence[float] | None = None
    number: int = 1


class Descent:
    """Gradient descent on a network, in arrays that are allocated once.

    frozen: how many layers, counted from the first, keep their parameters. shards, fleet: parts of
    a minibatch, and the ranks that share them. ahead: True if a second process gathers the next
    minibatches while this one makes the steps.
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
        ahead: bool = False,
    ) -> None:
        self.network, self.optimizer, self.regularisers = network, optimizer, regularisers
        members = min(threads, max(network.layer_sizes[1:-1], default=1))
        self.ahead = ahead
        self.crew = make_crew(members, processes=arrays.is_shared(network.parameters))
        shares = self.crew.shares
        self.parts = [_parts(network, share, frozen) for share in shares]
        self.shards = None
        if shards > 1 or fleet.size > 1:
            self.shards = Shards(network, regularisers, shards, fleet, self.parts)
        self.gradient = (
            self.shards.gradient if self.shards else arrays.zeros_like(network.parameters)
        )
        needs_scratch = optimizer.l2 is not None
        self.scratch = [
            arrays.empty((PART,), self.gradient.dtype) if needs_scratch else None for _ in shares
        ]
        self.workspaces: dict[int, list[Workspace]] = {}  # by the number of examples
        self.cuts: dict[int, list[Shard]] = {}

    def walk(
        self, stretches: Iterable[Stretch], sizes: Iterable[int]
    ) -> Generator[list[float], None, None]:
        """Make the steps of each stretch; yield the costs, summed over each minibatch.

        stretches: with a crew of processes, each member iterates over a copy of them, and their
        minibatches are shared arrays. sizes: the numbers of examples that a minibatch can have.
        Raises TrainingError if the system does not start the crew, or a member ends.
        """
        for n in sizes:
            self._prepare(n)
        stretches, costs = iter(stretches), list[float]()
        if self.ahead:
            tasks = self._tasks_ahead(costs, stretches)
            with contextlib.suppress(Refused):  # without a second process, this one gathers
                yield from self._run(make_crew(2, processes=True), tasks, costs)
        yield from self._run(self.crew, self._tasks(costs, stretches), costs)

    def _run(
        self, crew: Crew, tasks: Iterator[Task], costs: list[float]
    ) -> Generator[list[float], None, None]:
        """Run the tasks in a crew; yield the costs that each task has left."""
        with contextlib.closing(crew.run(tasks)) as run:
            for _ in run:
                yield costs

    def _tasks(self, costs: list[float], stretches: Iterable[Stretch]) -> Iterator[Task]:
        """Yield tasks in which all members gather a stretch and make its steps."""
        for stretch in stretches:
            yield functools.partial(self._learn, costs, stretch)

    def _tasks_ahead(self, costs: list[float], stretches: Iterable[Stretch]) -> Iterator[Task]:
        """Yield tasks in which member 0 makes a stretch's steps while member 1 gathers the next."""
        nothing = Stretch([])
        for now, then in itertools.pairwise(itertools.chain([nothing], stretches, [nothing])):
            yield functools.partial(self._learn_or_gather, costs, now, then)

    def _learn_or_gather(
        self, costs: list[float], now: Stretch, then: Stretch, share: Share
    ) -> None:
        if share.member == 0:
            self._learn(costs, now._replace(gather=None), arrays.ALONE)
        elif then.gather:
            then.gather(arrays.ALONE)

    def _learn(self, costs: list[float], stretch: Stretch, share: Share) -> None:
        """Make a member's share of the steps; the first member replaces the costs."""
        minibatches, gather, rates, number = stretch
        if gather:
            gather(share)
        if share.barrier:
            share.barrier()
        if share.member == 0:
            costs.clear()
        with np.errstate(over="ignore", invalid="ignore"):  # the caller checks the costs
            for i, (x, y) in enumerate(minibatches):
                rate = rates[i] if rates else 1
                coefficients = self.optimizer.coefficients(rate, number + i)
                cost = self._step(share, x, y, coefficients, number + i)
                if share.member == 0:
                    costs.append(cost)

    def _step(
        self, share: Share, x: FloatArray, y: FloatArray, coefficients: Coefficients, number: int
    ) -> float:
        """Make a member's share of a step; return the summed cost.

        When `backprop` returns, no member reads this member's parameters any more in this step.
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
        """Make all that the members need for minibatches of n examples."""
        if self.shards and n not in self.cuts:
            self.cuts[n] = self.shards.cut(n)
            for size in {shard.size for shard in self.cuts[n]} - {0}:
                self._workspaces(size)
        elif not self.shards:
            self._workspaces(n)

    def _workspaces(self, n: int) -> list[Workspace]:
        """Return each member's workspace for a minibatch of n examples."""
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
    """Return the slices of the flat vector that a member updates, each at most PART long."""
    if share.members == 1:
        first = sum(Wb.size for Wb in network.matrices[:frozen])
        return _cut(first, len(network.parameters))
    parts, start = [], 0
    for l, (n_in, n_out) in enumerate(itertools.pairwise(network.layer_sizes)):
        rows, width = share.rows(n_out), n_in + 1
        if l >= frozen:
            parts += _cut(start + rows.start * width, start + rows.stop * width)
        start += n_out * width
    return parts


def _cut(first: int, last: int) -> list[slice]:
    return [slice(start, min(start + PART, last)) for start in range(first, last, PART)]
