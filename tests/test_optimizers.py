"""Update rules, compared with plain loops."""

import numpy as np
import pytest

from digitnet.network.network import Network
from digitnet.training.optimizers import OPTIMIZERS, SGD, Adam, AdamW, Optimizer, l2_coefficients

RATE, MOMENTUM = 0.1, 0.9
CURVATURE = np.array([1.0, 3.0, 0.2])  # c of the quadratic function ½ Σ c θ²; its gradient is c θ
START = np.array([1.0, -2.0, 0.5])


def move(optimizer: Optimizer, gradient: np.ndarray, number: int = 1, rate: float = 1) -> None:
    """Move all parameters by one step."""
    coefficients = optimizer.coefficients(rate, number)
    optimizer.step(coefficients.gradient * gradient, coefficients)


def run_sgd(steps: int = 20, **options: float | bool) -> np.ndarray:
    """Return the parameters after SGD on the quadratic function, from START."""
    parameters = START.copy()
    optimizer = SGD(parameters, learning_rate=RATE, **options)
    for _ in range(steps):
        move(optimizer, CURVATURE * parameters)
    return parameters


def test_a_step_by_hand() -> None:
    parameters = np.array([1.0, 2.0])
    move(SGD(parameters, learning_rate=0.5), np.array([2.0, -1.0]))
    assert parameters.tolist() == [0.0, 2.5]  # 1 - 0.5·2, 2 + 0.5·1


def test_three_steps_with_momentum_by_hand() -> None:
    parameters = np.array([1.0])
    optimizer = SGD(parameters, learning_rate=0.5, momentum=0.5)
    move(optimizer, np.array([2.0]))  # v = -0.5·2 = -1, θ = 0
    assert parameters.tolist() == [0.0]
    move(optimizer, np.array([-1.0]))  # v = 0.5·(-1) + 0.5·1 = 0, θ = 0
    assert parameters.tolist() == [0.0]
    move(optimizer, np.array([4.0]))  # v = -0.5·4 = -2, θ = -2
    assert parameters.tolist() == [-2.0]


def test_plain_descent_agrees_with_a_plain_loop() -> None:
    θ = START.copy()
    for _ in range(20):
        θ = θ - RATE * CURVATURE * θ
    np.testing.assert_allclose(run_sgd(), θ, rtol=1e-13)


def test_momentum_agrees_with_a_plain_loop() -> None:
    θ, v = START.copy(), np.zeros(3)
    for _ in range(20):
        v = MOMENTUM * v - RATE * CURVATURE * θ
        θ = θ + v
    np.testing.assert_allclose(run_sgd(momentum=MOMENTUM), θ, rtol=1e-12)


def test_nesterov_agrees_with_sutskevers_equations() -> None:
    # Their gradient is taken at the point θ + μ v. SGD's parameters are this point.
    θ, v = START.copy(), np.zeros(3)
    for _ in range(20):
        v = MOMENTUM * v - RATE * CURVATURE * (θ + MOMENTUM * v)
        θ = θ + v
    np.testing.assert_allclose(
        run_sgd(momentum=MOMENTUM, nesterov=True), θ + MOMENTUM * v, rtol=1e-12
    )


def test_nesterov_agrees_with_a_plain_loop() -> None:
    θ, v = START.copy(), np.zeros(3)
    for _ in range(20):
        gradient = CURVATURE * θ
        v = MOMENTUM * v - RATE * gradient
        θ = θ + MOMENTUM * v - RATE * gradient
    np.testing.assert_allclose(run_sgd(momentum=MOMENTUM, nesterov=True), θ, rtol=1e-12)


def test_nesterov_without_momentum_is_plain_descent() -> None:
    np.testing.assert_array_equal(run_sgd(nesterov=True), run_sgd())


def test_state_is_the_velocity_and_empty_without_momentum() -> None:
    assert SGD(START.copy(), learning_rate=RATE).state == {}
    optimizer = SGD(START.copy(), learning_rate=RATE, momentum=MOMENTUM)
    assert list(optimizer.state) == ["velocity"]
    assert optimizer.state["velocity"].tolist() == [0, 0, 0]
    move(optimizer, np.array([1.0, 2.0, 3.0]))
    np.testing.assert_allclose(optimizer.state["velocity"], [-0.1, -0.2, -0.3])


@pytest.mark.parametrize("nesterov", [False, True])
def test_a_copied_state_continues_like_the_original(nesterov: bool) -> None:
    parameters = START.copy()
    first = SGD(parameters, learning_rate=RATE, momentum=MOMENTUM, nesterov=nesterov)
    move(first, CURVATURE * parameters)
    copy = parameters.copy()
    second = SGD(copy, learning_rate=RATE, momentum=MOMENTUM, nesterov=nesterov)
    second.state["velocity"][:] = first.state["velocity"]
    for _ in range(3):
        move(first, CURVATURE * parameters)
        move(second, CURVATURE * copy)
    np.testing.assert_array_equal(copy, parameters)


@pytest.mark.parametrize("options", [{}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}])
def test_a_step_updates_the_vector_in_place_in_float32(options: dict[str, float]) -> None:
    vector = np.array([1, 2, 3, 4], np.float32)
    view = vector[1:]
    optimizer = SGD(vector, learning_rate=0.5, **options)
    move(optimizer, np.full(4, 2, np.float32))
    move(optimizer, np.zeros(4, np.float32), 2)
    assert optimizer.parameters is vector
    assert (view < [1.5, 2.5, 3.5]).all()
    assert {vector.dtype, *(array.dtype for array in optimizer.state.values())} == {
        np.dtype(np.float32)
    }


