"""Independent random streams from one seed: drawing from one stream never shifts another."""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class Purpose(IntEnum):
    """The purpose of a random stream. A seed's meaning depends on the numbers: never reuse one."""

    SPLIT = 0
    INITIALISE = 1
    SHUFFLE = 2
    DISTORT = 3
    DROPOUT = 4
    BACKGROUND = 5
    DRAWN = 6
    REHEARSAL = 7
    SKETCH = 8
    SAMPLE = 9


def generator(seed: int, purpose: Purpose, *keys: int) -> np.random.Generator:
    """Return the generator for a seed, a purpose and further keys, such as the epoch.

    An epoch's random numbers depend on the seed and the epoch alone, so a resumed training draws
    them again and checkpoints need not store a generator.
    """
    sequence = np.random.SeedSequence(seed, spawn_key=(purpose, *keys))
    return np.random.default_rng(sequence)


FLOATS_PER_COUNT = 8  # float32: drawn per increment of the Philox counter


def stream_from(count: int, seed: int, purpose: Purpose, *keys: int) -> np.random.Generator:
    """Return a Philox generator that skips its first `count` × FLOATS_PER_COUNT float32."""
    return stream_at(philox_key(seed, purpose, *keys), count=count)


def stream_at(
    key: NDArray[np.uint64], number: int = 0, member: int = 0, count: int = 0, shard: int = 0
) -> np.random.Generator:
    """Return stream (number, member, shard) of a key, `count` × FLOATS_PER_COUNT float32 in."""
    return np.random.Generator(np.random.Philox(key=key, counter=[count, member, number, shard]))


def philox_key(seed: int, purpose: Purpose, *keys: int) -> NDArray[np.uint64]:
    """Return the key, uint64 (2,), of the Philox streams for a seed, a purpose and further keys."""
    sequence = np.random.SeedSequence(seed, spawn_key=(purpose, *keys))
    return sequence.generate_state(2, np.uint64).astype(np.uint64)
