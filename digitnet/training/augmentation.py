"""Augmentation: the training images of each epoch, distorted anew."""

import numpy as np
from numpy.typing import NDArray

from digitnet.arrays import FloatArray, Share
from digitnet.randomness import FLOATS_PER_COUNT, Purpose, stream_from
from digitnet.synthetic.distortions import Distorter, Distortions


class Augmentation:
    """Distorts images by random numbers that belong to their positions in the epoch.

    The numbers follow from the seed, the epoch and the position, so that any number of members, and
    a training resumed within an epoch, draw the same ones.

    members: of the crew; each needs buffers of its own.
    """

    def __init__(self, distortions: Distortions, *, members: int, seed: int) -> None:
        self._distorters = [Distorter(distortions) for _ in range(members)]
        self._draws, self._seed = distortions.draws, seed
        self._epoch, self._strength = 1, 1.0

    def begin(self, epoch: int, strength: float) -> None:
        """Prepare for an epoch. strength: share of each distortion's range in use, 0 to 1."""
        self._epoch, self._strength = epoch, strength

    def __call__(
        self, images: NDArray[np.uint8], out: FloatArray, position: int, share: Share
    ) -> None:
        """Write distorted images to `out`: from uint8 (n, 784) to float32 (n, 784), 0 to 255.

        position: of the first image in the epoch's order. share: the calling member's.
        """
        count = position * self._draws // FLOATS_PER_COUNT
        rng = stream_from(count, self._seed, Purpose.DISTORT, self._epoch)
        self._distorters[share.member](images, out, rng, self._strength)