@pytest.mark.parametrize("options", [{}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}])
def test_a_step_can_be_made_part_by_part(options: dict[str, float]) -> None:
    whole, parts = START.copy(), START.copy()
    first = SGD(whole, learning_rate=RATE, **options)
    second = SGD(parts, learning_rate=RATE, **options)
    for _ in range(3):
        move(first, CURVATURE * whole)
        downhill = second.coefficients().gradient * (CURVATURE * parts)
        for part in (slice(2, 3), slice(0, 2)):
            second.step(downhill[part], second.coefficients(), part)
    np.testing.assert_array_equal(parts, whole)


def test_each_optimizer_has_its_name() -> None:
    assert {"sgd": SGD, "adam": Adam, "adamw": AdamW} == OPTIMIZERS


def test_adams_first_steps_by_hand() -> None:
    parameters = np.array([1.0])
    optimizer = Adam(parameters, learning_rate=0.1, beta_1=0.5, beta_2=0.75)
    move(optimizer, np.array([2.0]), 1)  # m̂ = 2, v̂ = 4: θ = 1 - 0.1·2/2
    np.testing.assert_allclose(parameters, 0.9, rtol=1e-7)
    # m = 0.5·1 - 0.5·4 = -1.5, m̂ = -1.5/0.75 = -2; v = 0.75·1 + 0.25·16 = 4.75, v̂ = 4.75/0.4375
    move(optimizer, np.array([-4.0]), 2)
    np.testing.assert_allclose(parameters, 0.9 + 0.1 * 2 / np.sqrt(4.75 / 0.4375), rtol=1e-7)


@pytest.mark.parametrize("rate", [1, 0.25])
def test_adam_agrees_with_a_plain_loop(rate: float) -> None:
    parameters, θ, m, v = START.copy(), START.copy(), np.zeros(3), np.zeros(3)
    optimizer = Adam(parameters, learning_rate=RATE)
    for t in range(1, 21):
        move(optimizer, CURVATURE * parameters, t, rate)
        g = CURVATURE * θ
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        θ = θ - rate * RATE * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    np.testing.assert_allclose(parameters, θ, rtol=1e-10)


def test_adam_does_not_move_a_parameter_whose_gradient_was_always_0() -> None:
    parameters = np.array([1.0, 2.0], np.float32)
    optimizer = Adam(parameters, learning_rate=RATE)
    for number in (1, 2, 1_000_000):
        move(optimizer, np.array([0, 1], np.float32), number)
    assert parameters[0] == 1
    assert parameters[1] < 2
    assert parameters.dtype == np.float32


def test_adams_late_steps_are_finite_and_as_long_as_the_learning_rate() -> None:
    parameters = np.zeros(1, np.float32)
    optimizer = Adam(parameters, learning_rate=RATE)
    optimizer.state["gradients"][:], optimizer.state["squares"][:] = 10, 1000  # if g is always 1
    move(optimizer, np.ones(1, np.float32), 10**9)
    np.testing.assert_allclose(parameters, -RATE, rtol=1e-5)


@pytest.mark.parametrize("optimizer", [SGD, AdamW])
def test_weight_decay_subtracts_rate_times_l2_times_weight(optimizer: type[SGD | AdamW]) -> None:
    parameters, l2 = START.copy(), np.array([0.1, 0.5, 0.0])
    move(optimizer(parameters, learning_rate=RATE, l2=l2), np.zeros(3), rate=0.5)
    np.testing.assert_allclose(parameters, START - 0.5 * RATE * l2 * START, rtol=1e-12)


def test_adam_adds_l2_to_the_gradient() -> None:
    plain, decayed, l2 = START.copy(), START.copy(), np.array([0.1, 0.5, 0.0])
    move(Adam(plain, learning_rate=RATE), CURVATURE + l2 * START)
    move(Adam(decayed, learning_rate=RATE, l2=l2), CURVATURE.copy())
    np.testing.assert_allclose(decayed, plain, rtol=1e-12)


def test_l2_coefficients_of_biases_are_0() -> None:
    network = Network((4, 3, 2))
    coefficients = l2_coefficients(network, 0.3)
    assert coefficients is not None
    for Wb in network.matrices_of(coefficients):
        np.testing.assert_array_equal(Wb[:, :-1], np.float32(0.3))
        np.testing.assert_array_equal(Wb[:, -1], 0)
    assert l2_coefficients(network, 0) is None


def test_adam_continues_from_a_copied_state() -> None:
    parameters = START.copy()
    first = Adam(parameters, learning_rate=RATE)
    move(first, CURVATURE * parameters, 1)
    copy = parameters.copy()
    second = Adam(copy, learning_rate=RATE)
    for name in first.state:
        second.state[name][:] = first.state[name]
    move(first, CURVATURE * parameters, 2)
    move(second, CURVATURE * copy, 2)
    np.testing.assert_array_equal(copy, parameters)


def test_a_step_of_adam_can_be_made_part_by_part() -> None:
    whole, parts = START.copy(), START.copy()
    first, second = Adam(whole, learning_rate=RATE), Adam(parts, learning_rate=RATE)
    for number in (1, 2, 3):
        move(first, CURVATURE * whole, number)
        gradient = CURVATURE * parts
        for part in (slice(2, 3), slice(0, 2)):
            second.step(gradient[part], second.coefficients(1, number), part)
    np.testing.assert_array_equal(parts, whole)
