"""One seed, many independent streams: what is drawn for one purpose never shifts another."""

from enum import IntEnum

import numpy as np


class Purpose(IntEnum):
    """What a stream is drawn for. The numbers are part of what a seed means: never reuse one."""

    SPLIT = 0
    INITIALISE = 1
    SHUFFLE = 2


def generator(seed: int, purpose: Purpose, *numbers: int) -> np.random.Generator:
    """The generator of a seed for a purpose, and for an epoch of it where `numbers` says so.

    An epoch's order is a function of the seed and the epoch alone, so a training that resumes in
    its middle draws it again and needs no saved generator.
    """
    key = (purpose, *numbers)
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))
