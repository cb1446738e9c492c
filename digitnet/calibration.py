"""Confidence that means what it says: the temperature, and how near the truth confidence comes.

After Guo, Pleiss, Sun and Weinberger 2017, On Calibration of Modern Neural Networks. Of the
pictures that are answered with a confidence of 0.9, nine in ten should be right; networks that were
trained for long are surer than that. One number, fitted on pictures held out, makes up for it.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from digitnet.activations import FloatArray

LOWEST, HIGHEST = 0.05, 20.0  # temperatures
FEWEST = 10  # pictures that tell of a temperature
SMALLEST = 2.0**-25  # a sigmoid output that is no 0 yet
USUAL = 0.99  # of the pictures held out
BINS = 15
COVERAGES = (100, 99, 98, 95, 90, 80, 50)  # percent
DECIMALS = 10_000  # of a confidence as `predict` prints it

Booleans = NDArray[np.bool_]


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


def usual_confidence(outputs: FloatArray, temperature: float) -> float:
    """The confidence that USUAL of the answers have, for outputs (n, classes); 0 for too few.

    What is answered with less is unlike what the network was trained on. With four decimals.
    """
    if len(outputs) < FEWEST:
        return 0.0
    confidences = probabilities(outputs, temperature).max(axis=1)
    return math.floor(float(np.quantile(confidences, 1 - USUAL)) * DECIMALS) / DECIMALS


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
        least = math.floor(least * DECIMALS) / DECIMALS
        sure = confidences >= least
        rows[least] = Coverage(float(sure.mean()), float(right[sure].mean()), least)
    return list(rows.values())
