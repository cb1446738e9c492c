"""Test calibration: probabilities, temperature, reliability, coverages and evidence."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from hypothesis.extra.numpy import arrays

from digitnet.model.calibration import (
    CONFIDENT_SHARE,
    EVIDENT_SHARE,
    MAX_EVIDENCE,
    MAX_TEMPERATURE,
    MIN_PICTURES,
    MIN_TEMPERATURE,
    RELIABILITY_BINS,
    Bin,
    calibrate,
    calibration_error,
    coverages,
    evidence,
    fit_temperature,
    probabilities,
    reliability,
)
from digitnet.network.activations import MIN_SIGMOID, sigmoid
from digitnet.network.costs import MIN_OUTPUTS

MIN_SOFTMAX = MIN_OUTPUTS["softmax"]
TEMPERATURES = st.floats(MIN_TEMPERATURE, MAX_TEMPERATURE)
UNIT_INTERVAL = st.floats(0, 1, width=32)
OUTPUTS = hnp.arrays(
    np.float32, st.tuples(st.integers(1, 8), st.integers(1, 12)), elements=UNIT_INTERVAL
)
SEEDS = st.integers(0, 2**32 - 1)


def softmax(z: np.ndarray) -> np.ndarray:
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return np.asarray(e / e.sum(axis=1, keepdims=True))


# Probabilities from outputs


def test_sigmoid_outputs_are_divided_by_their_sum() -> None:
    outputs = np.array([[0.5, 0.25, 0.25], [0.9, 0.9, 0.2], [0.0, 0.0, 0.1]], np.float32)
    expected = [[0.5, 0.25, 0.25], [0.45, 0.45, 0.1], [0, 0, 1]]
    assert probabilities(outputs) == pytest.approx(np.array(expected), abs=1e-7)


@pytest.mark.parametrize("temperature", [1, 0.05, 20])
@pytest.mark.parametrize("output", [0, math.nan, math.inf])
def test_zero_or_non_finite_outputs_give_uniform_probabilities(
    output: float, temperature: float
) -> None:
    outputs = np.full((1, 4), output, np.float32)
    assert probabilities(outputs, temperature).tolist() == [[0.25] * 4]


@pytest.mark.parametrize("temperature", [1, 2])
def test_the_outputs_are_not_modified(temperature: float) -> None:
    outputs = np.array([[0.9, 0.9]], np.float32)
    probabilities(outputs, temperature)
    assert outputs.tolist() == [[np.float32(0.9)] * 2]


@pytest.mark.parametrize("temperature", [0.05, 0.3, 1, 1.7, 20])
def test_softmax_outputs_give_the_softmax_of_z_over_t(temperature: float) -> None:
    z = np.random.default_rng(1).normal(scale=5, size=(50, 10))
    expected = softmax(z / temperature)
    assert probabilities(softmax(z), temperature) == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_a_temperature_of_2_takes_square_roots() -> None:
    outputs = np.array([[0.64, 0.36, 0.0]])
    assert probabilities(outputs, 2) == pytest.approx(np.array([[0.8 / 1.4, 0.6 / 1.4, 0]]))


@given(outputs=OUTPUTS, temperature=TEMPERATURES)
def test_probabilities_sum_to_1_at_any_temperature(outputs: np.ndarray, temperature: float) -> None:
    p = probabilities(outputs, temperature)
    assert ((p >= 0) & (p <= 1)).all()
    assert p.sum(axis=1) == pytest.approx(np.ones(len(p)))


@given(outputs=OUTPUTS, temperature=TEMPERATURES)
def test_no_temperature_changes_an_answer_or_a_tie(outputs: np.ndarray, temperature: float) -> None:
    p = probabilities(outputs, temperature)
    largest = outputs == outputs.max(axis=1, keepdims=True)
    assert ((p == p.max(axis=1, keepdims=True)) == largest).all()
    assert (p.argmax(axis=1) == outputs.argmax(axis=1)).all()


@pytest.mark.parametrize("temperature", [1, MAX_TEMPERATURE])
def test_adjacent_floats_stay_distinct(temperature: float) -> None:
    half = np.float32(0.5)
    outputs = np.array([[np.nextafter(half, np.float32(0)), half, 0.25]], np.float32)
    assert probabilities(outputs, temperature).argmax() == 1


# The temperature


def calibrated_outputs(
    seed: int, n: int, temperature: float, sharpness: float = 3
) -> tuple[np.ndarray, np.ndarray]:
    """Return outputs of a network that is calibrated exactly at `temperature`, and labels."""
    rng = np.random.default_rng(seed)
    z = rng.normal(scale=sharpness, size=(n, 10))
    labels = (softmax(z).cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1)
    return softmax(z * temperature).astype(np.float32), labels


def cost(outputs: np.ndarray, labels: np.ndarray, temperature: float) -> float:
    """Return the mean negative log-likelihood."""
    p = probabilities(outputs, temperature)[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(p, 1e-300)).mean())


@given(seed=SEEDS, temperature=st.floats(0.2, 6))
def test_a_known_temperature_is_found(seed: int, temperature: float) -> None:
    outputs, labels = calibrated_outputs(seed, 4000, temperature)
    assert fit_temperature(outputs, labels) == pytest.approx(temperature, rel=0.15)


@given(seed=SEEDS, temperature=st.floats(0.2, 6), n=st.integers(MIN_PICTURES, 300))
def test_the_fit_is_the_minimum_with_the_added_picture(
    seed: int, temperature: float, n: int
) -> None:
    outputs, labels = calibrated_outputs(seed, n, temperature)
    l = np.log(np.maximum(probabilities(outputs), 1e-45))
    second = np.argsort(l, axis=1)[:, -2]

    def total_cost(temperature: float) -> float:
        return n * cost(outputs, labels, temperature) + cost(outputs, second, temperature)

    fitted = fit_temperature(outputs, labels)
    for other in (fitted * 0.99, fitted * 1.01, 1, MIN_TEMPERATURE, MAX_TEMPERATURE):
        if MIN_TEMPERATURE <= other <= MAX_TEMPERATURE:
            assert total_cost(fitted) <= total_cost(other) + 1e-9


@given(
    outputs=hnp.arrays(np.float32, (12, 4), elements=st.sampled_from([0, 2**-25, 0.3, 0.999, 1])),
    labels=hnp.arrays(np.int64, 12, elements=st.integers(0, 3)),
)
def test_any_outputs_give_a_temperature_within_bounds(
    outputs: np.ndarray, labels: np.ndarray
) -> None:
    fitted = fit_temperature(outputs, labels)
    assert type(fitted) is float
    assert MIN_TEMPERATURE <= fitted <= MAX_TEMPERATURE
    assert fitted == fit_temperature(outputs.copy(), labels.copy())


@pytest.mark.parametrize("n", [30, 300, 3000])
def test_n_right_answers_of_n_do_not_mean_certainty(n: int) -> None:
    outputs = np.tile(np.array([[0.9, 0.06, 0.03, 0.01]], np.float32), (n, 1))
    fitted = fit_temperature(outputs, np.zeros(n, np.int64))
    assert MIN_TEMPERATURE < fitted < 1
    confidence = probabilities(outputs, fitted)[0, 0]
    assert 1 - 2 / n < confidence < 1 - 0.9 / (n + 1)


def test_right_answers_with_outputs_0_and_1_are_fitted() -> None:
    labels = np.arange(50) % 10
    assert 1 < fit_temperature(np.eye(10, dtype=np.float32)[labels], labels) < 4


def test_one_output_of_0_for_the_true_class_does_not_outweigh_thousands() -> None:
    outputs, labels = calibrated_outputs(1, 5000, 1)
    before = fit_temperature(outputs, labels)
    outputs[0] = np.eye(10)[(labels[0] + 1) % 10]
    assert fit_temperature(outputs, labels) == pytest.approx(before, rel=0.03)


def test_answers_at_chance_level_get_the_highest_temperature() -> None:
    rng = np.random.default_rng(1)
    outputs = softmax(rng.normal(scale=9, size=(500, 10))).astype(np.float32)
    assert fit_temperature(outputs, rng.integers(0, 10, 500)) == MAX_TEMPERATURE


def test_wrong_answers_get_the_highest_temperature() -> None:
    outputs = softmax(np.random.default_rng(1).normal(size=(50, 10)))
    assert fit_temperature(outputs, outputs.argmin(axis=1)) == MAX_TEMPERATURE


@pytest.mark.parametrize("output", [0, 0.5, math.nan])
def test_uniform_outputs_keep_temperature_1(output: float) -> None:
    outputs = np.full((40, 10), output, np.float32)
    assert fit_temperature(outputs, np.arange(40) % 10) == 1


@pytest.mark.parametrize("n", [0, 1, MIN_PICTURES - 1])
def test_too_few_pictures_keep_temperature_1(n: int) -> None:
    outputs = np.tile(np.array([[0.6, 0.4]], np.float32), (n, 1))
    assert fit_temperature(outputs, np.zeros(n, np.int64)) == 1


def test_a_single_class_keeps_temperature_1() -> None:
    assert fit_temperature(np.ones((20, 1), np.float32), np.zeros(20, np.int64)) == 1


# Reliability: confidence and accuracy


def test_reliability_equals_the_values_worked_by_hand() -> None:
    confidences = np.array([0.95, 0.97, 0.99, 0.5, 0.51], np.float32)
    right = np.array([True, True, False, False, True])
    low, high = reliability(confidences, right)
    assert low == pytest.approx(Bin(7 / 15, 8 / 15, 2, 0.505, 0.5), abs=1e-6)
    assert high == pytest.approx(Bin(14 / 15, 1.0, 3, 0.97, 2 / 3), abs=1e-6)


def test_the_calibration_error_equals_the_value_worked_by_hand() -> None:
    bins = [Bin(0, 0.5, 1, 0.4, 1.0), Bin(0.5, 1.0, 3, 0.9, 2 / 3)]
    assert calibration_error(bins) == pytest.approx(0.25 * 0.6 + 0.75 * (0.9 - 2 / 3))


def test_a_bin_includes_its_upper_edge_only() -> None:
    edges = np.array([0, 3 / RELIABILITY_BINS, np.nextafter(3 / RELIABILITY_BINS, 1), 1])
    bins = reliability(edges, np.ones(4, np.bool_))
    assert [bin[:3] for bin in bins] == [
        (0, 1 / RELIABILITY_BINS, 1),
        (2 / RELIABILITY_BINS, 3 / RELIABILITY_BINS, 1),
        (3 / RELIABILITY_BINS, 4 / RELIABILITY_BINS, 1),
        (14 / RELIABILITY_BINS, 1, 1),
    ]


@given(confidences=hnp.arrays(np.float32, st.integers(1, 60), elements=UNIT_INTERVAL), seed=SEEDS)
def test_every_answer_is_in_one_bin(confidences: np.ndarray, seed: int) -> None:
    right = np.random.default_rng(seed).random(len(confidences)) < 0.5
    bins = reliability(confidences, right)
    assert sum(bin.images for bin in bins) == len(confidences)
    assert sum(bin.images * bin.accuracy for bin in bins) == pytest.approx(right.sum())
    assert sum(bin.images * bin.confidence for bin in bins) == pytest.approx(confidences.sum())
    for low, high, images, confidence, _ in bins:
        assert images
        assert low - 1e-6 <= confidence <= high + 1e-6
    overall = abs(right.mean() - confidences.mean(dtype=np.float64))
    assert overall - 1e-6 <= calibration_error(bins) <= 1


def test_calibrated_answers_have_no_calibration_error() -> None:
    rng = np.random.default_rng(1)
    errors = []
    for n in (100, 10_000, 1_000_000):
        confidences = rng.random(n)
        errors.append(calibration_error(reliability(confidences, rng.random(n) < confidences)))
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 0.003


def test_the_temperature_removes_most_of_the_calibration_error() -> None:
    outputs, labels = calibrated_outputs(1, 20_000, 3)
    errors = []
    for temperature in (1, fit_temperature(outputs[:5000], labels[:5000])):
        p = probabilities(outputs[5000:], temperature)
        right = p.argmax(axis=1) == labels[5000:]
        errors.append(calibration_error(reliability(p.max(axis=1), right)))
    assert errors[0] > 0.1
    assert errors[1] < 0.02


# Coverages


def test_coverages_equal_the_values_worked_by_hand() -> None:
    confidences = np.arange(1, 101)[::-1] / 200 + 0.4  # 0.9 down to 0.405
    right = np.arange(100) < 90
    rows = coverages(confidences, right)
    assert [row.coverage for row in rows] == [1, 0.99, 0.98, 0.95, 0.9, 0.8, 0.5]
    assert [row.accuracy for row in rows] == pytest.approx(
        [0.9, 90 / 99, 90 / 98, 90 / 95, 1, 1, 1]
    )
    assert [row.min_confidence for row in rows] == pytest.approx(
        [0.405, 0.41, 0.415, 0.43, 0.455, 0.505, 0.655], abs=1.01e-4
    )


def test_equally_confident_answers_share_a_row() -> None:
    confidences = np.array([0.5] * 3 + [1.0] * 7, np.float32)
    right = np.array([False, True, True] + [True] * 7)
    assert coverages(confidences, right) == [(1.0, 0.9, 0.5), (0.7, 1.0, 1.0)]


@given(confidences=hnp.arrays(np.float32, st.integers(1, 80), elements=UNIT_INTERVAL), seed=SEEDS)
def test_each_threshold_gives_its_coverage_and_accuracy(confidences: np.ndarray, seed: int) -> None:
    rng = np.random.default_rng(seed)
    right = rng.random(len(confidences)) < 0.5
    rows = coverages(confidences, right)
    assert rows[0].coverage == 1
    assert rows[0].accuracy == right.mean()
    assert rows[-1].coverage >= 0.5
    for coverage, accuracy, threshold in rows:
        answered = [float(confidence) >= threshold for confidence in confidences]
        assert coverage == pytest.approx(np.mean(answered))
        assert accuracy == pytest.approx(right[answered].mean())
        assert f"{threshold:.4f}" == f"{threshold:.9f}"[:-5]
    thresholds = [row.min_confidence for row in rows]
    assert thresholds == sorted(set(thresholds))
    order = rng.permutation(len(confidences))
    assert coverages(confidences[order], right[order]) == rows


# Thresholds and evidence


def test_nearly_all_held_out_pictures_reach_both_thresholds() -> None:
    rng = np.random.default_rng(1)
    outputs = softmax(rng.normal(scale=4, size=(10_000, 10))).astype(np.float32)
    labels = rng.integers(0, 10, 10_000)
    temperature, min_confidence, min_evidence = calibrate(outputs, labels, MIN_SOFTMAX)
    assert temperature == fit_temperature(outputs, labels)
    confidences = probabilities(outputs, temperature).max(axis=1)
    for values, threshold, share in (
        (confidences, min_confidence, 0.995),
        (evidence(outputs, MIN_SOFTMAX), min_evidence, 0.99),
    ):
        assert share <= (values >= threshold).mean() <= share + 0.001
        assert (values >= threshold + 0.02).mean() < share


def test_too_few_pictures_give_no_calibration() -> None:
    assert calibrate(np.eye(9, dtype=np.float32), np.arange(9), MIN_SOFTMAX) == (1, 0, 0)


def test_evidence_is_the_divergence_from_uniform() -> None:
    outputs = np.array([[0.5, 0.25, 0.25], [0.2, 0.2, 0.2]], np.float32)
    costs = [-(np.log(0.5) + 2 * np.log(0.25)) / 3, np.log(3)]
    found = evidence(outputs, MIN_SOFTMAX)
    assert found == pytest.approx(np.array(costs) - np.log(3), abs=1e-7)


@pytest.mark.parametrize("output", ["sigmoid", "softmax"])
@given(outputs=arrays(np.float32, (3, 10), elements=st.floats(0, 1, width=32)))
def test_evidence_is_within_its_bounds(output: str, outputs: np.ndarray) -> None:
    found = evidence(outputs, MIN_OUTPUTS[output])
    assert found.dtype == np.float64
    assert ((found >= 0) & (found <= MAX_EVIDENCE)).all()


def test_faint_resemblance_to_one_class_gives_confidence_but_little_evidence() -> None:
    little, much = (softmax(np.array([[z, *[0.0] * 9]])).astype(np.float32) for z in (5, 15))
    assert probabilities(little).max() > 0.9
    assert evidence(little, MIN_SOFTMAX) < 3
    assert evidence(much, MIN_SOFTMAX) > 9


@pytest.mark.parametrize("output", ["sigmoid", "softmax"])
@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_non_finite_outputs_have_no_evidence(wrong: float, output: str) -> None:
    outputs = np.array([[wrong, 0.1, 0.2]], np.float32)
    assert evidence(outputs, MIN_OUTPUTS[output]) == pytest.approx(0, abs=1e-12)


def test_evidence_of_sigmoids_in_float32_is_that_in_float64() -> None:
    z = np.random.default_rng(1).uniform(-40, 10, (2000, 10)).astype(np.float32)
    outputs = sigmoid(z)
    assert (outputs == 0).any(axis=1).mean() > 0.9
    exact = evidence(1 / (1 + np.exp(-z.astype(np.float64))), MIN_SIGMOID)
    assert evidence(outputs, MIN_SIGMOID) == pytest.approx(exact, abs=0.2)


def test_an_output_that_rounds_to_0_hardly_changes_evidence() -> None:
    z = np.linspace(-20, -15, 1000, dtype=np.float32)
    outputs = np.tile(np.float32([0.9, *[0.001] * 9]), (1000, 1))
    outputs[:, -1] = sigmoid(z)
    steps = np.diff(evidence(outputs, MIN_SIGMOID))
    assert outputs[0, -1] == 0 < outputs[-1, -1]
    assert (steps <= 0).all()
    assert steps.min() > -0.07  # a tenth of log 2: one step of float32


def test_a_softmax_has_evidence_from_tiny_outputs() -> None:
    outputs = np.float32([[1, 1e-37], [1, 1e-30]])
    assert np.diff(evidence(outputs, MIN_SOFTMAX)) == pytest.approx(-7 * np.log(10) / 2, abs=1e-4)


@given(seed=SEEDS, n=st.integers(MIN_PICTURES, 300))
def test_the_thresholds_are_reached_by_the_set_shares(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    outputs = rng.dirichlet(np.full(10, 0.3), n).astype(np.float32)
    found = calibrate(outputs, rng.integers(0, 10, n), MIN_SOFTMAX)
    confidences = probabilities(outputs, found.temperature).max(axis=1)
    assert np.mean(confidences >= found.min_confidence) >= CONFIDENT_SHARE
    assert np.mean(evidence(outputs, MIN_SOFTMAX) >= found.min_evidence) >= EVIDENT_SHARE
