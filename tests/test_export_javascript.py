"""Exported JavaScript answers as Python does, whatever the names in it."""

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import read_mnist
from page_modules import as_text, in_node, needs_node
from report_subject import make_checkpoint

import digitnet
from digitnet.export.contents import Contents, contents_of
from digitnet.export.export import export_model
from digitnet.export.to_javascript import PUBLIC, SOURCES, private_modules, write
from digitnet.model.calibration import Calibration, probabilities
from digitnet.model.prediction import Model
from digitnet.network.network import Network

TOLERANCE = 1e-6  # of a probability in float64
HOSTILE = (
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "]]>-->",
    "\"'`${alert(2)}\\",
    "*/ alert(3) /*",
    "%s%n??/",
    "\0\x1b\r\n",
    "\u2028\u2029\ufeff",
    "\ud800",
    "\udfff\ud800",
    "שלום 💯",
    "constructor",
)


def model_of(network: Network, **changes: Any) -> Model:
    names = tuple(map(str, range(network.layer_sizes[-1])))
    return Model(make_checkpoint(**{"network": network, "class_names": names, **changes}))


def random_model(sizes: tuple[int, ...], activation: str, output: str, temperature: float) -> Model:
    network = Network(sizes, activation=activation, output=output, cost="cross_entropy")
    network.initialise(rng=np.random.default_rng(1))
    network.parameters *= 2
    return model_of(network, calibration=Calibration(temperature))


def in_float64(network: Network, images: np.ndarray) -> np.ndarray:
    """Return the outputs of the same network computed in float64."""
    activation, output = network.names
    exact = Network(
        network.layer_sizes,
        activation=activation,
        output=output,
        cost="cross_entropy",
        dtype=np.float64,
    )
    exact.parameters[:] = network.parameters
    return exact(images)


def exported(contents: Contents, folder: Path) -> str:
    path = folder / "module.mjs"
    with path.open("wb") as file:
        write(contents, file)
    return str(path)


def answers_of(model: Model, folder: Path, images: np.ndarray) -> list[dict[str, Any]]:
    module = exported(contents_of(model), folder)
    found = in_node("exported", module=module, images=as_text(images))
    assert found["isIntact"]
    answers: list[dict[str, Any]] = found["answers"]
    return answers


def noise(n: int) -> np.ndarray:
    """Return pictures of grey and of sparse noise, which are no digits."""
    rng = np.random.default_rng(1)
    grey = rng.integers(0, 256, (n, 28, 28), np.uint8)
    grey[::2] *= rng.random((n, 28, 28))[::2] < 0.1
    return grey


@needs_node
@pytest.mark.parametrize("which", ["shipped", "sigmoid", "tanh to softmax", "tanh to sigmoid"])
def test_answers_are_pythons(which: str, tmp_path: Path) -> None:
    if which == "shipped":
        model = digitnet.load()
    elif which == "sigmoid":
        model = random_model((784, 16, 16, 10), "sigmoid", "sigmoid", 1.3)
    else:
        model = random_model((784, 40, 30, 20, 12), "tanh", which.removeprefix("tanh to "), 0.6)
    images = np.concatenate([read_mnist("t10k", 300)[0], noise(100)])
    if which != "shipped":
        p, nats, _ = model.judge(images)
        model = model.with_thresholds(float(np.median(p.max(axis=1))), float(np.median(nats)))
    found = answers_of(model, tmp_path, images)
    temperature, min_confidence, min_evidence = model.calibration
    expected = probabilities(in_float64(model.network, images), temperature)
    p, nats, is_sure = model.judge(images)
    np.testing.assert_allclose(
        [answer["probabilities"] for answer in found], expected, atol=TOLERANCE
    )
    assert [answer["digit"] for answer in found] == p.argmax(axis=1).tolist()
    assert [answer["confidence"] for answer in found] == [
        max(answer["probabilities"]) for answer in found
    ]
    np.testing.assert_allclose([answer["evidence"] for answer in found], nats, atol=1e-3)
    is_close = abs(nats - min_evidence) < 1e-3
    is_close |= abs(p.max(axis=1) - min_confidence) < 1e-5
    is_doubtful = np.array([answer["isDoubtful"] for answer in found])
    assert (is_doubtful == ~is_sure)[~is_close].all()
    assert 10 < is_doubtful.sum() < 390


@needs_node
@pytest.mark.parametrize("output", ["sigmoid", "softmax"])
@pytest.mark.parametrize(
    "biases",
    [[-200.0] * 4, [200.0] * 4, [-200.0, 200.0, -200.0, 0.0], [0.0, -87.5, -103.0, -104.0]],
    ids=["all 0", "all 1", "one", "smallest"],
)
def test_saturated_outputs_are_rounded_as_pythons(
    output: str, biases: list[float], tmp_path: Path
) -> None:
    network = Network((784, 4), output=output, cost="cross_entropy")
    network.biases[0][:] = biases
    model = model_of(network, calibration=Calibration(2.5, 0.3, 0.2))
    images = read_mnist("t10k", 1)[0]
    (answer,) = answers_of(model, tmp_path, images)
    (p,), (nats,), (is_sure,) = model.judge(images)
    np.testing.assert_allclose(answer["probabilities"], p, rtol=1e-6)
    assert answer["evidence"] == pytest.approx(nats, abs=1e-6)
    assert (answer["digit"], answer["isDoubtful"]) == (p.argmax(), not is_sure)


