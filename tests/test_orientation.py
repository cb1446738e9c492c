"""Pictures that are stored transposed are noticed, others are not."""

import numpy as np
import pytest
from conftest import MNIST, read_mnist

from digitnet.dataset import Dataset, read_data
from digitnet.orientation import transposed_remark

IMAGES, LABELS = read_mnist("train", 300)


def digits(images: np.ndarray, n: int = 300) -> Dataset:
    return Dataset(images[:n], LABELS[:n].astype(np.int64))


@pytest.mark.parametrize("n", [20, 300])
def test_transposed_digits_are_noticed(n: int) -> None:
    remark = transposed_remark(digits(IMAGES.transpose(0, 2, 1), n), transposed=False)
    assert remark is not None
    assert remark.endswith("train with data.transposed: true")


def test_digits_turned_by_mistake_are_noticed() -> None:
    remark = transposed_remark(digits(IMAGES.transpose(0, 2, 1)), transposed=True)
    assert remark is not None
    assert remark.endswith("train with data.transposed: false")


@pytest.mark.parametrize("name", ["mnist", "optdigits", "pendigits", "fonts"])
def test_upright_digits_are_not(name: str) -> None:
    assert transposed_remark(read_data(MNIST.parent / name).training, transposed=False) is None


def test_noise_few_pictures_and_other_classes_are_not() -> None:
    noise = np.random.default_rng(1).integers(0, 256, IMAGES.shape).astype(np.uint8)
    assert transposed_remark(digits(noise), transposed=False) is None
    turned = digits(IMAGES.transpose(0, 2, 1))
    assert transposed_remark(digits(turned.images, 19), transposed=False) is None
    letters = Dataset(turned.images, turned.labels, tuple("abcdefghij"))
    assert transposed_remark(letters, transposed=False) is None
