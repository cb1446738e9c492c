"""A model of the time of a step on several machines, from figures measured on one.

A step on R machines with c cores each, one rank a machine:

    t = compute(n / R) / c + update + 2 (R - 1) α + 8 P (R - 1) / (R B) + local × 2 (R - 1) / R

with n pictures in a minibatch, P parameters, and a network's latency α and bandwidth B. `local` is
the time that the exchange takes between two ranks on one machine: copying and adding. It assumes
that c threads compute c times as fast as one.
"""

from dataclasses import dataclass

SHARD = 128  # pictures at most in a shard
CORES = 16
MACHINES = (4, 16)
MINIBATCHES = (512, 2048, 4096, 16_384)
LARGEST = 1 << 20  # pictures of a minibatch


@dataclass(frozen=True)
class Link:
    """A network between machines. latency: s, of a small message. bandwidth: bytes/s, each way."""

    name: str
    latency: float
    bandwidth: float


LINKS = (
    Link("10 GbE, TCP", 25e-6, 1.18e9),
    Link("100 Gb/s InfiniBand", 1e-6, 12e9),
)


@dataclass(frozen=True)
class Measured:
    """A network's figures on one core, in s.

    whole: of steps with 128 and 512 pictures in one piece. sharded: of steps in shards of at most
    SHARD, by the number of pictures. update: of all parameters. local: of an exchange between two
    ranks on this machine. All steps include an update.
    """

    parameters: int
    whole: dict[int, float]
    sharded: dict[int, float]
    update: float
    local: float

    def compute(self, n: int) -> float:
        """Return the seconds of backprop of n pictures, in shards."""
        known = {m: seconds - self.update for m, seconds in self.sharded.items()}
        if n in known:
            return known[n]
        if n < min(known):
            return known[min(known)]
        below = max(m for m in known if m < n)
        above = min((m for m in known if m > n), default=0)
        if not above:  # as many shards more
            above, below = below, max(m for m in known if m < below)
        slope = (known[above] - known[below]) / (above - below)
        return known[below] + slope * (n - below)

    def exchange(self, machines: int, link: Link) -> float:
        """Return the seconds of an exchange."""
        if machines == 1:
            return 0.0
        share = (machines - 1) / machines
        wire = 8 * self.parameters * share / link.bandwidth
        return 2 * (machines - 1) * link.latency + wire + self.local * 2 * share

    def step(self, n: int, machines: int, link: Link, cores: int = CORES) -> float:
        """Return the seconds of a step with n pictures; on one machine, in one piece."""
        if machines == 1:
            per_picture = (self.whole[512] - self.update) / 512
            return per_picture * n / cores + self.update
        computing = self.compute(-(-n // machines)) / cores
        return computing + self.update + self.exchange(machines, link)

    def speedup(self, n: int, machines: int, link: Link) -> float:
        return self.step(n, 1, link) / self.step(n, machines, link)

    def pays_from(self, machines: int, link: Link, speedup: float) -> int | None:
        """Return the smallest minibatch, a power of two, that is this much faster; None: none."""
        n = machines
        while n <= LARGEST and self.speedup(n, machines, link) < speedup:
            n *= 2
        return n if n <= LARGEST else None
