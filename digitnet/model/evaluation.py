"""Evaluate a network on labelled pictures: accuracy, cost, confusion matrix, calibration."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitnet.arrays import FloatArray
from digitnet.model.calibration import (
    Bin,
    Coverage,
    calibration_error,
    coverages,
    probabilities,
    reliability,
)
from digitnet.network.network import Network

EVALUATION_MINIBATCH = 1000  # pictures per minibatch
Z_95 = 1.959964  # standard deviations: 97.5 % quantile of the normal distribution


@dataclass(frozen=True, eq=False, repr=False)
class Evaluation:
    """A network's answers to labelled pictures.

    cost: mean over the pictures. labels, answers: one per picture, (n,), integers below `classes`.
    confidences: float64 (n,), the probability of each answer at `temperature`.
    """

    cost: float
    labels: NDArray[np.integer]
    answers: NDArray[np.integer]
    confidences: NDArray[np.float64]
    classes: int
    temperature: float = 1.0

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
    """

    def __init__(
        self, network: Network, temperature: float = 1.0, outputs: FloatArray | None = None
    ) -> None:
        self.network, self.temperature, self.outputs = network, temperature, outputs
        self.classes = network.layer_sizes[-1]
        self._workspace = network.workspace(EVALUATION_MINIBATCH)
        self._cost, self._seen = 0.0, 0
        self._parts: list[tuple[NDArray[Any], ...]] = []

    def read(self, x: FloatArray, y: FloatArray) -> None:
        """Feed a minibatch x (785, n) with labels y (classes, n) through the network."""
        n, label_type = x.shape[1], np.min_scalar_type(self.classes)
        if self._workspace.n != n:
            self._workspace = self.network.workspace(n)
        workspace = self._workspace
        with np.errstate(over="ignore", invalid="ignore"):  # huge weights overflow
            a = self.network.feedforward(x, workspace)
            self._cost += self.network.cost(workspace.z[-1], a, y, 1, workspace.δ[-1])
        p = probabilities(a.T, self.temperature)
        labels, answers = y.argmax(axis=0).astype(label_type), p.argmax(axis=1).astype(label_type)
        self._parts.append((labels, answers, p.max(axis=1)))
        if self.outputs is not None:
            self.outputs[self._seen : self._seen + n] = a.T
        self._seen += n

    def result(self) -> Evaluation:
        """Return the evaluation of all minibatches read so far."""
        labels, answers, confidences = map(np.concatenate, zip(*self._parts))
        cost = self._cost / self._seen
        return Evaluation(cost, labels, answers, confidences, self.classes, self.temperature)


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
