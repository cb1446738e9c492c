"""Augmentation: which random numbers distort which image."""

import numpy as np
import pytest
from conftest import read_mnist

from digitnet.arrays import Share
from digitnet.synthetic.distortions import Distortions
from digitnet.training.augmentation import Augmentation

IMAGES = read_mnist("train", 90)[0].reshape(90, 784)
ELASTIC = Distortions(rotation=10, shift=1, elastic=30)


def distort(cuts: list[int], epoch: int = 1, strength: float = 1, seed: int = 1) -> np.ndarray:
    """Return IMAGES distorted in pieces, each in another thread's buffers."""
    augmentation = Augmentation(ELASTIC, members=len(cuts) + 1, seed=seed)
    augmentation.begin(epoch, strength)
    out = np.empty((len(IMAGES), 784), np.float32)
    for member, (start, end) in enumerate(zip([0, *cuts], [*cuts, len(IMAGES)])):
        share = Share(member, len(cuts) + 1)
        augmentation(IMAGES[start:end], out[start:end], start, share)
    return out


@pytest.mark.parametrize("cuts", [[1], [45], [64], [10, 20, 89]])
def test_distortions_depend_on_neither_threads_nor_pieces(cuts: list[int]) -> None:
    np.testing.assert_array_equal(distort(cuts), distort([]))


def test_another_epoch_or_seed_distorts_differently() -> None:
    once = distort([])
    assert (once != distort([], epoch=2)).any(axis=1).all()
    assert (once != distort([], seed=2)).any(axis=1).all()


def test_with_strength_0_the_images_are_unchanged() -> None:
    np.testing.assert_allclose(distort([], strength=0), IMAGES, atol=1e-3)