@needs_node
def test_hostile_text_comes_back_and_does_nothing(tmp_path: Path) -> None:
    checkpoint = make_checkpoint(HOSTILE)
    contents = contents_of(Model(replace(checkpoint, version=" ".join(HOSTILE))))
    module = exported(contents, tmp_path)
    found = in_node("exported", module=module, images=as_text(read_mnist("t10k", 50)[0]))
    assert found["isIntact"]
    assert found["values"] == {"classNames": list(HOSTILE), "about": contents.facts}
    assert found["values"]["about"]["version"] == " ".join(HOSTILE)
    assert {answer["digit"] for answer in found["answers"]} <= set(HOSTILE)
    text = Path(module).read_bytes()
    assert text.isascii()
    assert b"</" not in text
    assert b"<!" not in text


@needs_node
def test_names_that_are_numbers_are_numbers(tmp_path: Path) -> None:
    names = ("007", "123456789012345", "1234567890123456", "-1", "1\n", "٣")
    network = Network((784, len(names)), output="softmax", cost="cross_entropy")
    network.weights[0][:, : len(names)] = np.eye(len(names))
    images = np.zeros((len(names), 784), np.uint8)
    np.fill_diagonal(images, 255)
    answers = answers_of(model_of(network, class_names=names), tmp_path, images)
    assert [answer["digit"] for answer in answers] == [7, 123456789012345, *names[2:]]


@needs_node
@pytest.mark.parametrize(
    ("part", "other"),
    [
        ("\n  temperature: ", "\n  temperature: 1"),
        ("\n  evidence: 5", "\n  evidence: 6"),
        ("\n  label: 4", "\n  label: 5"),
    ],
)
def test_a_changed_file_fails_the_check(part: str, other: str, tmp_path: Path) -> None:
    path = Path(exported(contents_of(digitnet.load()), tmp_path))
    text = path.read_text()
    assert text.count(part) == 1
    path.write_text(text.replace(part, other))
    assert not in_node("exported", module=str(path), images="")["isIntact"]


@needs_node
def test_a_changed_weight_fails_the_check(tmp_path: Path) -> None:
    contents = contents_of(digitnet.load())
    path = Path(exported(contents, tmp_path))
    code, marker, _ = path.read_text().partition("\nconst weights")
    pixel = contents.sample.image.argmax()
    contents.model.network.weights[0][3, pixel] += 10  # active, whatever its other inputs
    weights = Path(exported(contents, tmp_path)).read_text().partition(marker)[2]
    path.write_text(code + marker + weights)
    assert not in_node("exported", module=str(path), images="")["isIntact"]


@needs_node
def test_wrong_input_is_refused_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "digits.mjs"
    export_model(digitnet.load(), path)
    numbers, number = "pixels: expected 784 numbers", "pixels[0]: expected a number from 0 to 1"
    assert in_node("refusals", module=str(path)) == [
        f"TypeError: {numbers}, found undefined",
        f"TypeError: {numbers}, found null",
        f"TypeError: {numbers}, found string",
        f"TypeError: {numbers}, found number",
        f"TypeError: {numbers}, found object",
        f"TypeError: {numbers}, found object",
        f"RangeError: {numbers}, found 0",
        f"RangeError: {numbers}, found 783",
        f"RangeError: {numbers}, found 3136; of a canvas, take every fourth byte",
        f"RangeError: {numbers}, found 28",
        f"TypeError: {number}, found undefined",
        f"TypeError: {number}, found string",
        f"TypeError: {number}, found bigint",
        f"RangeError: {number}, found 255; divide bytes by 255",
        f"RangeError: {number}, found -0.1",
        "RangeError: pixels[783]: expected a number from 0 to 1, found NaN",
        f"RangeError: {number}, found Infinity; divide bytes by 255",
    ]


def test_all_modules_of_the_folder_are_written() -> None:
    assert {*SOURCES.rglob("*.js")} == {*PUBLIC, *private_modules()}


def test_large_networks_are_written_in_pieces() -> None:
    sizes: list[int] = []

    class File(io.BytesIO):
        def write(self, data: Any) -> int:
            sizes.append(len(data))
            return len(data)

    write(contents_of(model_of(Network((784, 2000, 10)))), File())
    assert sum(sizes) > 4 / 3 * 4 * 785 * 2000
    assert max(sizes) < sum(sizes) / 10
