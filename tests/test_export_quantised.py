"""The int8 network: as exact as int8 allows, the same in C as in NumPy, its accuracy measured."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from c_program import as_pixels, ask, build_answering, random_model
from conftest import Run, read_mnist

import digitnet
from digitnet.errors import DigitnetError
from digitnet.export.export import export_model
from digitnet.export.quantised import MAX_INPUTS, QuantisedNetwork
from digitnet.model.calibration import Calibration, evidence, probabilities
from digitnet.model.prediction import Model
from digitnet.network.network import Network


def judged(model: Model, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return probabilities and evidence of a model's int8 network."""
    outputs = QuantisedNetwork(model.network)(images)
    p = probabilities(outputs, model.calibration.temperature)
    return p, evidence(outputs, model.network.min_output)


def test_weights_are_rounded_to_127_steps_of_each_neuron() -> None:
    network = random_model([784, 9, 10]).network
    network.weights[0][3] = 0
    network.weights[0][4] *= 1000
    quantised = QuantisedNetwork(network)
    for (W, scales, b), exact, biases in zip(quantised.layers, network.weights, network.biases):
        assert W.dtype == np.int8
        rounded = W * scales[:, np.newaxis]
        assert (abs(rounded - exact) <= 0.5001 * scales[:, np.newaxis]).all()
        assert set(abs(W).max(axis=1)) <= {0, 127}
        np.testing.assert_array_equal(b, biases)
    assert not quantised.layers[0].weights[3].any()
    assert quantised.size == 784 * 9 + 9 * 10 + 8 * 19


def test_pixels_are_exact() -> None:
    images, _ = read_mnist("t10k", 600)
    images = images // 2  # no pixel is 255
    network = random_model([784, 10], "tanh", "softmax").network
    rounded = Network([784, 10], output="softmax", dtype=np.float64)
    quantised = QuantisedNetwork(network)
    [(W, scales, b)] = quantised.layers
    rounded.weights[0][:] = W * scales[:, np.newaxis].astype(np.float64)
    rounded.biases[0][:] = b
    np.testing.assert_allclose(quantised(images), rounded(images), rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("sizes", "activation", "output", "difference"),
    [
        ([784, 33, 7, 10], "tanh", "softmax", 0.01),
        ([784, 17, 10], "sigmoid", "sigmoid", 0.01),
    ],
)
def test_c_answers_as_numpy_does(
    tmp_path: Path, sizes: list[int], activation: str, output: str, difference: float
) -> None:
    model = random_model(sizes, activation, output, Calibration(0.8, 0.15, 0.1))
    images, _ = read_mnist("t10k", 1500)
    export_model(model, tmp_path / "model.h", int8=True)
    found = ask(build_answering(tmp_path), as_pixels(images))
    p, nats = judged(model, images)
    assert 1e-6 < abs(p - model.probabilities(images)).max() < difference
    compare(found, p, nats, model)


def test_the_shipped_model_loses_no_accuracy(tmp_path: Path) -> None:
    model = Model(replace(digitnet.load().checkpoint, data_path="/nowhere"))  # reads no pictures
    export_model(model, tmp_path / "model.h", int8=True)
    images, labels = read_mnist("t10k", 3000)
    found = ask(build_answering(tmp_path), as_pixels(images))
    compare(found, *judged(model, images), model)
    assert (found["label"] == labels).mean() >= model.score(images, labels) - 0.001


def compare(found: np.ndarray, p: np.ndarray, nats: np.ndarray, model: Model) -> None:
    """Compare the answers of C with those of NumPy.

    Their activation functions differ in the last bit, which rarely moves an input by a step.
    """
    differences = abs(found["p"] - p).max(axis=1)
    assert (differences > 1e-6).mean() < 0.01
    assert differences.max() < 0.01
    two = np.sort(p, axis=1)[:, -2:]
    clear = two[:, 1] - two[:, 0] > 0.02
    assert (found["label"] == p.argmax(axis=1))[clear].all()
    _, min_confidence, min_evidence = model.calibration
    sure = (two[:, 1] >= min_confidence) & (nats >= min_evidence)
    assert ((found["answer"] == -2) == sure).mean() < 0.01


def test_zeros_and_huge_weights_are_answered(tmp_path: Path) -> None:
    model = random_model([784, 5, 4, 10], "relu", "sigmoid")
    model.network.weights[0][:] *= np.float32(1e17)
    model.network.weights[1][:] *= np.float32(1e17)
    export_model(model, tmp_path / "model.h", int8=True)
    images = np.concatenate([np.zeros((1, 28, 28), np.uint8), read_mnist("t10k", 50)[0]])
    found = ask(build_answering(tmp_path), as_pixels(images))
    np.testing.assert_allclose(found["p"], judged(model, images)[0], rtol=0, atol=1e-5)
    assert np.ptp(found["p"][1:], axis=1).max() > 0


def test_a_layer_whose_sum_could_overflow_is_refused() -> None:
    QuantisedNetwork(Network([MAX_INPUTS, 1]))
    with pytest.raises(DigitnetError, match=r"at most 66,311 neurons, found 66,312; export float"):
        QuantisedNetwork(Network([MAX_INPUTS + 1, 1]))


def test_the_accuracy_on_validation_is_measured(model: Path, tmp_path: Path, run: Run) -> None:
    header = tmp_path / "model.h"
    done = run("export", "-m", model, "--int8", "-o", header)
    assert (done.returncode, done.stderr) == (0, b"")
    text = done.stdout.decode()
    start = text.index("int8 ")
    line = f"Accuracy on the model's validation split: {text[start:].strip()}."
    assert line in header.read_text()
    loaded = digitnet.load(model)
    exported = export_model(loaded, tmp_path / "again.h", int8=True)
    accuracy = exported.accuracy
    assert accuracy is not None
    evaluation = digitnet.evaluate(loaded, split="validation")
    assert (accuracy.images, accuracy.float32) == (500, evaluation.accuracy)
    assert abs(accuracy.int8 - accuracy.float32) < 0.01
    assert str(accuracy) == text[start:].strip()


@pytest.mark.parametrize("lost", ["data", "split"])
def test_without_validation_the_accuracy_is_not_measured(
    model: Path, tmp_path: Path, run: Run, lost: str
) -> None:
    loaded = digitnet.load(model)
    if lost == "data":
        checkpoint = replace(loaded.checkpoint, data_path="/nowhere")
        reason = b"/nowhere: no such file or folder"
    else:
        checkpoint = replace(loaded.checkpoint, data_hash="other")
        reason = b"found other pictures or labels"
    path, header = tmp_path / "m.npz", tmp_path / "model.h"
    Model(checkpoint).save(path)
    done = run("export", "-m", path, "--int8", "-o", header)
    assert done.returncode == 0
    assert done.stderr.count(b"\n") == 1
    assert done.stderr.startswith(b"the accuracy of int8 is not measured: ")
    assert reason in done.stderr
    assert "Accuracy on the model's validation split: not measured." in header.read_text()
    assert b"accuracy" not in done.stdout


def test_int8_is_for_c_only(model: Path, tmp_path: Path, run: Run) -> None:
    done = run("export", "-m", model, "--int8", "-o", tmp_path / "a.js")
    assert done.returncode == 2
    assert b"expected the kind c for int8, found js" in done.stderr
    with pytest.raises(ValueError, match="expected the kind c for int8, found js"):
        export_model(digitnet.load(model), tmp_path / "a.js", int8=True)
    assert not any(tmp_path.iterdir())
