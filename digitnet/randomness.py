"""One seed, many independent streams: what is drawn for one purpose never shifts another."""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class Purpose(IntEnum):
    """What a stream is drawn for. The numbers are part of what a seed means: never reuse one."""

    SPLIT = 0
    INITIALISE = 1
    SHUFFLE = 2
    DISTORT = 3
    DROPOUT = 4
    BACKGROUND = 5
    DRAWN = 6


def generator(seed: int, purpose: Purpose, *numbers: int) -> np.random.Generator:
    """The generator of a seed for a purpose, and for an epoch of it where `numbers` says so.

    An epoch's order is a function of the seed and the epoch alone, so a training that resumes in
    its middle draws it again and needs no saved generator.
    """
    sequence = np.random.SeedSequence(seed, spawn_key=(purpose, *numbers))
    return np.random.default_rng(sequence)


NUMBERS = 8  # float32 that one count of `stream_from` gives


def stream_from(count: int, seed: int, purpose: Purpose, *numbers: int) -> np.random.Generator:
    """A stream that can be begun anywhere: after the first `count` × NUMBERS float32 of it."""
    return stream_at(philox_key(seed, purpose, *numbers), count=count)


def stream_at(
    key: NDArray[np.uint64], number: int = 0, member: int = 0, count: int = 0
) -> np.random.Generator:
    """One of the streams of a key, after the first `count` × NUMBERS float32 of it."""
    return np.random.Generator(np.random.Philox(key=key, counter=[count, member, number, 0]))


def philox_key(seed: int, purpose: Purpose, *numbers: int) -> NDArray[np.uint64]:
    """What tells a stream of the Philox generator from all others."""
    sequence = np.random.SeedSequence(seed, spawn_key=(purpose, *numbers))
    return sequence.generate_state(2, np.uint64).astype(np.uint64)
