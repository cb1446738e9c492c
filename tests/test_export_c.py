"""An exported C header compiles without warnings and answers as digitnet does."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
from c_program import (
    C99,
    STRICT,
    as_pixels,
    ask,
    build,
    build_answering,
    compiler,
    random_model,
)
from conftest import read_mnist

import digitnet
from digitnet.dataset.classes import DIGITS
from digitnet.export.export import export_model
from digitnet.model.calibration import Calibration, probabilities
from digitnet.model.prediction import Model
from digitnet.network.network import Network

HOSTILE = [
    'a"b',
    "back\\slash",
    "two\nlines\r\t\x0b",
    "*/ /* // */",
    "</script>",
    "%s %n",
    "what??/ ??= ??'",
    "\x01\x7f\x1b[31m2",
    "\u2028\u00e9\U0001f600",
    "\udcff7",
    "\ud800",
    "' '",
    'R"(',
]


def in_float64(model: Model, pixels: np.ndarray) -> np.ndarray:
    """Return a model's probabilities, computed in float64."""
    network = model.network
    activation, output = network.names
    exact = Network(network.layer_sizes, activation=activation, output=output, dtype=np.float64)
    exact.parameters[:] = network.parameters
    return probabilities(exact(pixels.astype(np.float64)), model.calibration.temperature)


@pytest.mark.parametrize(
    ("sizes", "activation", "output", "temperature"),
    [
        ([784, 17, 10], "sigmoid", "sigmoid", 1.3),
        ([784, 33, 7, 5, 10], "tanh", "softmax", 0.7),
        ([784, 10], "relu", "softmax", 1.0),
        ([784, 8, 3, 2], "relu", "sigmoid", 2.5),
        ([784, 5, 3], "tanh", "softmax", 1.2),
    ],
)
def test_it_answers_as_digitnet(
    tmp_path: Path, sizes: list[int], activation: str, output: str, temperature: float
) -> None:
    names = DIGITS[: sizes[-1]]
    images, _ = read_mnist("t10k", 2000)
    uncalibrated = Calibration(temperature)
    p, evidence, _ = random_model(sizes, activation, output, uncalibrated, names).judge(images)
    thresholds = float(np.median(p.max(axis=1))), float(np.quantile(evidence, 0.3))
    model = random_model(sizes, activation, output, Calibration(temperature, *thresholds), names)
    export_model(model, tmp_path / "model.h")
    pixels = as_pixels(images)
    found = ask(build_answering(tmp_path), pixels, len(names))
    np.testing.assert_allclose(found["p"], in_float64(model, pixels), rtol=0, atol=1e-6)
    np.testing.assert_allclose(found["p"], p, rtol=0, atol=2e-6)
    np.testing.assert_allclose(found["evidence"], evidence, rtol=0, atol=1e-5)
    two = np.sort(p, axis=1)[:, -2:]
    clear = two[:, 1] - two[:, 0] > 1e-5
    assert clear.mean() > 0.9
    assert (found["label"] == p.argmax(axis=1))[clear].all()
    doubtful = ~model.judge(images)[2]
    near = (abs(two[:, 1] - thresholds[0]) < 1e-5) | (abs(evidence - thresholds[1]) < 1e-4)
    assert ((found["answer"] == -2) == doubtful)[~near].all()
    assert 0.1 < doubtful[~near].mean() < 0.9
    sure = found["answer"] != -2
    assert (found["answer"] == found["label"])[sure].all()


def test_the_shipped_model_answers_as_in_digitnet(tmp_path: Path) -> None:
    model = digitnet.load()
    export_model(model, tmp_path / "model.h")
    images, _ = read_mnist("t10k", 3000)
    pixels = as_pixels(images)
    found = ask(build_answering(tmp_path), pixels)
    p, _, is_sure = model.judge(images)
    np.testing.assert_allclose(found["p"], in_float64(model, pixels), rtol=0, atol=1e-6)
    np.testing.assert_array_equal(found["label"], p.argmax(axis=1))
    np.testing.assert_array_equal(found["answer"] != -2, is_sure)


def test_pixels_outside_0_to_1_are_refused(tmp_path: Path) -> None:
    export_model(random_model([784, 4, 10]), tmp_path / "model.h")
    pixels = np.zeros((6, 784), np.float32)
    pixels[:, 300] = 255, -0.01, np.nan, np.inf, 1, 0
    pixels[1, 783], pixels[2, 0] = 1.01, np.nan
    found = ask(build_answering(tmp_path), pixels)
    assert (found["label"][:4].tolist(), found["answer"][:4].tolist()) == ([-1] * 4, [-1] * 4)
    assert not found["p"][:4].any()
    assert not found["evidence"][:4].any()
    assert found["label"][4:].min() >= 0
    np.testing.assert_allclose(found["p"][4:].sum(axis=1), 1, atol=1e-6)


