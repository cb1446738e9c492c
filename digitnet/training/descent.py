"""One step downhill: the gradient of a minibatch and the update, by one thread or by several.

Several threads share the examples of the minibatch, each finds the gradient of its share, and the
gradients are added up; then they share the parameters. The order of every sum is fixed, so the
same number of threads gives the same bits.
"""

from itertools import pairwise

import numpy as np

from digitnet.activations import FloatArray
from digitnet.crew import Crew
from digitnet.network import Backward, Network
from digitnet.optimizers import SGD

PART = 262144  # parameters that are updated together, at most: 1 MB of each vector


class Descent:
    """Steps downhill, in buffers that are made once. l2 × w is added to each weight's gradient."""

    def __init__(
        self, network: Network, optimizer: SGD, *, l2: float = 0, threads: int = 1
    ) -> None:
        self.network, self.optimizer = network, optimizer
        self.decay = self._decay(l2) if l2 else None
        self.gradients = [np.empty_like(network.parameters) for _ in range(threads)]
        self.penalties = [np.empty(PART, network.parameters.dtype) for _ in range(threads)]
        self.parts = _parts(len(network.parameters), threads)
        self.rooms: dict[int, list[Backward]] = {}
        self.crew = Crew(threads)

    def step(self, x: FloatArray, y: FloatArray) -> float:
        """Learn from a minibatch x (784, n), y (classes, n): its cost, summed over the examples."""
        n = x.shape[1]
        rooms = self.rooms.get(n) or self._rooms(n)
        if len(rooms) == 1:
            cost = self.network.backprop(x, y, rooms[0])
            self._update(rooms, self.parts, self.penalties[0])
            return cost
        costs = [0.0] * len(rooms)

        def learn(member: int) -> None:
            if member < len(rooms):
                room, first = rooms[member], sum(room.forward.n for room in rooms[:member])
                share = slice(first, first + room.forward.n)
                with np.errstate(over="ignore", invalid="ignore"):
                    costs[member] = self.network.backprop(x[:, share], y[:, share], room, n)

        def update(member: int) -> None:
            with np.errstate(over="ignore", invalid="ignore"):
                parts = self.parts[member :: self.crew.size]
                self._update(rooms, parts, self.penalties[member])

        self.crew(learn)
        self.crew(update)
        return sum(costs)

    def close(self) -> None:
        """Let the threads go."""
        self.crew.close()

    def _update(self, rooms: list[Backward], parts: list[slice], penalty: FloatArray) -> None:
        for part in parts:
            gradient = rooms[0].gradient[part]
            for room in rooms[1:]:
                gradient += room.gradient[part]
            if self.decay is not None:
                decay, parameters = self.decay[part], self.network.parameters[part]
                gradient += np.multiply(decay, parameters, out=penalty[: len(gradient)])
            self.optimizer.step(gradient, part)

    def _rooms(self, n: int) -> list[Backward]:
        """Room for each thread's share of a minibatch of n."""
        shares = min(len(self.gradients), n)
        sizes = [(n + share) // shares for share in range(shares)]
        rooms = [self.network.backward(*pair) for pair in zip(sizes, self.gradients)]
        self.rooms[n] = rooms
        return rooms

    def _decay(self, l2: float) -> FloatArray:
        decay = np.zeros_like(self.network.parameters)
        for W in self.network.views(decay)[0]:
            W[:] = l2
        return decay


def _parts(n: int, threads: int) -> list[slice]:
    """Slices of n parameters, as many for each thread, of at most PART."""
    count = -(-n // (PART * threads)) * threads
    bounds = [n * part // count for part in range(count + 1)]
    return [slice(first, last) for first, last in pairwise(bounds)]
