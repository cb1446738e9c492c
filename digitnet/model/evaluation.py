"""Evaluate a network on labelled pictures: accuracy, cost, confusion matrix, calibration."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from digitnet.arrays import FloatArray
from digitnet.dataset.definition import Origin, name_in
from digitnet.model.calibration import (
    Bin,
    Coverage,
    calibration_error,
    coverages,
    evidence,
    probabilities,
    reliability,
)
from digitnet.model.doubt import FORWARD_BLOCK
from digitnet.network.network import Network

EVALUATION_MINIBATCH = 1000  # pictures per minibatch
Z_95 = 1.959964  # standard deviations: 97.5 % quantile of the normal distribution


class NonDigits(NamedTuple):
    """Pictures without a digit: their number, and how many of them are answered `?`."""

    images: int
    doubtful: int


class SourceAccuracy(NamedTuple):
    """The pictures of one of several sources: their number, and the share of right answers."""

    source: str
    images: int
    accuracy: float


@dataclass(frozen=True, eq=False, repr=False)
class Evaluation:
    """A network's answers to labelled pictures.

    cost: mean over the pictures. labels, answers: one per picture, (n,), integers below `classes`;
    an answer is the likeliest class, even where `predict` answers `?`.
    confidences: float64 (n,), the probability of each answer at `temperature`.
    evidence: float64 (n,), nats, see `calibration.evidence`; None if unknown.
    doubts: why an answer is `?`, by position from 0 to n - 1, as `predict` decides.
    non_digits: the pictures without a digit, which count in no other figure; None: there are none.
    indices: int64 (n,), positions of the pictures in the data set with these `origins`.
    """

    cost: float
    labels: NDArray[np.integer]
    answers: NDArray[np.integer]
    confidences: NDArray[np.float64]
    classes: int
    temperature: float = 1.0
    evidence: NDArray[np.float64] | None = None
    doubts: Mapping[int, str] = field(default_factory=dict)
    non_digits: NonDigits | None = None
    origins: tuple[Origin, ...] = ()
    indices: NDArray[np.int64] | None = None

    def __repr__(self) -> str:
        low, high = self.interval
        return (
            f"Evaluation({self.images:,} images, accuracy {self.accuracy:.4f}, "
            f"95 % interval {low:.4f} to {high:.4f}, cost {self.cost:.4g})"
        )

    @property
    def images(self) -> int:
        return len(self.labels)

    @property
    def right(self) -> NDArray[np.bool_]:
        """True for each right answer, (n,)."""
        right: NDArray[np.bool_] = self.answers == self.labels
        return right

    @property
    def mistakes(self) -> NDArray[np.int64]:
        """Positions of the wrong answers, the most confident first, (m,)."""
        wrong = np.flatnonzero(~self.right)
        return wrong[np.argsort(-self.confidences[wrong], kind="stable")]

    @property
    def doubtful(self) -> NDArray[np.bool_]:
        """True for each answer that `predict` replaces by `?`, (n,)."""
        doubtful = np.zeros(self.images, np.bool_)
        doubtful[list(self.doubts)] = True
        return doubtful

    @property
    def sure_accuracy(self) -> float | None:
        """The share of right answers among those that are not `?`; None if all are `?`."""
        right = self.right[~self.doubtful]
        return int(right.sum()) / len(right) if len(right) else None

    def name_of(self, position: int) -> str:
        """Return the path of a picture, `FILE:LINE` or `FILE#index`. Raises IndexError if unknown.

        position: from 0 to n - 1.
        """
        index = position if self.indices is None else int(self.indices[position])
        return name_in(self.origins, index)

    @property
    def sources(self) -> list[SourceAccuracy]:
        """The accuracy of each source, in the order of the data; empty if sources are unknown."""
        if not self.origins:
            return []
        names = list(dict.fromkeys(origin.source for origin in self.origins))
        numbers = [names.index(origin.source) for origin in self.origins]
        of_picture = np.repeat(numbers, [origin.length for origin in self.origins])
        if self.indices is not None:
            of_picture = of_picture[self.indices]
        sources = []
        for number, name in enumerate(names):
            right = self.right[of_picture == number]
            if len(right):
                sources.append(SourceAccuracy(name, len(right), int(right.sum()) / len(right)))
        return sources

    @cached_property
    def confusion(self) -> NDArray[np.int64]:
        """The confusion matrix: a row per true class, a column per answer, (classes, classes)."""
        pairs = self.labels.astype(np.int64) * self.classes + self.answers
        counts = np.bincount(pairs, minlength=self.classes**2)
        return counts.reshape(self.classes, self.classes)

    @property
    def accuracy(self) -> float:
        """The share of right answers, 0 to 1."""
        return int(self.right.sum()) / self.images

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % confidence interval of the accuracy."""
        return wilson_interval(self.accuracy, self.images)

    @property
    def precision(self) -> list[float | None]:
        """The precision of each class, 0 to 1; None for a class that was never answered."""
        return _shares(self.confusion, self.confusion.sum(axis=0))

    @property
    def recall(self) -> list[float | None]:
        """The recall of each class, 0 to 1; None for a class without pictures."""
        return _shares(self.confusion, self.confusion.sum(axis=1))

    @cached_property
    def reliability(self) -> list[Bin]:
        """Confidence and accuracy of the answers, in bins of confidence."""
        return reliability(self.confidences, self.right)

    @property
    def calibration_error(self) -> float:
        """The expected calibration error, 0 to 1."""
        return calibration_error(self.reliability)

    @cached_property
    def coverages(self) -> list[Coverage]:
        """Coverage and accuracy at rising confidence thresholds."""
        return coverages(self.confidences, self.right)


