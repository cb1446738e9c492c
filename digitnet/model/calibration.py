"""Confidence that means what it says: the temperature, how near the truth confidence comes, and
what is no digit at all.

After Guo, Pleiss, Sun and Weinberger 2017, On Calibration of Modern Neural Networks. Of the
pictures that are answered with a confidence of 0.9, nine in ten should be right; networks that were
trained for long are surer than that. One number, fitted on pictures held out, makes up for it.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from digitnet.arrays import FloatArray

LOWEST, HIGHEST = 0.05, 20.0  # temperatures
FEWEST = 10  # pictures that tell of anything
SMALLEST = 2.0**-25  # a sigmoid output that is no 0 yet
SURE, EVIDENT = 0.995, 0.99  # of the pictures held out: as sure and as evident as these are digits
LEAST_SHARE = 2.0**-126  # a probability that is no smaller: float32's least with all its bits
MOST_EVIDENCE = 88.0  # nats, as follows from it
BINS = 15
COVERAGES = (100, 99, 98, 95, 90, 80, 50)  # percent
STEPS = 10_000  # of a confidence as `predict` prints it, from 0 to 1

Booleans = NDArray[np.bool_]


class Calibration(NamedTuple):
    """How far a network's outputs can be trusted.

    temperature: of its probabilities. min_confidence: 0 to 1, min_evidence: nats, 0 to
    MOST_EVIDENCE, what nearly all digits have; 0 where nothing was held out that could tell.
    """

    temperature: float = 1.0
    min_confidence: float = 0.0
    min_evidence: float = 0.0


NO_CALIBRATION = Calibration()


def probabilities(outputs: FloatArray, temperature: float = 1.0) -> NDArray[np.float64]:
    """Activations a of the last layer, (n, classes), as p_i ∝ a_i^(1/T); each row's sum is 1.

    Of a softmax it is the softmax of z/T, section 4.2. At any temperature within the bounds the
    largest of float32 outputs stays the largest, and equal ones stay equal. Where all of them have
    vanished, or one is not finite, every class is as likely as another.
    """
    a = outputs.astype(np.float64)
    if temperature != 1:
        with np.errstate(invalid="ignore"):
            a /= a.max(axis=1, keepdims=True, initial=np.finfo(np.float64).tiny)
            a **= 1 / temperature
    totals = a.sum(axis=1, keepdims=True)
    sound = (totals > 0) & (totals < np.inf)
    even = np.full_like(a, 1 / a.shape[1])
    shares: NDArray[np.float64] = np.divide(a, totals, out=even, where=sound)
    return shares


def fit_temperature(outputs: FloatArray, labels: NDArray[np.integer]) -> float:
    """The temperature that makes labels (n,) the likeliest, for outputs (n, classes).

    It minimises the negative log-likelihood, section 4.2, which is convex in β = 1/T. With l the
    logarithms of the probabilities at T = 1 and p those at β, its slope is the mean of Σ p l - l_y,
    y the label, and its curvature the mean variance of l under p. Newton's steps, kept between two
    points where the slope has different signs.

    As in Laplace's rule of succession, one picture more is taken into account, like the average of
    those seen, but with the second likeliest class as the truth. So n right answers of n do not
    claim that there are no wrong ones, but about one in n + 1. An output of 0 counts as the
    smallest other one, or 2⁻²⁵. Within LOWEST and HIGHEST; 1 for fewer than FEWEST pictures.
    """
    n, classes = outputs.shape
    if n < FEWEST or classes < 2:
        return 1.0
    shares = probabilities(outputs)
    l = np.log(np.maximum(shares, min(SMALLEST, shares[shares > 0].min())))
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
    bound = HIGHEST if slope > 0 else LOWEST
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


def evidence(outputs: FloatArray) -> NDArray[np.float64]:
    """How far outputs (n, classes) are from all classes alike, (n,), in nats: 0 where they are.

    With p the probabilities at T = 1, it is the cost -Σ 1/classes log p_i of what is to be called
    all classes alike, as made-up pictures of no digit are in training, less what it is at least,
    log classes: the divergence of Kullback and Leibler 1951. A thing may look like one class more
    than like the others, and so have confidence, but like that one so little that it has no
    evidence.
    """
    shares = np.maximum(probabilities(outputs), LEAST_SHARE)
    nats: NDArray[np.float64] = -np.log(shares).mean(axis=1) - math.log(outputs.shape[1])
    return nats.clip(min=0)  # rounded, it may be a little less


def calibrate(outputs: FloatArray, labels: NDArray[np.integer]) -> Calibration:
    """What pictures held out tell: outputs (n, classes), labels (n,); nothing for too few.

    What has less confidence or evidence than SURE and EVIDENT of them is unlike what the network
    was trained on. With four decimals.
    """
    if len(outputs) < FEWEST:
        return NO_CALIBRATION
    temperature = fit_temperature(outputs, labels)
    confidences = probabilities(outputs, temperature).max(axis=1)
    return Calibration(temperature, _least(confidences, SURE), _least(evidence(outputs), EVIDENT))


def _least(values: FloatArray, share: float) -> float:
    """What at least such a share of them reaches, with four decimals."""
    least = np.quantile(values, 1 - share, method="lower")
    return math.floor(float(least) * STEPS) / STEPS


class Bin(NamedTuple):
    """The answers with a confidence above `low` and up to `high`: how many, how sure, how right."""

    low: float
    high: float
    images: int
    confidence: float
    accuracy: float


def reliability(confidences: FloatArray, right: Booleans) -> list[Bin]:
    """The answers, (n,) and (n,), in bins of equal width (section 2); those with any in them."""
    edges = [number / BINS for number in range(BINS + 1)]
    places = np.clip(np.searchsorted(edges, confidences) - 1, 0, BINS - 1)
    bins = []
    for place in np.unique(places).tolist():
        here = places == place
        confidence = float(confidences[here].mean(dtype=np.float64))
        accuracy = float(right[here].mean())
        bins.append(Bin(edges[place], edges[place + 1], int(here.sum()), confidence, accuracy))
    return bins


def calibration_error(bins: list[Bin]) -> float:
    """How far confidence is from accuracy, averaged over the answers: equation 3, ECE."""
    images = sum(bin.images for bin in bins)
    return sum(bin.images / images * abs(bin.accuracy - bin.confidence) for bin in bins)


class Coverage(NamedTuple):
    """Of the pictures, the share answered with at least `min_confidence`, and how many right."""

    coverage: float
    accuracy: float
    min_confidence: float


def coverages(confidences: FloatArray, right: Booleans) -> list[Coverage]:
    """How right the surest answers are, (n,) and (n,): all of them, then ever fewer.

    The thresholds have four decimals, for people to use; as many answers as COVERAGES asks for
    reach them, or more where several are equally sure to four decimals.
    """
    ascending = np.sort(confidences)
    rows: dict[float, Coverage] = {}
    for percent in COVERAGES:
        least = float(ascending[len(ascending) * (100 - percent) // 100])
        least = math.floor(least * STEPS) / STEPS
        sure = confidences >= least
        rows[least] = Coverage(float(sure.mean()), float(right[sure].mean()), least)
    return list(rows.values())
