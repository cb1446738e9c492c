"""Test that transposed pictures are detected, and no others."""

import numpy as np
import pytest
from conftest import MNIST, read_mnist

from digitnet.dataset.definition import Dataset
from digitnet.dataset.reader import read_data
from digitnet.model import checkpoint
from digitnet.model.orientation import transposition

IMAGES, LABELS = read_mnist("train", 300)
TRANSPOSED = IMAGES.transpose(0, 2, 1)


def digits(images: np.ndarray, n: int = 300) -> Dataset:
    return Dataset(images[:n], LABELS[:n].astype(np.int64))


@pytest.mark.parametrize("n", [20, 300])
def test_transposed_digits_are_detected(n: int) -> None:
    problem = transposition(digits(TRANSPOSED, n))
    assert problem is not None
    assert problem.startswith("expected upright digits, found ")


@pytest.mark.parametrize("name", ["mnist", "optdigits", "pendigits", "fonts"])
def test_upright_digits_are_not_reported(name: str) -> None:
    assert transposition(read_data(MNIST.parent / name).training) is None


def test_noise_few_pictures_and_other_classes_are_not_reported() -> None:
    noise = np.random.default_rng(1).integers(0, 256, IMAGES.shape).astype(np.uint8)
    assert transposition(digits(noise)) is None
    assert transposition(digits(TRANSPOSED, 19)) is None
    letters = Dataset(TRANSPOSED, LABELS.astype(np.int64), tuple("abcdefghij"))
    assert transposition(letters) is None


def test_nothing_is_reported_if_the_shipped_model_is_outdated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(checkpoint, "PREPARATION", "another")
    assert transposition(digits(TRANSPOSED)) is None
