"""plain.py and network.py compute the same outputs and the same gradient."""

import numpy as np
import pytest
from conftest import read_mnist

from digitnet.network.network import Network
from digitnet.network.plain import backprop, feedforward


@pytest.mark.parametrize("layer_sizes", [[784, 16, 16, 10], [784, 10]])
def test_both_networks_have_the_same_outputs_and_gradient(layer_sizes: list[int]) -> None:
    images, labels = read_mnist("train", 20)
    network = Network(layer_sizes, dtype=np.float64)
    network.initialise(rng=np.random.default_rng(1))
    x, y = images.reshape(20, -1) / 255, np.eye(10)[labels]

    outputs = feedforward(network.weights, network.biases, x)[-1]
    np.testing.assert_allclose(outputs, network(x), rtol=1e-12)

    workspace = network.workspace(20)
    network.backprop(np.vstack([x.T, np.ones(20)]), y.T, workspace)
    plain = backprop(network.weights, network.biases, x, y)
    for (_, dC_dWb, _), (dC_dW, dC_db) in zip(workspace.layer_gradients, plain, strict=True):
        np.testing.assert_allclose(dC_dW, dC_dWb[:, :-1], atol=1e-14)
        np.testing.assert_allclose(dC_db, dC_dWb[:, -1], atol=1e-14)
        assert np.abs(dC_dW).max() > 1e-4
