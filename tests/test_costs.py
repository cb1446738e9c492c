"""Costs: values by hand, δ compared with differences, finite results for huge inputs."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from digitnet.network.costs import COSTS, OUTPUTS, softmax

every_cost = pytest.mark.parametrize(("cost", "output"), COSTS)
ln = math.log
Y = np.eye(4)[:, [2, 0, 3]]  # three examples of four classes
Z = np.random.default_rng(5).normal(0, 2, Y.shape)


def value(cost: str, output: str, z: np.ndarray, y: np.ndarray) -> float:
    """Return C for weighted inputs z."""
    return total(cost, output, z, OUTPUTS[output](z), y) / z.shape[1]


def total(cost: str, output: str, z: np.ndarray, a: np.ndarray, y: np.ndarray) -> float:
    return COSTS[cost, output](z.copy(), a, y, 1, None)


def delta(cost: str, output: str, z: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return ∂C/∂z for weighted inputs z."""
    δ = np.full_like(z, np.nan)
    COSTS[cost, output](z.copy(), OUTPUTS[output](z), y, 1 / z.shape[1], δ)
    return δ


def test_every_cost_supports_every_output() -> None:
    assert set(COSTS) == {(c, o) for c in ("quadratic", "cross_entropy") for o in OUTPUTS}


def test_quadratic_sums_over_outputs_and_examples_and_is_not_halved() -> None:
    a = np.array([[0.5, 0.25, 0.0], [1.0, 0.0, 0.5]]).T
    y = np.array([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]]).T
    # (0.25 + 0.0625 + 0) and (0 + 0 + 0.25)
    for output in OUTPUTS:
        assert total("quadratic", output, np.zeros_like(a), a, y) == 0.5625


def test_cross_entropy_with_sigmoid_is_the_sum_of_binary_cross_entropies() -> None:
    z = np.array([[ln(3), -ln(3)], [0.0, 0.0]]).T  # a = (3/4, 1/4) and (1/2, 1/2)
    y = np.array([[1.0, 1.0], [0.0, 1.0]]).T
    by_hand = (-ln(3 / 4) - ln(1 / 4) - ln(1 / 2) - ln(1 / 2)) / 2
    assert value("cross_entropy", "sigmoid", z, y) == pytest.approx(by_hand, rel=1e-14)


def test_cross_entropy_with_softmax_depends_only_on_the_true_class() -> None:
    z = np.array([[0.0, ln(2), 0.0], [7.0, 7.0, 7.0]]).T  # a = (1/4, 1/2, 1/4) and (1/3, 1/3, 1/3)
    y = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0]]).T
    by_hand = (-ln(1 / 4) - ln(1 / 3)) / 2
    assert value("cross_entropy", "softmax", z, y) == pytest.approx(by_hand, rel=1e-14)


def test_softmax_by_hand() -> None:
    z = np.array([[0.0, ln(2), 0.0], [5.0, 5.0, 5.0 + ln(8)]]).T
    np.testing.assert_allclose(softmax(z).T, [[0.25, 0.5, 0.25], [0.1, 0.1, 0.8]], rtol=1e-14)


@given(
    arrays(
        np.float32,
        array_shapes(min_dims=2, max_dims=2, max_side=12),
        elements=st.floats(-(2.0**126), 2.0**126, width=32),
    )
)
def test_softmax_gives_probabilities(z: np.ndarray) -> None:
    a = softmax(z)
    assert ((a >= 0) & (a <= 1)).all()
    np.testing.assert_allclose(a.sum(axis=0), 1, rtol=1e-6)


def test_softmax_writes_to_out() -> None:
    out = np.full_like(Z, np.nan)
    assert softmax(Z, out) is out
    np.testing.assert_array_equal(out, softmax(Z))


@every_cost
def test_cost_is_averaged_over_the_examples(cost: str, output: str) -> None:
    one_by_one = [value(cost, output, Z[:, [i]], Y[:, [i]]) for i in range(3)]
    assert value(cost, output, Z, Y) == pytest.approx(sum(one_by_one) / 3, rel=1e-14)


@every_cost
def test_delta_agrees_with_central_differences(cost: str, output: str) -> None:
    step = 1e-5
    numeric = np.zeros_like(Z)
    for at in np.ndindex(Z.shape):
        nudge = np.zeros_like(Z)
        nudge[at] = step
        difference = value(cost, output, Z + nudge, Y) - value(cost, output, Z - nudge, Y)
        numeric[at] = difference / (2 * step)
    np.testing.assert_allclose(delta(cost, output, Z, Y), numeric, atol=1e-9)


@every_cost
def test_activations_and_labels_are_unchanged_and_delta_is_optional(cost: str, output: str) -> None:
    a, y, δ = OUTPUTS[output](Z), Y.copy(), np.full_like(Z, np.nan)
    a_before = a.copy()
    with_delta = COSTS[cost, output](Z.copy(), a, y, 1, δ)
    assert np.isfinite(δ).all()
    assert COSTS[cost, output](Z.copy(), a, y, 1, None) == with_delta
    np.testing.assert_array_equal(a, a_before)
    np.testing.assert_array_equal(y, Y)


@every_cost
@pytest.mark.parametrize("huge", [1e2, 1e4, 1e30])
def test_values_and_deltas_are_finite_for_huge_inputs(cost: str, output: str, huge: float) -> None:
    z = np.array([[huge, -huge, 0], [-huge, huge, 0]], np.float32).T
    y = np.eye(3, dtype=np.float32)[:, [0, 0]]  # confidently right, confidently wrong
    assert math.isfinite(value(cost, output, z, y))
    assert np.isfinite(delta(cost, output, z, y)).all()


def test_cross_entropy_of_a_confident_mistake_grows_with_z() -> None:
    # sigmoid: -ln σ(-500) = 500 for each of the two wrong outputs
    # softmax: ln(e⁵⁰⁰ + e⁻⁵⁰⁰) + 500 = 1000
    z, y = np.array([[-500], [500]], np.float32), np.array([[1], [0]], np.float32)
    assert value("cross_entropy", "sigmoid", z, y) == 1000
    assert value("cross_entropy", "softmax", z, y) == 1000


@pytest.mark.parametrize("output", OUTPUTS)
def test_gradient_of_cross_entropy_does_not_vanish_at_saturated_outputs(output: str) -> None:
    z, y = np.array([[-500], [500]], np.float32), np.array([[1], [0]], np.float32)
    assert delta("cross_entropy", output, z, y).tolist() == [[-1], [1]]


def test_gradient_of_quadratic_cost_vanishes_at_saturated_outputs() -> None:
    z, y = np.array([[-500], [500]], np.float32), np.array([[1], [0]], np.float32)
    assert delta("quadratic", "sigmoid", z, y).tolist() == [[0], [0]]
