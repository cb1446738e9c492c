"""Predict: read the digit, or all numbers, in pictures with a trained model."""

import math
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, Union, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from digitnet.arrays import SIDE
from digitnet.dataset.classes import DIGITS, MAX_DIGITS, as_answer
from digitnet.errors import CheckpointError, ImageError, join_names
from digitnet.image.evidence import Judgement
from digitnet.image.files import Picture, name_of, open_picture
from digitnet.image.look import Reading
from digitnet.image.reading import read, reading_steps
from digitnet.image.workers import NamedPicture, Workers, identity
from digitnet.model.calibration import (
    MAX_EVIDENCE,
    NO_CALIBRATION,
    Calibration,
    evidence,
    probabilities,
)
from digitnet.model.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from digitnet.model.doubt import FORWARD_BLOCK, Grounds, is_doubtful, why_doubtful
from digitnet.model.locations import SHIPPED, locate_model
from digitnet.network.network import Network
from digitnet.paths import own_suffix

if TYPE_CHECKING:
    from PIL.Image import Image

    from digitnet.model.numbers import Numbers

SinglePicture = Union[str, os.PathLike[str], bytes, "Image"]
Errors = Literal["raise", "return"]


@dataclass(frozen=True, eq=False, repr=False)
class Prediction:
    """A model's answer to one picture.

    probabilities: (classes,), sum 1, in the order of `class_names`. reading: the network's input,
    and how it was found in the picture. evidence: nats, from 0; see `calibration.evidence`.
    calibration: the thresholds that confidence and evidence have to reach. is_prepared: whether the
    picture went to the network as it was; then the reading holds nothing but its image.
    """

    probabilities: NDArray[np.float64]
    class_names: tuple[str, ...]
    reading: Reading
    evidence: float
    calibration: Calibration = NO_CALIBRATION
    is_prepared: bool = False

    @property
    def digit(self) -> int | str | None:
        """The likeliest class: an integer if its name is one. None if `is_digit` is False."""
        return self.top(1)[0][0] if self.is_digit else None

    @property
    def is_digit(self) -> bool:
        """False if the answer is `?`; see `doubt.is_doubtful`."""
        return not is_doubtful(self.grounds, self.calibration)

    @property
    def doubt(self) -> str | None:
        """Why `is_digit` is False; None if it is True."""
        return why_doubtful(self.grounds, self.calibration)

    @property
    def grounds(self) -> Grounds:
        """What decides whether the answer is `?`."""
        return Grounds(self.confidence, self.evidence, self.reading.digits, self.reading.prior)

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