def test_outputs_of_0_become_equal_probabilities(tmp_path: Path) -> None:
    model = random_model([784, 5, 10], "sigmoid", "sigmoid", Calibration(2.0, 0.0, 0.1))
    model.network.biases[-1][:] = -200
    export_model(model, tmp_path / "model.h")
    found = ask(build_answering(tmp_path), np.zeros((1, 784), np.float32))
    np.testing.assert_allclose(found["p"], 0.1, rtol=1e-6)
    assert (found["label"].item(), found["answer"].item()) == (0, -2)
    assert found["evidence"].item() == 0


def test_the_check_notices_a_changed_number(tmp_path: Path) -> None:
    header = tmp_path / "model.h"
    export_model(random_model([784, 6, 10]), header)
    text = header.read_text()
    start = text.index("digitnet_biases_1[10] = {\n") + len("digitnet_biases_1[10] = {\n")
    header.write_text(f"{text[:start]}0.5f + {text[start:]}")
    source = tmp_path / "check.c"
    source.write_text('#include "model.h"\nint main(void) { return digitnet_check(); }\n')
    assert subprocess.run([build(tmp_path, source)], timeout=60, check=False).returncode == 0
    header.write_text(text)
    assert subprocess.run([build(tmp_path, source)], timeout=60, check=False).returncode == 1


def test_the_check_bears_roundings_of_outputs_near_0(tmp_path: Path) -> None:
    model = random_model([784, 10], "relu", "sigmoid", Calibration(3.0))
    model.network.weights[0][:] *= np.float32(0.01)
    model.network.biases[0][:] = np.random.default_rng(1).uniform(-18, -14, 10)
    export_model(model, tmp_path / "model.h")
    source = tmp_path / "check.c"
    source.write_text('#include "model.h"\nint main(void) { return !digitnet_check(); }\n')
    assert subprocess.run([build(tmp_path, source)], timeout=60, check=False).returncode == 0


def test_a_second_network_in_a_source_file_is_an_error(tmp_path: Path) -> None:
    for name, sizes in (("model.h", [784, 3]), ("other.h", [784, 2])):
        names = DIGITS[: sizes[-1]]
        export_model(random_model(sizes, names=names), tmp_path / name)
    source = tmp_path / "two.c"
    source.write_text('#include "model.h"\n#include "other.h"\n')
    command = [compiler("cc", "gcc"), "-fsyntax-only", source]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0
    assert "Include the header of another network in another source file." in done.stderr


NAMES_PROGRAM = """\
#include <stdio.h>
#include "model.h"
#include "model.h"
int other(const float *pixels, float *probabilities);
int main(void)
{
    static float pixels[DIGITNET_PIXELS];
    float p[DIGITNET_CLASSES];
    int i, own = digitnet_predict(pixels, p);
    for (i = 0; i < DIGITNET_CLASSES; i++) {
        printf("%s%c", digitnet_class_names[i], 0);
    }
    return own != other(pixels, p);
}
"""
OTHER = """\
#include "model.h"
int other(const float *pixels, float *probabilities);
int other(const float *pixels, float *probabilities)
{
    return digitnet_predict(pixels, probabilities);
}
"""


@pytest.mark.parametrize("language", ["c", "cpp"])
def test_hostile_names_are_kept_and_two_files_may_include_it(tmp_path: Path, language: str) -> None:
    names = tuple(HOSTILE)
    text = '*/ #error "\n#error ??/\n\\'
    facts = {"version": text, "created": text, "preparation": "/*", "sha256": text}
    model = random_model([784, len(names)], names=names, **facts)
    export_model(model, tmp_path / "model.h")
    sources = [tmp_path / f"main.{language}", tmp_path / f"other.{language}"]
    for source, code in zip(sources, [NAMES_PROGRAM, OTHER]):
        source.write_text(code)
    if language == "c":
        program = build(tmp_path, *sources, flags=C99)
    else:
        program = build(tmp_path, *sources, flags=STRICT, names="c++ g++")
    done = subprocess.run([program], capture_output=True, timeout=60, check=False)
    assert done.returncode == 0
    expected = [name.encode("utf-8", "surrogateescape") for name in names if name != "\ud800"]
    expected.insert(names.index("\ud800"), b"\xed\xa0\x80")
    assert done.stdout.split(b"\0")[:-1] == expected
