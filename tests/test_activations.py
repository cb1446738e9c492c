"""Activations: values, derivatives, standard deviations of initial weights."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitnet.network.activations import ACTIVATIONS, MIN_SIGMOID, glorot, he, sigmoid

Z = np.array([-30.0, -3.0, -1.0, -0.25, 0.5, 1.0, 2.5, 30.0])  # not 0: relu has no derivative there
EXPECTED = {
    "sigmoid": [1 / (1 + math.exp(-z)) for z in Z],
    "tanh": [(math.exp(z) - math.exp(-z)) / (math.exp(z) + math.exp(-z)) for z in Z],
    "relu": [0, 0, 0, 0, 0.5, 1, 2.5, 30],
}
SPACING = 2.0**-24  # of float32 numbers just below 1

every_activation = pytest.mark.parametrize("name", ACTIVATIONS)
any_float32 = st.floats(width=32, allow_nan=False, allow_infinity=False)


@every_activation
def test_value_agrees_with_the_formula(name: str) -> None:
    np.testing.assert_allclose(ACTIVATIONS[name].function(Z, None), EXPECTED[name], atol=1e-15)


@every_activation
def test_derivative_agrees_with_central_differences(name: str) -> None:
    function, derivative, _ = ACTIVATIONS[name]
    step = 1e-6
    slope = (function(Z + step, None) - function(Z - step, None)) / (2 * step)
    np.testing.assert_allclose(derivative(function(Z, None), None), slope, atol=1e-9)


@every_activation
@pytest.mark.parametrize("field", ["function", "derivative"])
def test_result_is_written_to_out_and_the_argument_is_unchanged(name: str, field: str) -> None:
    call = getattr(ACTIVATIONS[name], field)
    z, out = Z.copy(), np.full_like(Z, np.nan)
    assert call(z, out) is out
    np.testing.assert_array_equal(out, call(Z, None))
    np.testing.assert_array_equal(z, Z)


@every_activation
def test_float32_stays_float32(name: str) -> None:
    function, derivative, _ = ACTIVATIONS[name]
    a = function(Z.astype(np.float32), None)
    assert a.dtype == derivative(a, None).dtype == np.float32


@given(any_float32)
def test_sigmoid_lies_between_0_and_1(z: float) -> None:
    assert 0 <= sigmoid(np.array([z], np.float32))[0] <= 1


@given(any_float32, any_float32)
def test_sigmoid_never_decreases_by_more_than_rounding(z: float, other: float) -> None:
    low, high = sigmoid(np.array(sorted([z, other]), np.float32))
    assert high >= low - SPACING


@given(st.floats(-80, 80, width=32))
def test_sigmoid_is_accurate_in_float32(z: float) -> None:
    assert abs(sigmoid(np.array([z], np.float32))[0] - 1 / (1 + math.exp(-z))) <= 2 * SPACING


def test_sigmoid_accepts_the_largest_numbers() -> None:
    largest = np.finfo(np.float32).max
    assert sigmoid(np.array([-largest, largest], np.float32)).tolist() == [0, 1]


def test_glorot_depends_on_inputs_and_outputs() -> None:
    assert glorot(784, 16) == pytest.approx(0.05)  # √(2 / 800)


def test_he_depends_on_inputs_only() -> None:
    assert he(50, 7) == pytest.approx(0.2)  # √(2 / 50)


def test_the_smallest_positive_sigmoid_in_float32() -> None:
    a = sigmoid(np.linspace(-30, -10, 20_001, dtype=np.float32))
    assert a[0] == 0
    assert a[a > 0].min() == MIN_SIGMOID
