"""The gradient of a minibatch as a sum over shards: equal parts of it, computed one by one.

Shards are added pairwise, as a binary tree. A rank computes neighbouring shards and adds them, a
whole branch of the tree; the ranks add their branches. So the sum has the same bits for any number
of ranks. Batch normalisation takes its statistics from each shard by itself.
"""

from typing import NamedTuple

import numpy as np

from digitnet import arrays
from digitnet.arrays import FloatArray, Share
from digitnet.fleet.fleet import Fleet, Request
from digitnet.network.network import Network
from digitnet.network.regularisers import Regularisers
from digitnet.network.workspace import Workspace

ALIGNMENT = 16  # numbers: each rank's slice of the message fills whole cache lines


class Shard(NamedTuple):
    """A shard of a minibatch.

    number: of all shards. columns: its examples. size: how many they are, perhaps none. fraction:
    of the minibatch. weight: of its statistics in those of the minibatch; one example has none.
    """

    number: int
    columns: slice
    size: int
    fraction: np.floating
    weight: float


class Shards:
    """Computes gradients in `count` shards, a multiple of the fleet's ranks.

    parts: the slices of the gradient that each member adds. message: the vector that ranks add up
    in each step: `gradient` (n_parameters,), the batch statistics, the cost (float32 as all else),
    and what ranks ask of each other. Raises ValueError if the ranks cannot share the shards.
    """

    def __init__(
        self,
        network: Network,
        regularisers: Regularisers,
        count: int,
        fleet: Fleet,
        parts: list[list[slice]],
    ) -> None:
        if count % fleet.size:
            raise ValueError(f"expected a multiple of {fleet.size} ranks, found {count} shards")
        self.network, self.count, self.fleet = network, count, fleet
        self.own = Share(fleet.rank, fleet.size).rows(count)
        n, statistics = len(network.parameters), regularisers.found
        length = n + statistics.size + 1 + len(Request)
        length += -length % (ALIGNMENT * fleet.size)
        self.message = arrays.zeros_like(network.parameters, (length,))
        self.gradient = self.message[:n]
        self.parts = [[*parts[0], slice(n, length)], *parts[1:]]
        self.cost_at = n + statistics.size
        regularisers.found = self.message[n : self.cost_at].reshape(statistics.shape)
        own = self.own.stop - self.own.start
        # branches[level]: the sum of 2 ** level shards that waits for its neighbour
        self.branches = [arrays.zeros_like(self.message) for _ in range(own.bit_length() - 1)]

    def cut(self, n: int) -> list[Shard]:
        """Return all shards of a minibatch of n examples; their sizes differ by at most one."""
        columns = [Share(number, self.count).rows(n) for number in range(self.count)]
        sizes = [each.stop - each.start for each in columns]
        varied = sum(size for size in sizes if size > 1)
        real = self.message.dtype.type
        return [
            Shard(number, each, size, real(size / n), size / varied if size > 1 else 0.0)
            for number, (each, size) in enumerate(zip(columns, sizes))
        ]

    def backprop(
        self,
        x: FloatArray,
        y: FloatArray,
        cut: list[Shard],
        workspaces: dict[int, list[Workspace]],
        share: Share,
        scale: np.floating,
        number: int,
    ) -> float:
        """Return the summed cost of a minibatch; write its gradient, over all ranks, to `gradient`.

        x, y, scale: as for `Network.backprop`. cut: the minibatch's shards. workspaces: each
        member's, by the number of examples. share: this member's. number: of the step, counted from
        1.
        """
        member, _, wait = share
        parts = self.parts[member]
        for place, shard in enumerate(cut[self.own]):
            if shard.size:
                workspace, factor = workspaces[shard.size][member], scale * shard.fraction
                begin(workspace, number, shard.number, shard.weight)
                inputs, labels = x[:, shard.columns], y[:, shard.columns]
                cost = self.network.backprop(inputs, labels, workspace, factor)
                if member == 0:
                    self.message[self.cost_at] = cost
            else:
                for part in parts:
                    self.message[part] = 0
            self._add_branches(place, parts)
            if wait:
                wait()
        if self.fleet.size > 1:
            if member == 0:
                self.fleet.add(self.message)
            if wait:
                wait()
        largest = cut[-1]
        if largest.weight:
            end(workspaces[largest.size][member], number)
        return float(self.message[self.cost_at])

    def _add_branches(self, place: int, parts: list[slice]) -> None:
        """Add the message to the branches that it completes, in this member's parts."""
        for part in parts:
            fresh = self.message[part]
            for level, branch in enumerate(self.branches):
                if not place >> level & 1:
                    branch[part] = fresh
                    break
                np.add(branch[part], fresh, out=fresh)


def begin(workspace: Workspace, number: int, shard: int = 0, weight: float = 1.0) -> None:
    """Prepare a workspace's regularisers for a shard of the step `number`, counted from 1.

    weight: of the shard's statistics in those of the minibatch.
    """
    for regulariser in workspace.regularisers:
        regulariser.begin(number, shard, weight)


def end(workspace: Workspace, number: int) -> None:
    """Let the running statistics follow those of the step `number`."""
    for regulariser in workspace.regularisers:
        regulariser.end(number)
