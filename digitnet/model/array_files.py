"""Answer the pictures in a file of arrays, which go to the network as they are."""

import sys
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from digitnet.arrays import SIDE
from digitnet.dataset.definition import ReadOptions
from digitnet.dataset.unlabelled import Images, read_images
from digitnet.image.look import Reading
from digitnet.model.prediction import Model, Prediction

PICTURES_AT_ONCE = 1000  # pictures whose answers are in memory at the same time
WHOLE = (0, 0, SIDE, SIDE)  # the box of a prepared image


def answer_array_file(
    model: Model, path: str, first: int = 0, last: int = sys.maxsize
) -> tuple[tuple[str, ...], Iterator[list[tuple[str, Prediction]]]]:
    """Return remarks on the pictures in a CSV, IDX, `.npy` or `.npz` file, and their answers.

    The answers, to the pictures `first` to `last - 1`, come in lists of (`FILE#index`, prediction),
    counted from 0. Raises what `read_images` raises.
    """
    images = read_images(path, ReadOptions(parallel=True))
    return images.remarks, _answers(model, path, images, range(len(images.images))[first:last])


def _answers(
    model: Model, path: str, images: Images, numbers: range
) -> Iterator[list[tuple[str, Prediction]]]:
    for start in range(0, len(numbers), PICTURES_AT_ONCE):
        some = numbers[start : start + PICTURES_AT_ONCE]
        predictions = _predict(model, images.images[some.start : some.stop])
        yield [(f"{path}#{index}", each) for index, each in zip(some, predictions)]


def _predict(model: Model, images: NDArray[np.uint8]) -> list[Prediction]:
    """Return a prediction for each prepared image of uint8 (n, 28, 28)."""
    p, nats, _ = model.judge(images)
    return [
        Prediction(row, model.class_names, _reading(image), evidence, model.calibration, True)
        for row, image, evidence in zip(p, images, nats.tolist())
    ]


def _reading(image: NDArray[np.uint8]) -> Reading:
    """Return the reading of a prepared image, for which nothing was decided."""
    return Reading(image, dark=False, threshold=0, box=WHOLE, stroke=0, corner=(0, 0), digits=1)