@dataclass(frozen=True)
class Guessing:
    """The trivial classifier that always answers the most frequent class.

    label: the most frequent class. share: its share of the pictures, 0 to 1, which is the accuracy
    of guessing. images: number of pictures.
    """

    label: int
    share: float
    images: int

    def beaten_by(self, accuracy: float) -> bool | None:
        """Return whether a model's accuracy on these pictures is significantly higher.

        True if Wilson's interval of the accuracy lies above the accuracy of guessing. None if the
        pictures cannot decide: they show one class only, or are so few that the interval of the
        model, or of guessing, also contains the accuracy of a useful model. A useful model is
        halfway between guessing and 1 (their geometric mean).
        """
        if self.share == 1:
            return None
        if wilson_interval(accuracy, self.images)[0] > self.share:
            return True
        _, highest = wilson_interval(max(accuracy, self.share), self.images)
        return None if highest >= math.sqrt(self.share) else False


def guessing(labels: NDArray[np.integer]) -> Guessing:
    """Return the trivial classifier for pictures with these labels: integers from 0, (n,)."""
    counts = np.bincount(labels)
    label = int(counts.argmax())
    return Guessing(label, int(counts[label]) / len(labels), len(labels))


def wilson_interval(share: float, n: int) -> tuple[float, float]:
    """Return the 95 % interval of a share of n cases (Brown, Cai and DasGupta 2001, equation 4)."""
    centre = share + Z_95**2 / (2 * n)
    margin = Z_95 * math.sqrt(share * (1 - share) / n + Z_95**2 / (4 * n**2))
    scale = 1 + Z_95**2 / n
    return max((centre - margin) / scale, 0.0), min((centre + margin) / scale, 1.0)


class Evaluator:
    """Incremental `evaluate`: the caller may do other work between minibatches.

    outputs: buffer (pictures, classes) to store the last layer's activations in; None: not stored.
    as_predict: compute all answers to the last bit as `predict` does, which takes longer.
    """

    def __init__(
        self,
        network: Network,
        temperature: float = 1.0,
        outputs: FloatArray | None = None,
        *,
        as_predict: bool = False,
    ) -> None:
        self.network, self.temperature, self.outputs = network, temperature, outputs
        self.classes = network.layer_sizes[-1]
        self._as_predict = as_predict
        self._workspace = network.workspace(FORWARD_BLOCK if as_predict else EVALUATION_MINIBATCH)
        self._cost, self._seen = 0.0, 0
        self._parts: list[tuple[NDArray[Any], ...]] = []

    def read(self, x: FloatArray, y: FloatArray) -> None:
        """Feed a minibatch x (785, n) with labels y (classes, n) through the network."""
        n, label_type = x.shape[1], np.min_scalar_type(self.classes)
        with np.errstate(over="ignore", invalid="ignore"):  # huge weights overflow
            z, a, δ = self._in_blocks(x) if self._as_predict else self._at_once(x)
            self._cost += self.network.cost(z, a, y, 1, δ)
        outputs = np.ascontiguousarray(a.T)  # the order of a sum, as in `predict`
        p = probabilities(outputs, self.temperature)
        labels, answers = y.argmax(axis=0).astype(label_type), p.argmax(axis=1).astype(label_type)
        nats = evidence(outputs, self.network.min_output)
        self._parts.append((labels, answers, p.max(axis=1), nats))
        if self.outputs is not None:
            self.outputs[self._seen : self._seen + n] = outputs
        self._seen += n

    def _at_once(self, x: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return z, a and a buffer for δ of the last layer, (classes, n)."""
        if self._workspace.n != x.shape[1]:
            self._workspace = self.network.workspace(x.shape[1])
        a = self.network.feedforward(x, self._workspace)
        return self._workspace.z[-1], a, self._workspace.δ[-1]

    def _in_blocks(self, x: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the same from blocks of FORWARD_BLOCK pictures, the last filled with blanks."""
        z, a, δ = np.empty((3, self.classes, x.shape[1]), x.dtype)
        for start in range(0, x.shape[1], FORWARD_BLOCK):
            columns = slice(start, start + FORWARD_BLOCK)
            block = x[:, columns]
            n = block.shape[1]
            if n < FORWARD_BLOCK:
                padded = np.zeros((FORWARD_BLOCK, len(x)), x.dtype).T
                padded[:, :n] = block
                block = padded
            a[:, columns] = self.network.feedforward(block, self._workspace)[:, :n]
            z[:, columns] = self._workspace.z[-1][:, :n]
        return z, a, δ

    def result(self) -> Evaluation:
        """Return the evaluation of all minibatches read so far."""
        labels, answers, confidences, nats = map(np.concatenate, zip(*self._parts))
        cost = self._cost / self._seen
        return Evaluation(cost, labels, answers, confidences, self.classes, self.temperature, nats)


def evaluate_network(
    network: Network,
    minibatches: Iterable[tuple[FloatArray, FloatArray]],
    temperature: float = 1.0,
) -> Evaluation:
    """Return a network's evaluation on labelled pictures: x (785, n), y (classes, n), any n.

    The last row of x is ones. temperature: applies to the probabilities, not to the cost.
    """
    evaluator = Evaluator(network, temperature)
    for x, y in minibatches:
        evaluator.read(x, y)
    return evaluator.result()


def _shares(confusion: NDArray[np.int64], totals: NDArray[np.int64]) -> list[float | None]:
    right = np.diagonal(confusion)
    return [int(r) / int(total) if total else None for r, total in zip(right, totals)]
