"""The networks that ranks.py measures, by their number of parameters."""

from dataclasses import dataclass
from itertools import pairwise

from workloads import WORKLOADS, Workload


@dataclass(frozen=True)
class Net:
    """examples: of an epoch, a multiple of all minibatches."""

    layer_sizes: tuple[int, ...]
    examples: int = 0

    @property
    def parameters(self) -> int:
        return sum((n_in + 1) * n_out for n_in, n_out in pairwise(self.layer_sizes))

    @property
    def title(self) -> str:
        return "-".join(map(str, self.layer_sizes))

    def workload(self, minibatch: int) -> Workload:
        return Workload(self.title, self.layer_sizes, False, minibatch, 0.02, 0.9, self.examples)


NETWORKS = {
    "13k": Net((784, 16, 16, 10)),
    "355k": Net((784, 400, 100, 10), 24_576),
    "1.29M": Net((784, 1000, 500, 10), 12_288),
    "12M": Net(WORKLOADS["deep"].layer_sizes),
}
TRAINED = ("355k", "1.29M")
MINIBATCHES = {128: 2, 512: 4, 2048: 16}  # and their shards, of at most 128 pictures
SHARDS = (1, 2, 4, 8)
# Steps of one thread that are measured: network, pictures, shards.
STEPS = [(name, n, 1) for name in NETWORKS for n in (32, 64)]
STEPS += [(name, n, shards) for name in TRAINED for n in (128, 512) for shards in SHARDS]
