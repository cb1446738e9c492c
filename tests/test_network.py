"""The network: its flat vector, feedforward, backprop compared with differences and by hand."""

import re
from itertools import pairwise
from math import exp, tanh

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitnet.network.activations import ACTIVATIONS
from digitnet.network.costs import COSTS
from digitnet.network.network import CHUNK, Network, count_parameters
from digitnet.training.optimizers import SGD

VIDEO = (784, 16, 16, 10)  # layer sizes of the network in the videos


def random_network(seed: int = 0, sizes: tuple[int, ...] = (6, 5, 4, 3), **names: str) -> Network:
    """Return a float64 network with random weights and biases."""
    network = Network(sizes, dtype=np.float64, **names)
    network.parameters[:] = np.random.default_rng(seed).normal(0, 0.7, network.parameters.size)
    return network


def random_batch(network: Network, n: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Return x (n_in + 1, n), 0 to 1, its last row ones, and y (classes, n), one-hot."""
    rng = np.random.default_rng(seed)
    sizes = network.layer_sizes
    x = np.vstack([rng.random((sizes[0], n)), np.ones(n)])
    return x, np.eye(sizes[-1])[:, rng.integers(sizes[-1], size=n)]


def fresh_gradient(network: Network, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    gradient = np.full_like(network.parameters, np.nan)
    network.backprop(x, y, network.workspace(x.shape[1], gradient))
    return gradient


def numeric_gradient(network: Network, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the gradient of C by central differences, parameter by parameter."""
    workspace, step = network.workspace(x.shape[1]), 1e-5
    gradient = np.zeros_like(network.parameters)

    def cost() -> float:
        a = network.feedforward(x, workspace)
        return network.cost(workspace.z[-1], a, y, 1, None) / workspace.n

    for i, parameter in enumerate(network.parameters.copy()):
        network.parameters[i] = parameter + step
        above = cost()
        network.parameters[i] = parameter - step
        gradient[i] = (above - cost()) / (2 * step)
        network.parameters[i] = parameter
    return gradient


@pytest.mark.parametrize(("cost", "output"), COSTS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradient_agrees_with_central_differences(activation: str, cost: str, output: str) -> None:
    network = random_network(activation=activation, output=output, cost=cost)
    x, y = random_batch(network, 7)
    analytic = fresh_gradient(network, x, y)
    # relu has no derivative at 0: no z may reach 0 when one parameter changes by 1e-5.
    workspace = network.workspace(7)
    network.feedforward(x, workspace)
    assert min(np.abs(z).min() for z in workspace.z) > 1e-4
    numeric = numeric_gradient(network, x, y)
    distance = np.linalg.norm(analytic - numeric)
    assert distance / (np.linalg.norm(analytic) + np.linalg.norm(numeric)) < 1e-7


def test_gradient_without_hidden_layers_agrees_with_central_differences() -> None:
    network = random_network(sizes=(4, 3), output="softmax", cost="cross_entropy")
    x, y = random_batch(network, 5)
    numeric = numeric_gradient(network, x, y)
    np.testing.assert_allclose(fresh_gradient(network, x, y), numeric, atol=1e-9)


def test_one_step_of_a_2_1_2_network_by_hand() -> None:
    network = Network([2, 1, 2], dtype=np.float64)  # sigmoid, sigmoid, quadratic
    network.parameters[:] = [0.5, -1, 0, 2, -1, -2, 1]  # w, b of each neuron
    x, y = np.array([[1, 0.5, 1]]).T, np.array([[1.0, 0.0]]).T
    # forward:  z_1 = 0.5·1 - 1·0.5 + 0 = 0             a_1 = 1/2
    #           z_2 = (2·½ - 1, -2·½ + 1) = (0, 0)      a_2 = (1/2, 1/2)
    # backward: δ_2 = 2 (a_2 - y) a_2 (1 - a_2) = 2 (-½, ½) ¼ = (-1/4, 1/4)
    #           δ_1 = (-¼·2 + ¼·(-2)) ½ (1 - ½) = -1/4
    # gradient: ∂W_1 = δ_1 xᵀ = (-1/4, -1/8)            ∂b_1 = -1/4
    #           ∂W_2 = δ_2 a_1ᵀ = (-1/8, 1/8)           ∂b_2 = (-1/4, 1/4)
    gradient = fresh_gradient(network, x, y)
    assert gradient.tolist() == [-1 / 4, -1 / 8, -1 / 4, -1 / 8, -1 / 4, 1 / 8, 1 / 4]
    # step with learning rate 0.4: parameters -= 0.4 × gradient
    sgd = SGD(network.parameters, learning_rate=0.4)
    sgd.step(0.4 * gradient, sgd.coefficients())
    by_hand = [0.6, -0.95, 0.1, 2.05, -0.9, -2.05, 0.9]
    np.testing.assert_allclose(network.parameters, by_hand, rtol=1e-15)


def test_one_step_of_a_2_2_1_network_by_hand() -> None:
    network = Network([2, 2, 1], activation="tanh", cost="cross_entropy", dtype=np.float64)
    w11, w12, w21, w22, b1, b2, v1, v2, c = 0.1, -0.2, 0.3, 0.4, 0.05, -0.05, 0.7, -0.6, 0.2
    network.parameters[:] = [w11, w12, b1, w21, w22, b2, v1, v2, c]
    gradient = np.zeros(9)
    for x1, x2, y in ((1.0, 0.5, 1.0), (0.25, 0.75, 0.0)):
        h1, h2 = tanh(w11 * x1 + w12 * x2 + b1), tanh(w21 * x1 + w22 * x2 + b2)
        a = 1 / (1 + exp(-(v1 * h1 + v2 * h2 + c)))
        d = a - y  # ∂C/∂z of the output, for this example
        d1, d2 = d * v1 * (1 - h1**2), d * v2 * (1 - h2**2)
        gradient += [d1 * x1, d1 * x2, d1, d2 * x1, d2 * x2, d2, d * h1, d * h2, d]
    gradient /= 2  # averaged over the two examples
    by_hand = network.parameters - 0.5 * gradient

    x, y = np.array([[1, 0.5, 1], [0.25, 0.75, 1]]).T, np.array([[1.0], [0.0]]).T
    sgd = SGD(network.parameters, learning_rate=0.5)
    sgd.step(0.5 * fresh_gradient(network, x, y), sgd.coefficients())
    np.testing.assert_allclose(network.parameters, by_hand, rtol=1e-14)


def test_the_network_of_the_videos_has_13002_parameters() -> None:
    assert count_parameters(VIDEO) == Network(VIDEO).parameters.size == 13_002


def test_weights_and_biases_are_views_of_the_parameters() -> None:
    network = Network([3, 2, 1])
    network.parameters[:] = range(11)
    assert [W.tolist() for W in network.weights] == [[[0, 1, 2], [4, 5, 6]], [[8, 9]]]
    assert [b.tolist() for b in network.biases] == [[3, 7], [10]]
    network.weights[1][0, 1] = -1
    network.biases[0][0] = -2
    assert network.parameters.tolist() == [0, 1, 2, -2, 4, 5, 6, 7, 8, -1, 10]


@given(st.lists(st.integers(1, 9), min_size=2, max_size=6))
def test_matrices_cover_the_vector_once_and_in_order(sizes: list[int]) -> None:
    network = Network(sizes)
    vector = np.arange(count_parameters(sizes), dtype=np.float32)
    matrices = network.matrices_of(vector)
    assert [Wb.shape for Wb in matrices] == [(o, i + 1) for i, o in pairwise(sizes)]
    assert all(np.shares_memory(Wb, vector) for Wb in matrices)
    np.testing.assert_array_equal(np.concatenate([Wb.ravel() for Wb in matrices]), vector)


def test_all_arrays_are_float32_by_default() -> None:
    network = Network(VIDEO)
    x, y = np.zeros((785, 2), np.float32), np.zeros((10, 2), np.float32)
    arrays = [network.parameters, fresh_gradient(network, x, y), *network.activations(x[:-1].T)]
    assert {array.dtype for array in arrays} == {np.dtype(np.float32)}


def test_uint8_pixels_and_floats_from_0_to_1_give_the_same_outputs() -> None:
    network = Network(VIDEO)
    network.initialise(rng=np.random.default_rng(0))
    images = np.random.default_rng(1).integers(0, 256, (5, 28, 28)).astype(np.uint8)
    floats = images.reshape(5, 784).astype(np.float32) / np.float32(255)
    np.testing.assert_allclose(network(images), network(floats), rtol=1e-5)


def test_a_call_does_not_change_the_images() -> None:
    images = np.full((2, 28, 28), 200, np.uint8)
    floats = np.full((2, 784), 0.5, np.float32)
    for pictures in (images, floats):
        before = pictures.copy()
        Network(VIDEO)(pictures)
        np.testing.assert_array_equal(pictures, before)


def test_activations_returns_every_layer() -> None:
    network = Network(VIDEO)
    network.initialise(rng=np.random.default_rng(0))
    images = np.random.default_rng(1).integers(0, 256, (3, 28, 28)).astype(np.uint8)
    layers = network.activations(images)
    assert [a.shape for a in layers] == [(3, size) for size in VIDEO]
    np.testing.assert_array_max_ulp(layers[0], images.reshape(3, 784) / np.float32(255))
    np.testing.assert_array_equal(layers[-1], network(images))


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_hidden_layers_use_the_activation_and_the_last_layer_the_output(activation: str) -> None:
    network = random_network(activation=activation, output="softmax", cost="cross_entropy")
    x, _ = random_batch(network, 4)
    σ = ACTIVATIONS[activation].function
    (W1, W2, W3), (b1, b2, b3) = network.weights, network.biases
    x = x[:-1]
    e = np.exp(σ(σ(x.T @ W1.T + b1, None) @ W2.T + b2, None) @ W3.T + b3)
    np.testing.assert_allclose(network(x.T), e / e.sum(axis=1, keepdims=True), rtol=1e-13)


def test_the_same_seed_gives_the_same_bits() -> None:
    networks = [Network(VIDEO) for _ in range(2)]
    for network in networks:
        network.initialise(rng=np.random.default_rng(7))
    assert networks[0].parameters.tobytes() == networks[1].parameters.tobytes()


def test_another_seed_gives_different_weights() -> None:
    first, second = Network(VIDEO), Network(VIDEO)
    first.initialise(rng=np.random.default_rng(7))
    second.initialise(rng=np.random.default_rng(8))
    for W, other in zip(first.weights, second.weights):
        assert not np.isclose(W, other).all()


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_variance_of_initial_weights_depends_on_the_activation(activation: str) -> None:
    network = Network([200, 300, 100], activation=activation)
    network.parameters[:] = 5  # initialise must overwrite these
    network.initialise(rng=np.random.default_rng(0))
    hidden = {"sigmoid": 2 / 500, "tanh": 2 / 500, "relu": 2 / 200}[activation]
    last = 2 / 400  # Glorot's: the output is not relu
    for W, variance in zip(network.weights, (hidden, last)):
        assert W.var() == pytest.approx(variance, rel=0.05)
        assert abs(W.mean()) < 0.02 * variance**0.5
    assert all((b == 0).all() for b in network.biases)


def test_gradient_is_overwritten_not_added_to() -> None:
    network = random_network()
    x, y = random_batch(network, 4)
    gradient = np.zeros_like(network.parameters)
    workspace = network.workspace(4, gradient)
    network.backprop(x, y, workspace)
    first = gradient.copy()
    network.backprop(x, y, workspace)
    np.testing.assert_array_equal(gradient, first)


def test_images_of_several_chunks_are_all_answered() -> None:
    network = Network([784, 4, 10])
    network.initialise(rng=np.random.default_rng(0))
    images = np.random.default_rng(1).integers(0, 256, (2 * CHUNK + 3, 784)).astype(np.uint8)
    one_by_one = np.concatenate([network(image[None]) for image in images])
    np.testing.assert_allclose(network(images), one_by_one, rtol=1e-5)


@pytest.mark.parametrize(("cost", "output"), COSTS)
def test_scale_multiplies_the_gradient_and_not_the_cost(cost: str, output: str) -> None:
    network = random_network(output=output, cost=cost)
    x, y = random_batch(network, 7)
    gradients = [np.empty_like(network.parameters) for _ in range(2)]
    costs = [
        network.backprop(x, y, network.workspace(7, gradient), scale)
        for gradient, scale in zip(gradients, (1, 0.3))
    ]
    assert costs[0] == costs[1]
    np.testing.assert_allclose(gradients[1], 0.3 * gradients[0], rtol=1e-11, atol=1e-15)


def test_gradient_is_the_mean_over_single_examples() -> None:
    network = random_network()
    x, y = random_batch(network, 6)
    single = [fresh_gradient(network, x[:, i : i + 1], y[:, i : i + 1]) for i in range(6)]
    np.testing.assert_allclose(fresh_gradient(network, x, y), np.mean(single, axis=0), rtol=1e-12)


def test_backprop_changes_neither_parameters_nor_minibatch() -> None:
    network = random_network()
    x, y = random_batch(network, 4)
    before = [array.copy() for array in (network.parameters, x, y)]
    fresh_gradient(network, x, y)
    for array, copy in zip((network.parameters, x, y), before):
        np.testing.assert_array_equal(array, copy)


def test_integers_of_any_dtype_are_pixels_from_0_to_255() -> None:
    network = Network([784, 5, 10])
    network.initialise(rng=np.random.default_rng(1))
    images = np.random.default_rng(2).integers(0, 256, (3, 28, 28))
    assert np.array_equal(network(images), network(images.astype(np.uint8)))


@pytest.mark.parametrize("shape", [(784,), (2, 783), (2, 28, 27)])
def test_images_of_the_wrong_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="784"):
        Network([784, 10])(np.zeros(shape))


@pytest.mark.parametrize(
    ("dtype", "value", "is_valid"),
    [
        *((np.float32, 1, True), (float, 0, True), (bool, True, True), (np.int64, 255, True)),
        *((float, 255, False), (np.float32, 1.001, False), (float, -0.42, False)),
        *((float, np.nan, False), (np.float32, np.inf, False), (np.float32, -np.inf, False)),
        *((np.int64, 256, False), (np.int8, -1, False), (np.uint16, 65535, False)),
    ],
)
def test_pixels_outside_their_range_are_refused(dtype: type, value: float, is_valid: bool) -> None:
    images = np.zeros((3, 784), dtype)
    images[1, 5] = value
    network = Network([784, 10])
    for function in (network, network.activations):
        if is_valid:
            function(images)
        else:
            with pytest.raises(ValueError, match="expected pixels as floats from 0 to 1"):
                function(images)


@pytest.mark.parametrize("shape", [(784,), (600,), (1000, 783), (600, 28, 27), (0, 10)])
def test_the_error_names_the_wrong_shape(shape: tuple[int, ...]) -> None:
    network = Network([784, 10])
    for function in (network, network.activations):
        with pytest.raises(ValueError, match=re.escape(f"found {shape}")):
            function(np.zeros(shape))
