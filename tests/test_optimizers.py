"""The update rules, held against plain loops."""

import numpy as np
import pytest

from digitnet.optimizers import OPTIMIZERS, SGD

RATE, MOMENTUM = 0.1, 0.9
CURVATURE = np.array([1.0, 3.0, 0.2])  # of a bowl, ½ Σ c θ²; its gradient is c θ
START = np.array([1.0, -2.0, 0.5])


def walked(steps: int = 20, **options: float | bool) -> np.ndarray:
    """Where SGD arrives in the bowl."""
    parameters = START.copy()
    optimizer = SGD(parameters, learning_rate=RATE, **options)
    for _ in range(steps):
        optimizer.step(optimizer.scale * CURVATURE * parameters)
    return parameters


def test_a_step_by_hand() -> None:
    parameters = np.array([1.0, 2.0])
    SGD(parameters, learning_rate=0.5).step(0.5 * np.array([2.0, -1.0]))
    assert parameters.tolist() == [0.0, 2.5]  # 1 - 0.5·2, 2 + 0.5·1


def test_three_steps_with_momentum_by_hand() -> None:
    parameters = np.array([1.0])
    optimizer = SGD(parameters, learning_rate=0.5, momentum=0.5)
    optimizer.step(optimizer.scale * np.array([2.0]))  # v = -0.5·2 = -1, θ = 0
    assert parameters.tolist() == [0.0]
    optimizer.step(optimizer.scale * np.array([-1.0]))  # v = 0.5·(-1) + 0.5·1 = 0, θ = 0
    assert parameters.tolist() == [0.0]
    optimizer.step(optimizer.scale * np.array([4.0]))  # v = -0.5·4 = -2, θ = -2
    assert parameters.tolist() == [-2.0]


def test_plain_descent_agrees_with_a_plain_loop() -> None:
    θ = START.copy()
    for _ in range(20):
        θ = θ - RATE * CURVATURE * θ
    np.testing.assert_allclose(walked(), θ, rtol=1e-13)


def test_momentum_agrees_with_a_plain_loop() -> None:
    θ, v = START.copy(), np.zeros(3)
    for _ in range(20):
        v = MOMENTUM * v - RATE * CURVATURE * θ
        θ = θ + v
    np.testing.assert_allclose(walked(momentum=MOMENTUM), θ, rtol=1e-12)


def test_nesterov_agrees_with_sutskevers_equations() -> None:
    # There the gradient is taken ahead, at θ + μ v: which is where SGD keeps its parameters.
    θ, v = START.copy(), np.zeros(3)
    for _ in range(20):
        v = MOMENTUM * v - RATE * CURVATURE * (θ + MOMENTUM * v)
        θ = θ + v
    np.testing.assert_allclose(
        walked(momentum=MOMENTUM, nesterov=True), θ + MOMENTUM * v, rtol=1e-12
    )


def test_nesterov_agrees_with_a_plain_loop() -> None:
    θ, v = START.copy(), np.zeros(3)
    for _ in range(20):
        gradient = CURVATURE * θ
        v = MOMENTUM * v - RATE * gradient
        θ = θ + MOMENTUM * v - RATE * gradient
    np.testing.assert_allclose(walked(momentum=MOMENTUM, nesterov=True), θ, rtol=1e-12)


def test_nesterov_without_momentum_is_plain_descent() -> None:
    np.testing.assert_array_equal(walked(nesterov=True), walked())


def test_state_is_the_velocity_and_there_is_none_without_momentum() -> None:
    assert SGD(START.copy(), learning_rate=RATE).state == {}
    optimizer = SGD(START.copy(), learning_rate=RATE, momentum=MOMENTUM)
    assert list(optimizer.state) == ["velocity"]
    assert optimizer.state["velocity"].tolist() == [0, 0, 0]
    optimizer.step(optimizer.scale * np.array([1.0, 2.0, 3.0]))
    np.testing.assert_allclose(optimizer.state["velocity"], [-0.1, -0.2, -0.3])


@pytest.mark.parametrize("nesterov", [False, True])
def test_a_copied_state_walks_on_as_the_original_does(nesterov: bool) -> None:
    parameters = START.copy()
    first = SGD(parameters, learning_rate=RATE, momentum=MOMENTUM, nesterov=nesterov)
    first.step(first.scale * CURVATURE * parameters)
    copy = parameters.copy()
    second = SGD(copy, learning_rate=RATE, momentum=MOMENTUM, nesterov=nesterov)
    second.state["velocity"][:] = first.state["velocity"]
    for _ in range(3):
        first.step(first.scale * CURVATURE * parameters)
        second.step(second.scale * CURVATURE * copy)
    np.testing.assert_array_equal(copy, parameters)


@pytest.mark.parametrize("options", [{}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}])
def test_a_step_moves_the_vector_itself_and_keeps_it_float32(options: dict[str, float]) -> None:
    vector = np.array([1, 2, 3, 4], np.float32)
    view = vector[1:]
    optimizer = SGD(vector, learning_rate=0.5, **options)
    optimizer.step(np.full(4, 2, np.float32))
    optimizer.step(np.zeros(4, np.float32))
    assert optimizer.parameters is vector
    assert (view < [1.5, 2.5, 3.5]).all()
    assert {vector.dtype, *(array.dtype for array in optimizer.state.values())} == {
        np.dtype(np.float32)
    }


@pytest.mark.parametrize("options", [{}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}])
def test_a_step_may_be_made_part_by_part(options: dict[str, float]) -> None:
    whole, parts = START.copy(), START.copy()
    first = SGD(whole, learning_rate=RATE, **options)
    second = SGD(parts, learning_rate=RATE, **options)
    for _ in range(3):
        first.step(first.scale * CURVATURE * whole)
        downhill = second.scale * CURVATURE * parts
        for part in (slice(2, 3), slice(0, 2)):
            second.step(downhill[part], part)
    np.testing.assert_array_equal(parts, whole)


def test_sgd_goes_by_its_name() -> None:
    assert OPTIMIZERS["sgd"] is SGD
