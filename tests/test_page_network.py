"""The page's network and its answers are those of Python."""

from itertools import product
from typing import Any

import numpy as np
import pytest
from conftest import read_mnist
from page_modules import as_text, in_node, needs_node, net_of

import digitnet
from digitnet.model.calibration import Calibration, evidence, probabilities
from digitnet.model.doubt import Grounds, why_doubtful
from digitnet.network.costs import MIN_OUTPUTS
from digitnet.network.network import Network

pytestmark = needs_node

OUTPUTS = [  # of sigmoids, then of softmax
    [0.0, 2**-25, 0.5],
    [0.0] * 10,
    [0.0] * 9 + [1.0],
    [1.0] * 10,
    [1.0, 0.0],
    [0.25, 0.75],
    [0.991] + [0.001] * 9,
]


def random_network(sizes: tuple[int, ...], activation: str, output: str) -> Network:
    network = Network(sizes, activation=activation, output=output)
    network.initialise(rng=np.random.default_rng(1))
    network.parameters *= 2
    return network


@pytest.mark.parametrize("which", ["shipped", "sigmoid", "tanh", "softmax"])
def test_probabilities_are_equal(which: str) -> None:
    images, _ = read_mnist("t10k", 200)
    calibration = Calibration(1.3, 0.5, 0.2)
    if which == "shipped":
        checkpoint = digitnet.load().checkpoint
        network, calibration = checkpoint.network, checkpoint.calibration
    elif which == "softmax":
        network = random_network((784, 20), "relu", "softmax")
    else:
        network = random_network((784, 16, 16, 10), which, "sigmoid")
    found = in_node("answers", net=net_of(network, calibration), images=as_text(images))
    outputs = network(images)
    expected = probabilities(outputs, calibration.temperature)
    np.testing.assert_allclose([answer["shares"] for answer in found], expected, atol=1e-5)
    assert [answer["best"] for answer in found] == expected.argmax(axis=1).tolist()
    second = np.argsort(-expected, axis=1, kind="stable")[:, 1]
    assert [answer["second"] for answer in found] == second.tolist()
    nats = [answer["evidence"] for answer in found]
    np.testing.assert_allclose(nats, evidence(outputs, network.min_output), atol=1e-3)


def test_float16_is_decoded() -> None:
    network = random_network((784, 5, 3), "relu", "softmax")
    special = [0.0, -0.0, 2.0**-24, -(2.0**-24), 1023 * 2.0**-24, 65504.0, -1.5]
    network.parameters[: len(special)] = special
    network.parameters[:] = network.parameters.astype(np.float16)
    found = in_node("parameters", net=net_of(network, kind="float16"), layer=0)
    assert found["weights"] == network.weights[0].tolist()
    assert found["biases"] == network.biases[0].tolist()


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu"])
def test_slopes_are_those_of_differences(activation: str) -> None:
    network = Network((784, 12, 8, 4), activation=activation, dtype=np.float64)
    network.initialise(rng=np.random.default_rng(1))
    network.parameters[:] = network.parameters.astype(np.float32)
    image = read_mnist("t10k", 1)[0]
    factors = [1.0, -1.0, 0.5, 0.0]
    found = in_node(
        "slopes",
        net=net_of(network),
        image=as_text(image),
        layer=2,
        factors=factors,
    )

    def height(x: np.ndarray) -> np.ndarray:
        workspace = network.workspace(x.shape[1])
        network.feedforward(x, workspace)
        return factors @ workspace.z[-1]

    x = np.append(image.ravel() / 255, 1)[:, np.newaxis]
    step = 1e-5 * np.eye(785)[:, :784]
    expected = (height(x + step) - height(x - step)) / 2e-5
    np.testing.assert_allclose(found, expected, atol=1e-6)


def doubts() -> list[tuple[Grounds, Calibration]]:
    """Return grounds and thresholds for every reason to answer `?`, ties in rounding among them."""
    return [
        (Grounds(*grounds), Calibration(1.0, *thresholds))
        for grounds in [
            (0.5, 1.0, 1, 0.0),
            (0.9, 0.1, 1, 0.0),
            (0.9, 1.0, 2, 0.0),
            (0.9, 1.0, 1, 3),
        ]
        for thresholds in [(0.0, 0.0), (0.8, 0.0), (0.0, 0.625), (0.96875, 0.5), (0.8, 0.375)]
    ]


def test_answers_to_outputs_are_equal() -> None:
    cases: list[dict[str, Any]] = []
    expected = []
    for outputs, output, temperature in product(OUTPUTS, MIN_OUTPUTS, (1.0, 0.7, 20.0)):
        a = np.array([outputs], np.float32)
        p, nats = probabilities(a, temperature)[0], float(evidence(a, MIN_OUTPUTS[output])[0])
        for grounds, calibration in doubts():
            model = calibration._replace(temperature=temperature)
            reading = {"digits": grounds.digits, "prior": grounds.prior}
            about = {"output": output, **model._asdict()}
            cases.append({"outputs": outputs, "model": about, "reading": reading})
            own = Grounds(float(p.max()), nats, *grounds[2:])
            expected.append((p, nats, why_doubtful(own, model)))
    for answer, (p, nats, reason) in zip(in_node("answersToOutputs", cases=cases), expected):
        assert answer["reason"] == reason
        assert answer["evidence"] == pytest.approx(nats, abs=1e-12)
        np.testing.assert_allclose(answer["shares"], p, atol=1e-15)
    assert len({reason and reason[:25] for *_, reason in expected}) == 5
