"""Test the comparison of two models against values worked by hand and from other sources."""

import math
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitnet.errors import CheckpointError
from digitnet.model.checkpoint import load_checkpoint, save_checkpoint
from digitnet.model.comparison import Comparison, compare, load_baseline, mcnemar
from digitnet.model.evaluation import Evaluation

COUNTS = st.integers(0, 400)


def exact_p_value(b: int, c: int) -> Fraction:
    """Return twice the smaller tail of the binomial distribution, at most 1, as exact fraction."""
    n = b + c
    return min(Fraction(2 * sum(math.comb(n, i) for i in range(min(b, c) + 1)), 2**n), Fraction(1))


# McNemar's test


@pytest.mark.parametrize(
    ("b", "c", "p"),
    [
        (0, 0, 1),
        (1, 0, 1),
        (2, 0, 0.5),
        (0, 6, 2 / 64),
        (1, 7, 2 * (1 + 8) / 256),
        (10, 2, 2 * (1 + 12 + 66) / 4096),
        (5, 5, 1),
    ],
)
def test_small_counts_equal_values_worked_by_hand(b: int, c: int, p: float) -> None:
    assert mcnemar(b, c) == pytest.approx(p, rel=1e-15)


@given(b=COUNTS, c=COUNTS)
def test_the_p_value_is_the_binomial_tail(b: int, c: int) -> None:
    assert mcnemar(b, c) == pytest.approx(float(exact_p_value(b, c)), rel=1e-12)


@given(b=COUNTS, c=COUNTS)
def test_the_p_value_is_a_probability_and_symmetric(b: int, c: int) -> None:
    assert 0 < mcnemar(b, c) <= 1
    assert mcnemar(b, c) == mcnemar(c, b)


@given(n=st.integers(1, 400), k=st.integers(0, 200))
def test_the_p_value_falls_as_the_counts_move_apart(n: int, k: int) -> None:
    k = min(k, n // 2)
    if k:
        assert mcnemar(k - 1, n - k + 1) < mcnemar(k, n - k) or mcnemar(k, n - k) == 1


def test_counts_of_100_000_are_computed() -> None:
    """Compare with the normal approximation and Edwards' continuity correction, |b - c| - 1."""
    for b, c in [(49_500, 50_500), (49_900, 50_100), (49_000, 51_000)]:
        normal = math.erfc((c - b - 1) / math.sqrt(2 * (b + c)))
        assert mcnemar(b, c) == pytest.approx(normal, rel=1e-3)
    assert mcnemar(50_000, 50_000) == 1
    assert mcnemar(0, 100_000) == 0


# The difference


def test_the_interval_equals_bonett_and_price() -> None:
    """Compare with the published result of ci.prop.ps(.05, 12, 4, 26, 6), R package statpsych."""
    interval = Comparison(48, 0.5, only_model_right=26, only_baseline_right=4).interval
    assert interval == pytest.approx((0.2548067, 0.6251933), abs=1e-7)


@given(b=COUNTS, c=COUNTS, both=st.integers(0, 1000))
def test_the_interval_contains_the_difference(b: int, c: int, both: int) -> None:
    compared = Comparison(b + c + both + 1, 0.5, b, c)
    low, high = compared.interval
    assert -1 <= low <= compared.difference <= high <= 1
    swapped = Comparison(compared.images, 0.5, c, b)
    assert swapped.difference == -compared.difference
    assert swapped.interval == pytest.approx((-high, -low))


def test_the_interval_contains_the_true_difference_19_times_in_20() -> None:
    rng = np.random.default_rng(1)
    n, p, q = 500, 0.04, 0.02
    drawn = rng.multinomial(n, [p, q, 1 - p - q], size=4000)
    intervals = [Comparison(n, 0.5, int(b), int(c)).interval for b, c, _ in drawn]
    assert np.mean([low <= p - q <= high for low, high in intervals]) == pytest.approx(
        0.95, abs=0.015
    )


@pytest.mark.parametrize(("b", "c", "significant"), [(6, 0, True), (5, 0, False), (50, 50, False)])
def test_a_difference_that_chance_rarely_makes_is_significant(
    b: int, c: int, significant: bool
) -> None:
    assert Comparison(100, 0.5, b, c).is_significant is significant


# Two evaluations


def evaluation(labels: list[int], answers: list[int]) -> Evaluation:
    confidences = np.ones(len(labels), np.float32)
    return Evaluation(0.5, np.array(labels), np.array(answers), confidences, 3)


def test_pictures_that_only_one_model_has_right_are_counted() -> None:
    labels = [0, 0, 1, 1, 2, 2, 2]
    model = evaluation(labels, [0, 0, 1, 1, 2, 0, 0])
    baseline = evaluation(labels, [0, 1, 0, 2, 2, 2, 1])
    compared = compare(model, baseline)
    assert compared == Comparison(7, 3 / 7, only_model_right=3, only_baseline_right=1)
    assert compared.difference == pytest.approx(model.accuracy - baseline.accuracy)
    assert compared.p_value == exact_p_value(3, 1)


# The baseline


def test_a_model_with_the_same_classes_is_accepted(model: Path) -> None:
    checkpoint = load_checkpoint(model)
    assert load_baseline(str(model), checkpoint).class_names == checkpoint.class_names


def test_a_model_with_other_classes_is_refused(model: Path, tmp_path: Path) -> None:
    checkpoint = load_checkpoint(model)
    path = str(tmp_path / "letters.npz")
    save_checkpoint(path, replace(checkpoint, class_names=tuple("abcdefghij")))
    with pytest.raises(CheckpointError, match=r"letters\.npz: expected the model's classes, 0, 1"):
        load_baseline(path, checkpoint)
