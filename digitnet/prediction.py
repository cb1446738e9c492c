"""Pictures in, answers out."""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import NDArray

from digitnet.activations import FloatArray
from digitnet.checkpoint import find_model, load_checkpoint
from digitnet.errors import ImageError
from digitnet.image import Picture, prepare
from digitnet.network import Network

Pictures = list[Picture] | tuple[Picture, ...]


@dataclass(frozen=True, eq=False, repr=False)
class Prediction:
    """What a network makes of one picture.

    probabilities: (classes,), sum 1, in the order of `class_names`.
    """

    probabilities: FloatArray
    class_names: tuple[str, ...]

    @property
    def digit(self) -> int | str:
        """The likeliest class: a number where its name is one."""
        return self.top(1)[0][0]

    @property
    def confidence(self) -> float:
        """The probability of the likeliest class."""
        return self.top(1)[0][1]

    def is_sure(self, least: float) -> bool:
        """Whether the confidence is at least so high."""
        return self.confidence >= least

    def __repr__(self) -> str:
        return f"Prediction(digit={self.digit!r}, confidence={self.confidence:.4f})"

    def top(self, k: int) -> list[tuple[int | str, float]]:
        """The k likeliest classes with their probabilities, likeliest first."""
        order = np.argsort(-self.probabilities, kind="stable")[:k]
        return [(as_answer(self.class_names[i]), float(self.probabilities[i])) for i in order]


@dataclass(frozen=True, eq=False)
class Model:
    """A trained network that reads pictures; `path` is the file it came from."""

    network: Network
    class_names: tuple[str, ...]
    path: str

    @overload
    def predict(self, pictures: Picture) -> Prediction: ...
    @overload
    def predict(self, pictures: Pictures) -> list[Prediction]: ...
    def predict(self, pictures: Picture | Pictures) -> Prediction | list[Prediction]:
        """Read a picture (a path, a file's bytes, a Pillow image or an array), or a list of them.

        Raises ImageError for one that cannot be read.
        """
        if isinstance(pictures, list | tuple):
            return [self._read(prepare(picture)) for picture in pictures]
        return self._read(prepare(pictures))

    def answers(
        self, pictures: Iterable[tuple[str, Picture]]
    ) -> Iterator[tuple[str, Prediction | ImageError]]:
        """Read named pictures one by one; an error is an answer and does not stop the rest."""
        for name, picture in pictures:
            try:
                yield name, self._read(prepare(picture, name))
            except ImageError as error:
                yield name, error

    def _read(self, image: NDArray[np.uint8]) -> Prediction:
        with np.errstate(over="ignore", invalid="ignore"):  # of weights beyond all measure
            return Prediction(probabilities(self.network(image[None]))[0], self.class_names)


def load(path: str | os.PathLike[str] | None = None) -> Model:
    """The model in a file; without a path, $DIGITNET_MODEL or ./model.npz.

    Raises CheckpointError for a file that is no sound model.
    """
    path = find_model(None if path is None else os.fspath(path))
    checkpoint = load_checkpoint(path)
    return Model(checkpoint.network, checkpoint.class_names, path)


def probabilities(outputs: FloatArray) -> FloatArray:
    """Activations of the last layer, (n, classes), divided by their sum where it is not 1 already.

    Where all of them have vanished, every class is as likely as another.
    """
    totals: NDArray[np.floating] = outputs.sum(axis=1, keepdims=True)
    even = np.full_like(outputs, 1 / outputs.shape[1])
    shares: FloatArray = np.divide(outputs, totals, out=even, where=totals > 0)
    return shares


def as_answer(class_name: str) -> int | str:
    """A class's name as an answer: 7 where it is a decimal number, else as it is."""
    return int(class_name) if re.fullmatch("[0-9]{1,18}", class_name) else class_name
