"""Calibration: the temperature, the thresholds for `?`, and reports of how reliable confidence is.

Source: Guo, Pleiss, Sun and Weinberger 2017, On Calibration of Modern Neural Networks. Of the
answers with confidence 0.9, nine in ten should be right. Long-trained networks are overconfident;
a temperature, fitted on held-out pictures, corrects this.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from digitnet.arrays import FloatArray
from digitnet.network.activations import MIN_SIGMOID

MIN_TEMPERATURE, MAX_TEMPERATURE = 0.05, 20.0
MIN_PICTURES = 10  # pictures: fewer are not enough to calibrate
CONFIDENT_SHARE = 0.995  # share of held-out pictures that reach the confidence threshold
EVIDENT_SHARE = 0.99  # share of held-out pictures that reach the evidence threshold
MIN_PROBABILITY = 2.0**-126  # probability: the smallest normal float32, lower bound in `evidence`
MAX_EVIDENCE = 88.0  # nats: upper bound, follows from MIN_PROBABILITY
RELIABILITY_BINS = 15
COVERAGES = (100, 99, 98, 95, 90, 80, 50)  # percent
CONFIDENCE_STEPS = 10_000  # steps from 0 to 1: `predict` prints confidence with four decimals

Booleans = NDArray[np.bool_]


class Calibration(NamedTuple):
    """The temperature of a network, and its thresholds for `?`.

    temperature: MIN_TEMPERATURE to MAX_TEMPERATURE. min_confidence: 0 to 1. min_evidence: nats, 0
    to MAX_EVIDENCE. Nearly all digits reach both thresholds. A threshold of 0 means: not fitted.
    """

    temperature: float = 1.0
    min_confidence: float = 0.0
    min_evidence: float = 0.0


NO_CALIBRATION = Calibration()


def probabilities(outputs: FloatArray, temperature: float = 1.0) -> NDArray[np.float64]:
    """Return probabilities p_i ∝ a_i^(1/T) of the last layer's activations a, (n, classes).

    Each row sums to 1. For softmax outputs the result is the softmax of z/T (section 4.2). For
    float32 outputs and any temperature within the bounds, the largest output keeps the largest
    probability, and equal outputs keep equal probabilities. A row of zeros, or with an output that
    is not finite, becomes uniform: 1/classes.
    """
    a = outputs.astype(np.float64)
    if temperature != 1:
        with np.errstate(invalid="ignore"):
            a /= a.max(axis=1, keepdims=True, initial=np.finfo(np.float64).tiny)
            a **= 1 / temperature
    totals = a.sum(axis=1, keepdims=True)
    usable = (totals > 0) & (totals < np.inf)
    uniform = np.full_like(a, 1 / a.shape[1])
    p: NDArray[np.float64] = np.divide(a, totals, out=uniform, where=usable)
    return p


def fit_temperature(outputs: FloatArray, labels: NDArray[np.integer]) -> float:
    """Return the temperature that makes labels (n,) likeliest, given outputs (n, classes).

    It minimises the negative log-likelihood (section 4.2), which is convex in β = 1/T. Let l be the
    log-probabilities at T = 1, p the probabilities at β and y the label. Then the slope is the mean
    of Σ p l - l_y, and the curvature is the mean variance of l under p. The method is Newton's,
    safeguarded by bisection: every step stays between two points whose slopes differ in sign.

    As in Laplace's rule of succession, one more picture is added: an average picture whose true
    class is the second likeliest. So n right answers out of n mean an error rate of about
    1 / (n + 1), not of 0. An output of 0 is replaced by the smallest positive output, at most
    MIN_SIGMOID. The result lies between MIN_TEMPERATURE and MAX_TEMPERATURE; it is 1 for fewer
    than MIN_PICTURES pictures.
    """
    n, classes = outputs.shape
    if n < MIN_PICTURES or classes < 2:
        return 1.0
    uncalibrated = probabilities(outputs)
    smallest = uncalibrated[uncalibrated > 0].min()
    l = np.log(np.maximum(uncalibrated, min(MIN_SIGMOID, smallest)))
    l -= l.max(axis=1, keepdims=True)
    second = np.partition(l, -2, axis=1)[:, -2].mean()
    truth = (l[np.arange(n), labels].sum() + second) / (n + 1)

    def slope_and_curvature(β: float) -> tuple[float, float]:
        p = np.exp(l * β)
        p /= p.sum(axis=1, keepdims=True)
        p *= l
        mean = p.sum(axis=1)
        p *= l
        return float(mean.mean() - truth), float((p.sum(axis=1) - mean * mean).mean())

    β = 1.0
    slope, curvature = slope_and_curvature(β)
    if slope == 0:
        return 1.0
    bound = MAX_TEMPERATURE if slope > 0 else MIN_TEMPERATURE
    if slope_and_curvature(1 / bound)[0] * slope >= 0:
        return bound
    low, high = sorted((β, 1 / bound))
    while high / low > 1 + 1e-6:
        newton = β - slope / curvature if curvature > 0 else low
        before, β = β, newton if low < newton < high else math.sqrt(low * high)
        if abs(β - before) < 1e-6 * β:
            break
        slope, curvature = slope_and_curvature(β)
        low, high = (low, β) if slope > 0 else (β, high)
    return 1 / β


def evidence(outputs: FloatArray, min_output: float) -> NDArray[np.float64]:
    """Return how far outputs (n, classes) are from a uniform distribution: (n,), nats from 0.

    With p the probabilities at T = 1, this is -Σ 1/classes log p_i - log classes: the divergence
    of Kullback and Leibler 1951 from the uniform distribution to p. Training on non-digits
    (`background`) makes it small for pictures that show no digit. A picture may resemble one class
    more than the others, so confidence is high, yet resemble that class so little that evidence is
    low.

    min_output: the network's smallest positive output. It replaces outputs of 0, to which float32
    rounds smaller outputs: the logarithm of 0 would outweigh all other outputs.
    """
    p = np.maximum(probabilities(np.maximum(outputs, min_output)), MIN_PROBABILITY)
    nats: NDArray[np.float64] = -np.log(p).mean(axis=1) - math.log(outputs.shape[1])
    return nats.clip(min=0)  # rounding can make it slightly negative


def calibrate(outputs: FloatArray, labels: NDArray[np.integer], min_output: float) -> Calibration:
    """Return the calibration fitted on held-out pictures: outputs (n, classes), labels (n,).

    CONFIDENT_SHARE of the pictures reach the confidence threshold, EVIDENT_SHARE the evidence
    threshold. Both are rounded down to four decimals. NO_CALIBRATION for fewer than MIN_PICTURES.
    min_output: the network's smallest positive output, see `evidence`.
    """
    if len(outputs) < MIN_PICTURES:
        return NO_CALIBRATION
    temperature = fit_temperature(outputs, labels)
    confidences = probabilities(outputs, temperature).max(axis=1)
    return Calibration(
        temperature,
        _threshold(confidences, CONFIDENT_SHARE),
        _threshold(evidence(outputs, min_output), EVIDENT_SHARE),
    )


def _threshold(values: FloatArray, share: float) -> float:
    """Return the value, rounded down to four decimals, that at least `share` of values reaches."""
    quantile = np.quantile(values, 1 - share, method="lower")
    return math.floor(float(quantile) * CONFIDENCE_STEPS) / CONFIDENCE_STEPS


class Bin(NamedTuple):
    """The answers with low < confidence <= high: their number, mean confidence and accuracy."""

    low: float
    high: float
    images: int
    confidence: float
    accuracy: float


def reliability(confidences: FloatArray, right: Booleans) -> list[Bin]:
    """Return the non-empty bins of equal width (section 2) of answers: confidences, right (n,)."""
    edges = [number / RELIABILITY_BINS for number in range(RELIABILITY_BINS + 1)]
    indices = np.clip(np.searchsorted(edges, confidences) - 1, 0, RELIABILITY_BINS - 1)
    bins = []
    for index in np.unique(indices).tolist():
        in_bin = indices == index
        confidence = float(confidences[in_bin].mean(dtype=np.float64))
        accuracy = float(right[in_bin].mean())
        bins.append(Bin(edges[index], edges[index + 1], int(in_bin.sum()), confidence, accuracy))
    return bins


def calibration_error(bins: list[Bin]) -> float:
    """Return the expected calibration error (ECE, equation 3), 0 to 1.

    ECE is the distance between confidence and accuracy, averaged over all answers.
    """
    images = sum(bin.images for bin in bins)
    return sum(bin.images / images * abs(bin.accuracy - bin.confidence) for bin in bins)


class Coverage(NamedTuple):
    """The share of answers with at least `min_confidence`, and the accuracy of these answers."""

    coverage: float
    accuracy: float
    min_confidence: float


def coverages(confidences: FloatArray, right: Booleans) -> list[Coverage]:
    """Return coverage and accuracy at rising confidence thresholds: confidences, right (n,).

    Thresholds are rounded down to four decimals, ready for `--min-confidence`. At least the share
    of answers that COVERAGES lists reaches each; more if confidences are equal to four decimals.
    """
    ascending = np.sort(confidences)
    rows: dict[float, Coverage] = {}
    for percent in COVERAGES:
        threshold = float(ascending[len(ascending) * (100 - percent) // 100])
        threshold = math.floor(threshold * CONFIDENCE_STEPS) / CONFIDENCE_STEPS
        sure = confidences >= threshold
        rows[threshold] = Coverage(float(sure.mean()), float(right[sure].mean()), threshold)
    return list(rows.values())
