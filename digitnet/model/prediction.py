"""Pictures in, answers out."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, overload

import numpy as np
from numpy.typing import NDArray

from digitnet.arrays import SIDE
from digitnet.dataset.classes import DIGITS, MAX_DIGITS, as_answer
from digitnet.errors import CheckpointError, ImageError, listed
from digitnet.image.evidence import Judged
from digitnet.image.files import Picture, name_of, open_picture
from digitnet.image.look import Reading
from digitnet.image.reading import first_look, look_closer, read
from digitnet.image.workers import Named, Workers, as_it_is
from digitnet.model.calibration import NO_CALIBRATION, Calibration, evidence, probabilities
from digitnet.model.checkpoint import find_model, load_checkpoint
from digitnet.network.network import Network

if TYPE_CHECKING:
    from PIL.Image import Image

    from digitnet.model.numbers import Numbers

# Pictures that go through the network together, always: a product's bits depend on how many, and
# from 32 on, OpenBLAS's kernels for AVX2 do not sum all columns in the same order.
BLOCK = 16

Pictures = list[Picture] | tuple[Picture, ...]


@dataclass(frozen=True, eq=False, repr=False)
class Prediction:
    """What a network makes of one picture.

    probabilities: (classes,), sum 1, in the order of `class_names`. reading: what it saw, and how
    that was found in the picture. evidence: in nats, from 0; see `calibration.evidence`.
    calibration: how much of both a digit has.
    """

    probabilities: NDArray[np.float64]
    class_names: tuple[str, ...]
    reading: Reading
    evidence: float
    calibration: Calibration = NO_CALIBRATION

    @property
    def digit(self) -> int | str | None:
        """The likeliest class: a number where its name is one. None where there is no digit."""
        return self.top(1)[0][0] if self.is_digit else None

    @property
    def is_digit(self) -> bool:
        """Return whether confidence and evidence meet the thresholds and one digit was found.

        Where evidence has a threshold, the reading's prior counts against it. Without thresholds,
        everything is a digit.
        """
        _, min_confidence, min_evidence = self.calibration
        if not (min_confidence or min_evidence):
            return True
        evident = self.evidence - (self.reading.prior if min_evidence else 0)
        is_sure = self.confidence >= min_confidence and evident >= min_evidence
        return is_sure and self.reading.digits == 1

    @property
    def confidence(self) -> float:
        """The probability of the likeliest class: how often, of answers so sure, it is right."""
        return float(np.maximum.reduce(self.probabilities))

    def __repr__(self) -> str:
        return f"Prediction(digit={self.digit!r}, confidence={self.confidence:.4f})"

    def top(self, k: int) -> list[tuple[int | str, float]]:
        """The k likeliest classes with their probabilities, likeliest first."""
        best = [int(self.probabilities.argmax())]  # quicker than to sort them
        order = best if k == 1 else np.argsort(-self.probabilities, kind="stable")[:k].tolist()
        return [(as_answer(self.class_names[i]), float(self.probabilities[i])) for i in order]


@dataclass(frozen=True, eq=False)
class Model:
    """A trained network that reads pictures; `path` is the file it came from.

    calibration: the temperature of its probabilities, and what is none of its classes.
    """

    network: Network
    class_names: tuple[str, ...]
    path: str
    calibration: Calibration = NO_CALIBRATION

    @overload
    def predict(self, pictures: Picture) -> Prediction: ...
    @overload
    def predict(self, pictures: Pictures) -> list[Prediction]: ...
    def predict(self, pictures: Picture | Pictures) -> Prediction | list[Prediction]:
        """Read a picture (a path, a file's bytes, a Pillow image or an array), or a list of them.

        Raises ImageError for one that cannot be read.
        """
        if isinstance(pictures, list | tuple):
            return self._read([read(picture, score=self.judge) for picture in pictures])
        return self._read([read(pictures, score=self.judge)])[0]

    def read_numbers(self, picture: Picture, digits: int | None = None) -> "Numbers":
        """Read all numbers in a picture, in reading order, or the one that has so many digits.

        Raises ImageError for a picture that cannot be read or shows no ink, and CheckpointError
        for a model of other classes than the ten digits; ValueError for digits below 1.
        """
        name = name_of(picture)
        return self._numbers_reader(digits)(open_picture(picture, name), name)

    def number_answers(
        self, batches: Iterable[Sequence[Named]], digits: int | None, processes: int = 1
    ) -> Iterator[list[tuple[str, "Numbers | ImageError"]]]:
        """Read the numbers of named pictures in order, as `answers` and `read_numbers` do."""
        workers = Workers(processes, (self._numbers_reader(digits), as_it_is))
        try:
            for batch in batches:
                yield from workers.prepare(batch)
        finally:
            workers.close()

    def _numbers_reader(self, digits: int | None) -> "Callable[[Image, str], Numbers]":
        """Return what reads the numbers in a decoded picture, by its name."""
        from digitnet.image.numbers import find_numbers  # rarely needed
        from digitnet.model.numbers import as_numbers

        if digits is not None and not (type(digits) is int and 1 <= digits <= MAX_DIGITS):
            raise ValueError(f"digits: expected 1 to {MAX_DIGITS} or None, found {digits!r:.40}")
        if self.class_names != DIGITS:
            found = listed(self.class_names)
            raise CheckpointError(
                f"{self.path}: expected the classes 0 to 9 to read numbers, found {found}"
            )
        return lambda image, name: as_numbers(find_numbers(image, name, self.judge, digits), digits)

    def judge(self, images: NDArray[np.uint8]) -> Judged:
        """Return what the network makes of prepared pictures, uint8 (n, 28, 28).

        Probabilities (n, classes), evidence (n,) in nats, and whether each meets the thresholds.
        """
        shares, nats = self._outputs(images)
        _, min_confidence, min_evidence = self.calibration
        return shares, nats, (shares.max(axis=1) >= min_confidence) & (nats >= min_evidence)

    def answers(
        self, batches: Iterable[Sequence[Named]], processes: int = 1
    ) -> Iterator[list[tuple[str, Prediction | ImageError]]]:
        """Read named pictures in order; an error is an answer and does not stop the rest.

        What is there already comes as one batch, and some answers at a time, each as soon as it is
        ready: no batch is asked for while a picture of the one before has no answer. With more than
        one of `processes`, others are forked to prepare large batches.
        """
        workers = Workers(processes, (first_look, partial(look_closer, score=self.judge)))
        try:
            for batch in batches:
                for portion in workers.prepare(batch):
                    sound = [one for _, one in portion if not isinstance(one, ImageError)]
                    predictions = iter(self._read(sound))
                    yield [
                        (name, one if isinstance(one, ImageError) else next(predictions))
                        for name, one in portion
                    ]
        finally:
            workers.close()

    def _read(self, readings: Sequence[Reading]) -> list[Prediction]:
        """What the network makes of each, whatever others are read beside it."""
        images = np.zeros((len(readings), SIDE, SIDE), np.uint8)
        for room, reading in zip(images, readings):
            room[:] = reading.image
        shares, nats = self._outputs(images)
        return [
            Prediction(row, self.class_names, reading, one, self.calibration)
            for row, reading, one in zip(shares, readings, nats.tolist())
        ]

    def _outputs(
        self, images: NDArray[np.uint8]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return probabilities (n, classes) and evidence (n,) of images (n, 28, 28)."""
        n = len(images)
        padded = np.zeros((-(-n // BLOCK) * BLOCK, SIDE, SIDE), np.uint8)
        padded[:n] = images
        with np.errstate(over="ignore", invalid="ignore"):  # of weights beyond all measure
            outputs = self.network(padded, together=BLOCK)[:n]
            return probabilities(outputs, self.calibration.temperature), evidence(outputs)


def load(path: str | os.PathLike[str] | None = None) -> Model:
    """The model in a file; without a path, $DIGITNET_MODEL, ./model.npz or the one that ships.

    Raises CheckpointError for a file that is no sound model.
    """
    path = find_model(None if path is None else os.fspath(path))
    checkpoint = load_checkpoint(path)
    return Model(checkpoint.network, checkpoint.class_names, path, checkpoint.calibration)
