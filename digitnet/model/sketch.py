"""Sketches of long vectors: signed sums that keep lengths and angles, and take little room.

A count sketch, after Charikar, Chen and Farach-Colton 2002, with fixed places: number i of a vector
is added to sum i mod 1,024, or subtracted from it, as a random sign says. The sketch of a sum is
the sum of the sketches; products of sketches estimate products of vectors, without a bias.
"""

import numpy as np
from numpy.typing import NDArray

from digitnet.arrays import FloatArray
from digitnet.randomness import Purpose, philox_key, stream_at

SUMS = 1024  # numbers in a sketch
PART = 256 * SUMS  # numbers of the vector summed at once: 1 MB of float32


def sketch(vector: FloatArray, seed: int) -> NDArray[np.float32]:
    """Return the sketch (1024,) of a vector; its signs follow from the seed."""
    rng = stream_at(philox_key(seed, Purpose.SKETCH))
    sums = np.zeros(SUMS)
    part = np.zeros(min(PART, -(-len(vector) // SUMS) * SUMS), np.float32)
    for start in range(0, len(vector), PART):
        numbers = vector[start : start + PART]
        bits = np.frombuffer(rng.bytes(len(part) // 8), np.uint8)
        part[: len(numbers)] = numbers
        part[len(numbers) :] = 0
        np.negative(part, out=part, where=np.unpackbits(bits).view(np.bool_))
        sums += part.reshape(-1, SUMS).sum(axis=0, dtype=np.float64)
    return sums.astype(np.float32)
