"""How good a network is on labelled pictures: accuracy, cost, confusion, calibration."""

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

CHUNK = 1000  # pictures that go through the network together
Z_95 = 1.959964  # the normal distribution's 97.5 % quantile


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What a network made of labelled pictures.

    cost: averaged over them. labels, answers: of each picture, (n,), whole numbers below `classes`.
    confidences: float64 (n,), the probability of each answer at `temperature`.
    """

    cost: float
    labels: NDArray[np.integer]
    answers: NDArray[np.integer]
    confidences: NDArray[np.float64]
    classes: int
    temperature: float = 1.0

    @property
    def images(self) -> int:
        return len(self.labels)

    @property
    def right(self) -> NDArray[np.bool_]:
        """Which answers were right, (n,)."""
        right: NDArray[np.bool_] = self.answers == self.labels
        return right

    @cached_property
    def confusion(self) -> NDArray[np.int64]:
        """How often each true class, by row, was answered as each class, by column."""
        pairs = self.labels.astype(np.int64) * self.classes + self.answers
        counts = np.bincount(pairs, minlength=self.classes**2)
        return counts.reshape(self.classes, self.classes)

    @property
    def accuracy(self) -> float:
        """Share of right answers, 0 to 1."""
        return int(self.right.sum()) / self.images

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of the accuracy."""
        return wilson_interval(self.accuracy, self.images)

    @property
    def precision(self) -> list[float | None]:
        """Of the answers of each class, the share that was right; None where it was never given."""
        return _shares(self.confusion, self.confusion.sum(axis=0))

    @property
    def recall(self) -> list[float | None]:
        """Of the pictures of each class, the share that was found; None where there was none."""
        return _shares(self.confusion, self.confusion.sum(axis=1))

    @cached_property
    def reliability(self) -> list[Bin]:
        """Confidence beside accuracy, of answers that are about equally sure."""
        return reliability(self.confidences, self.right)

    @property
    def calibration_error(self) -> float:
        """How far confidence is from accuracy on average, 0 to 1."""
        return calibration_error(self.reliability)

    @cached_property
    def coverages(self) -> list[Coverage]:
        """How right the surest answers are, and what confidence they have."""
        return coverages(self.confidences, self.right)


@dataclass(frozen=True)
class Guessing:
    """The most frequent class as the answer to every picture.

    label: of that class. share: of the pictures that show it, 0 to 1: the accuracy of guessing.
    images: how many pictures there are.
    """

    label: int
    share: float
    images: int

    def beaten_by(self, accuracy: float) -> bool | None:
        """Return whether a model's accuracy on these pictures is significantly higher.

        True if Wilson's interval of the accuracy lies above the accuracy of guessing. None if the
        pictures cannot tell: if they are of one class, or so few that the interval, of the model
        or of guessing, contains a useful model too, halfway between guessing and no mistakes
        (their geometric mean).
        """
        if self.share == 1:
            return None
        if wilson_interval(accuracy, self.images)[0] > self.share:
            return True
        _, highest = wilson_interval(max(accuracy, self.share), self.images)
        return None if highest >= math.sqrt(self.share) else False


def guessing(labels: NDArray[np.integer]) -> Guessing:
    """Return what guessing gets on pictures with these labels: whole numbers from 0, (n,)."""
    counts = np.bincount(labels)
    label = int(counts.argmax())
    return Guessing(label, int(counts[label]) / len(labels), len(labels))


def wilson_interval(share: float, n: int) -> tuple[float, float]:
    """Return the 95 % interval of a share of n (Brown, Cai and DasGupta 2001, equation 4)."""
    centre = share + Z_95**2 / (2 * n)
    margin = Z_95 * math.sqrt(share * (1 - share) / n + Z_95**2 / (4 * n**2))
    scale = 1 + Z_95**2 / n
    return max((centre - margin) / scale, 0.0), min((centre + margin) / scale, 1.0)


class Evaluator:
    """`evaluate`, minibatch by minibatch, for whoever has other things to do in between.

    outputs: room for the activations of the last layer, (all pictures, classes), if asked for.
    """

    def __init__(
        self, network: Network, temperature: float = 1.0, outputs: FloatArray | None = None
    ) -> None:
        self.network, self.temperature, self.outputs = network, temperature, outputs
        self.classes = network.layer_sizes[-1]
        self._workspace = network.workspace(CHUNK)
        self._cost, self._seen = 0.0, 0
        self._parts: list[tuple[NDArray[Any], ...]] = []

    def read(self, x: FloatArray, y: FloatArray) -> None:
        """Feed x (785, n) with the labels y (classes, n) through the network."""
        n, small = x.shape[1], np.min_scalar_type(self.classes)
        if self._workspace.n != n:
            self._workspace = self.network.workspace(n)
        workspace = self._workspace
        with np.errstate(over="ignore", invalid="ignore"):  # of weights beyond all measure
            a = self.network.feedforward(x, workspace)
            self._cost += self.network.cost(workspace.z[-1], a, y, 1, workspace.δ[-1])
        shares = probabilities(a.T, self.temperature)
        told = y.argmax(axis=0).astype(small), shares.argmax(axis=1).astype(small)
        self._parts.append((*told, shares.max(axis=1)))
        if self.outputs is not None:
            self.outputs[self._seen : self._seen + n] = a.T
        self._seen += n

    def result(self) -> Evaluation:
        """What the network made of all that it has read."""
        labels, answers, confidences = map(np.concatenate, zip(*self._parts))
        cost = self._cost / self._seen
        return Evaluation(cost, labels, answers, confidences, self.classes, self.temperature)


def evaluate(
    network: Network,
    minibatches: Iterable[tuple[FloatArray, FloatArray]],
    temperature: float = 1.0,
) -> Evaluation:
    """Feed labelled pictures through a network: x (785, n) and y (classes, n), any n.

    The last row of x is ones. temperature: of the probabilities; the cost is without it.
    """
    evaluator = Evaluator(network, temperature)
    for x, y in minibatches:
        evaluator.read(x, y)
    return evaluator.result()


def _shares(confusion: NDArray[np.int64], totals: NDArray[np.int64]) -> list[float | None]:
    right = np.diagonal(confusion)
    return [int(r) / int(total) if total else None for r, total in zip(right, totals)]