@dataclass(frozen=True, eq=False, repr=False)
class Model:
    """A trained network that reads pictures.

    checkpoint: the network with all that it was saved with. path: its file; empty if it has none.
    """

    checkpoint: Checkpoint
    path: str = ""

    @property
    def network(self) -> Network:
        """The network as a function: pixels (n, 784), 0 to 1, to outputs (n, classes)."""
        return self.checkpoint.network

    @property
    def class_names(self) -> tuple[str, ...]:
        """What the outputs stand for: "0" to "9", or the names of other classes."""
        return self.checkpoint.class_names

    @property
    def calibration(self) -> Calibration:
        """The temperature of the probabilities, and the thresholds for `?`."""
        return self.checkpoint.calibration

    def __repr__(self) -> str:
        origin = f"{self.path!r}, " if self.path else ""
        return f"Model({origin}{self.network!r}, classes {join_names(self.class_names)})"

    def with_thresholds(self, min_confidence: float, min_evidence: float) -> "Model":
        """Return the same model with other thresholds for `?`; 0 turns a threshold off.

        min_confidence: 0 to 1. min_evidence: 0 to MAX_EVIDENCE, nats. Raises ValueError for others.
        """
        if not (0 <= min_confidence <= 1 and 0 <= min_evidence <= MAX_EVIDENCE):
            found = f"found {min_confidence} and {min_evidence}"
            raise ValueError(f"expected thresholds of 0 to 1 and 0 to {MAX_EVIDENCE:g}, {found}")
        calibration = Calibration(self.calibration.temperature, min_confidence, min_evidence)
        return replace(self, checkpoint=replace(self.checkpoint, calibration=calibration))

    @overload
    def predict(self, pictures: SinglePicture, errors: Literal["raise"] = ...) -> Prediction: ...  # type: ignore[overload-overlap]
    @overload
    def predict(  # type: ignore[overload-overlap]
        self, pictures: SinglePicture, errors: Literal["return"]
    ) -> Prediction | ImageError: ...
    @overload
    def predict(self, pictures: NDArray[Any], errors: Errors = ...) -> Any: ...
    @overload
    def predict(
        self, pictures: Iterable[Picture], errors: Literal["raise"] = ...
    ) -> list[Prediction]: ...
    @overload
    def predict(
        self, pictures: Iterable[Picture], errors: Literal["return"]
    ) -> list[Prediction | ImageError]: ...
    def predict(self, pictures: Any, errors: Errors = "raise") -> Any:
        """Return the prediction for a picture; for several pictures, a list of predictions.

        A picture is a path, a file's bytes, a Pillow image, or an array: (h, w) or (h, w, 3) of
        numbers from 0 to 255, or (h, w) of floats from 0 to 1. Several pictures are any iterable of
        pictures, or one array (n, h, w) or (n, h, w, 3).

        errors: "raise" raises ImageError for the first picture that cannot be read; "return" puts
        the ImageError in the place of its prediction.
        """
        if errors not in ("raise", "return"):
            raise ValueError(f"errors: expected 'raise' or 'return', found {errors!r:.40}")
        if _is_single(pictures):
            return self._predict([(pictures, name_of(pictures))], errors)[0]
        named = (
            (picture, name_of(picture, f"picture {position}"))
            for position, picture in enumerate(pictures)
        )
        return self._predict(named, errors)

    def probabilities(self, images: ArrayLike) -> NDArray[np.float64]:
        """Return the probability of each class, (n, classes), for images prepared as MNIST's.

        images: (n, 28, 28) or (n, 784), ink 255 on paper 0, or floats from 0 to 1. They go to the
        network as they are; `predict` prepares pictures first. Raises ValueError for other arrays.
        """
        array = np.asarray(images)
        if array.ndim < 2 or math.prod(array.shape[1:]) != self.network.layer_sizes[0]:
            raise ValueError(f"expected images (n, 28, 28) or (n, 784), found shape {array.shape}")
        if array.dtype.kind not in "biuf":
            raise ValueError(f"expected images of numbers, found the type {array.dtype}")
        return self._outputs(array)[0]

    def score(self, images: ArrayLike, labels: ArrayLike) -> float:
        """Return the accuracy on prepared images, 0 to 1: the share of right likeliest classes.

        images: as for `probabilities`. labels: (n,), in the form of `Prediction.digit`: numbers if
        the class names are numbers, else the names. Raises ValueError for no images, for another
        number of labels, and for labels that are not among the classes.
        """
        best = self.probabilities(images).argmax(axis=1)
        truth = np.asarray(labels, object)  # in another type, a number beside a name becomes text
        if not len(best):
            raise ValueError("expected at least one image, found none")
        if truth.shape != best.shape:
            raise ValueError(f"expected {len(best)} labels, found an array of shape {truth.shape}")
        answers = [as_answer(name) for name in self.class_names]
        if unknown := set(truth.tolist()) - set(answers):
            expected = join_names(list(map(repr, answers)))
            raise ValueError(f"labels: expected {expected}, found {min(unknown, key=repr)!r:.40}")
        right: list[bool] = [answers[i] == label for i, label in zip(best.tolist(), truth.tolist())]
        return sum(right) / len(right)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model to an `.npz` file, which `load` and the command read.

        An existing file is replaced atomically, whatever else writes it. Raises OutputError if
        writing fails.
        """
        save_checkpoint(os.fspath(path), replace(self.checkpoint, state={}), own_suffix())

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
            name = self.path or "the model"
            raise CheckpointError(
                f"{name}: expected the classes 0 to 9 to read numbers, found {found}"
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
        workers = Workers(processes, reading_steps(self.judge))
        try:
            for batch in batches:
                for portion in workers.prepare(batch):
                    names, readings = zip(*portion)
                    yield list(zip(names, self._answer(readings)))
        finally:
            workers.close()

    def _predict(
        self, pictures: Iterable[tuple[Picture, str]], errors: Errors
    ) -> list[Prediction | ImageError]:
        """Return an answer for each picture and its name."""
        readings: list[Reading | ImageError] = []
        for picture, name in pictures:
            try:
                readings.append(read(picture, name, self.judge))
            except ImageError as error:
                if errors == "raise":
                    raise
                # a new error: the traceback of this one keeps the decoded picture in memory
                readings.append(ImageError(name, error.problem))
        return self._answer(readings)

    def _answer(self, readings: Sequence[Reading | ImageError]) -> list[Prediction | ImageError]:
        """Return a prediction for each reading; an error is its own answer."""
        predictions = iter(self._read([r for r in readings if not isinstance(r, ImageError)]))
        return [r if isinstance(r, ImageError) else next(predictions) for r in readings]

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

    def _outputs(self, images: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return probabilities (n, classes) and evidence (n,) of images (n, 28, 28) or (n, 784)."""
        n = len(images)
        blocks = -(-n // FORWARD_BLOCK)
        padded = np.zeros((blocks * FORWARD_BLOCK, *images.shape[1:]), images.dtype)
        padded[:n] = images
        with np.errstate(over="ignore", invalid="ignore"):  # huge weights overflow
            outputs = self.network(padded, together=FORWARD_BLOCK)[:n]
            p = probabilities(outputs, self.calibration.temperature)
            return p, evidence(outputs, self.network.min_output)


def load(path: str | os.PathLike[str] | None = None) -> Model:
    """Return the model in a file; without a path or for "shipped", the model that ships.

    A file of that name is "./shipped" or a path object.
    Raises CheckpointError for a file that is missing or not a valid model.
    """
    path = SHIPPED if path is None else locate_model(path)
    return Model(load_checkpoint(path, hashed=True), path)


def _is_single(pictures: Any) -> bool:
    """Return whether the argument of `predict` is one picture rather than several."""
    if isinstance(pictures, np.ndarray):
        has_paths = pictures.dtype.kind in "OSU" and pictures.ndim == 1
        has_channels = pictures.ndim == 3 and pictures.shape[2] <= 4
        return not has_paths and (pictures.ndim < 3 or has_channels)
    if isinstance(pictures, str | os.PathLike | bytes | bytearray | memoryview):
        return True
    return hasattr(pictures, "read") or not isinstance(pictures, Iterable)
