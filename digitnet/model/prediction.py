"""Predict: read the digit, or all numbers, in pictures with a trained model."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, overload

import numpy as np
from numpy.typing import NDArray

from digitnet.arrays import SIDE
from digitnet.dataset.classes import DIGITS, MAX_DIGITS, as_answer
from digitnet.errors import CheckpointError, ImageError, join_names
from digitnet.image.evidence import Judgement
from digitnet.image.files import Picture, name_of, open_picture
from digitnet.image.look import Reading
from digitnet.image.reading import first_look, look_closer, read
from digitnet.image.workers import NamedPicture, Workers, identity
from digitnet.model.calibration import NO_CALIBRATION, Calibration, evidence, probabilities
from digitnet.model.checkpoint import find_model, load_checkpoint
from digitnet.network.network import Network

if TYPE_CHECKING:
    from PIL.Image import Image

    from digitnet.model.numbers import Numbers

# pictures per feedforward, always the same number: the bits of a matrix product depend on its
# width, and from 32 columns OpenBLAS's AVX2 kernels do not sum all columns in the same order.
FORWARD_BLOCK = 16

Pictures = list[Picture] | tuple[Picture, ...]


@dataclass(frozen=True, eq=False, repr=False)
class Prediction:
    """A model's answer to one picture.

    probabilities: (classes,), sum 1, in the order of `class_names`. reading: the network's input,
    and how it was found in the picture. evidence: nats, from 0; see `calibration.evidence`.
    calibration: the thresholds that confidence and evidence have to reach.
    """

    probabilities: NDArray[np.float64]
    class_names: tuple[str, ...]
    reading: Reading
    evidence: float
    calibration: Calibration = NO_CALIBRATION

    @property
    def digit(self) -> int | str | None:
        """The likeliest class: an integer if its name is one. None if `is_digit` is False."""
        return self.top(1)[0][0] if self.is_digit else None

    @property
    def is_digit(self) -> bool:
        """True if both thresholds are reached and exactly one digit was found.

        If evidence has a threshold, the reading's prior is subtracted from evidence first. Without
        thresholds, the result is True for every picture.
        """
        _, min_confidence, min_evidence = self.calibration
        if not (min_confidence or min_evidence):
            return True
        evidence_left = self.evidence - (self.reading.prior if min_evidence else 0)
        is_sure = self.confidence >= min_confidence and evidence_left >= min_evidence
        return is_sure and self.reading.digits == 1

    @property
    def confidence(self) -> float:
        """The probability of the likeliest class: the expected share of right answers."""
        return float(np.maximum.reduce(self.probabilities))

    def __repr__(self) -> str:
        return f"Prediction(digit={self.digit!r}, confidence={self.confidence:.4f})"

    def top(self, k: int) -> list[tuple[int | str, float]]:
        """Return the k likeliest classes with their probabilities, likeliest first."""
        best = [int(self.probabilities.argmax())]  # faster than sorting
        order = best if k == 1 else np.argsort(-self.probabilities, kind="stable")[:k].tolist()
        return [(as_answer(self.class_names[i]), float(self.probabilities[i])) for i in order]


@dataclass(frozen=True, eq=False)
class Model:
    """A trained network that reads pictures; `path` is the file it came from.

    calibration: the temperature of its probabilities, and the thresholds for `?`.
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
        """Return the prediction for a picture; for a list of pictures, a list of predictions.

        A picture is a path, a file's bytes, a Pillow image or an array. Raises ImageError if a
        picture cannot be read.
        """
        if isinstance(pictures, list | tuple):
            return self._read([read(picture, score=self.judge) for picture in pictures])
        return self._read([read(pictures, score=self.judge)])[0]

    def read_numbers(self, picture: Picture, digits: int | None = None) -> "Numbers":
        """Return all numbers in a picture, in reading order; with `digits`, one number of N digits.

        Raises ImageError for a picture that cannot be read or shows no ink, CheckpointError if the
        model's classes are not 0 to 9, and ValueError for `digits` outside 1 to MAX_DIGITS.
        """
        name = name_of(picture)
        return self._numbers_reader(digits)(open_picture(picture, name), name)

    def number_answers(
        self, batches: Iterable[Sequence[NamedPicture]], digits: int | None, processes: int = 1
    ) -> Iterator[list[tuple[str, "Numbers | ImageError"]]]:
        """Yield the numbers in named pictures, in order, as lists like those of `answers`."""
        workers = Workers(processes, (self._numbers_reader(digits), identity))
        try:
            for batch in batches:
                yield from workers.prepare(batch)
        finally:
            workers.close()

    def _numbers_reader(self, digits: int | None) -> "Callable[[Image, str], Numbers]":
        """Return the function that reads the numbers in a decoded, named picture."""
        from digitnet.image.numbers import find_numbers  # slow to import, rarely needed
        from digitnet.model.numbers import as_numbers

        if digits is not None and not (type(digits) is int and 1 <= digits <= MAX_DIGITS):
            raise ValueError(f"digits: expected 1 to {MAX_DIGITS} or None, found {digits!r:.40}")
        if self.class_names != DIGITS:
            found = join_names(self.class_names)
            raise CheckpointError(
                f"{self.path}: expected the classes 0 to 9 to read numbers, found {found}"
            )
        return lambda image, name: as_numbers(find_numbers(image, name, self.judge, digits), digits)

    def judge(self, images: NDArray[np.uint8]) -> Judgement:
        """Return probabilities, evidence, and True where both thresholds are reached.

        images: prepared pictures, uint8 (n, 28, 28). The results are (n, classes), (n,) in nats,
        and bool (n,).
        """
        p, nats = self._outputs(images)
        _, min_confidence, min_evidence = self.calibration
        return p, nats, (p.max(axis=1) >= min_confidence) & (nats >= min_evidence)

    def answers(
        self, batches: Iterable[Sequence[NamedPicture]], processes: int = 1
    ) -> Iterator[list[tuple[str, Prediction | ImageError]]]:
        """Yield the answers to named pictures in order, as lists of (name, answer).

        A picture that cannot be read gives an ImageError as its answer; the other pictures are
        still answered. Each list is yielded as soon as it is ready. The next batch is requested
        only after all pictures of the last batch are answered. If `processes` is above 1, large
        batches are prepared in forked processes.
        """
        workers = Workers(processes, (first_look, partial(look_closer, score=self.judge)))
        try:
            for batch in batches:
                for portion in workers.prepare(batch):
                    readings = [item for _, item in portion if not isinstance(item, ImageError)]
                    predictions = iter(self._read(readings))
                    yield [
                        (name, item if isinstance(item, ImageError) else next(predictions))
                        for name, item in portion
                    ]
        finally:
            workers.close()

    def _read(self, readings: Sequence[Reading]) -> list[Prediction]:
        """Return a prediction per reading; none depends on the other readings, to the last bit."""
        images = np.zeros((len(readings), SIDE, SIDE), np.uint8)
        for image, reading in zip(images, readings):
            image[:] = reading.image
        p, nats = self._outputs(images)
        return [
            Prediction(row, self.class_names, reading, evidence_of_row, self.calibration)
            for row, reading, evidence_of_row in zip(p, readings, nats.tolist())
        ]

    def _outputs(
        self, images: NDArray[np.uint8]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return probabilities (n, classes) and evidence (n,) of images (n, 28, 28)."""
        n = len(images)
        padded = np.zeros((-(-n // FORWARD_BLOCK) * FORWARD_BLOCK, SIDE, SIDE), np.uint8)
        padded[:n] = images
        with np.errstate(over="ignore", invalid="ignore"):  # huge weights overflow
            outputs = self.network(padded, together=FORWARD_BLOCK)[:n]
            return probabilities(outputs, self.calibration.temperature), evidence(outputs)


def load(path: str | os.PathLike[str] | None = None) -> Model:
    """Return the model in a file.

    Without a path: $DIGITNET_MODEL, else ./model.npz, else the shipped model. Raises
    CheckpointError for an invalid model file.
    """
    path = find_model(None if path is None else os.fspath(path))
    checkpoint = load_checkpoint(path)
    return Model(checkpoint.network, checkpoint.class_names, path, checkpoint.calibration)
