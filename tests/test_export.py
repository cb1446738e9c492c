"""What every exported file holds, and where an export may be written."""

import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import REPOSITORY
from PIL import Image

import digitnet
from digitnet.errors import DigitnetError, OutputError
from digitnet.export import export
from digitnet.export.contents import SAMPLE, contents_of, sample_of
from digitnet.export.export import export_model
from digitnet.export.output import Kind, check_output, kind_of_file
from digitnet.model.locations import SHIPPED
from digitnet.model.prediction import Model
from digitnet.network.network import Network
from digitnet.version import __version__

FOUR = REPOSITORY / "data" / "pictures" / "four.png"


@pytest.fixture(scope="module")
def shipped() -> Model:
    return digitnet.load()


@pytest.mark.parametrize(
    ("path", "to", "kind"),
    [
        ("a.onnx", None, "onnx"),
        ("a.h", None, "c"),
        ("A.H", "c", "c"),
        ("a.js", None, "js"),
        ("a.mjs", "js", "js"),
        ("a", "onnx", "onnx"),
        ("a.onnx.gz", "onnx", "onnx"),
    ],
)
def test_the_ending_or_the_name_says_the_kind(path: str, to: str | None, kind: str) -> None:
    assert kind_of_file(path, to, int8=kind == "c") == kind


@pytest.mark.parametrize(
    ("path", "to", "int8", "problem"),
    [
        ("a.npz", None, False, "expected a name that ends in .onnx, .h, .js, .mjs, or the kind: "),
        ("h", None, False, "found 'h'"),
        ("a", "cpp", False, "found 'a' and 'cpp'"),
        (
            "a.h",
            "cpp",
            False,
            "a.h: expected the kind c, which this ending stands for, found 'cpp'",
        ),
        ("a.h", "js", False, "a.h: expected the kind c, which this ending stands for, found 'js'"),
        ("a.js", None, True, "expected the kind c for int8, found js"),
        ("a", "onnx", True, "expected the kind c for int8, found onnx"),
    ],
)
def test_other_kinds_are_refused(path: str, to: str | None, int8: bool, problem: str) -> None:
    with pytest.raises(ValueError, match=re.escape(problem)):
        kind_of_file(path, to, int8=int8)


def test_an_existing_file_is_replaced_only_if_asked_and_the_model_never(tmp_path: Path) -> None:
    model, other = tmp_path / "model.npz", tmp_path / "a.h"
    check_output(str(other), str(model), overwrite=False)
    other.write_text("mine")
    with pytest.raises(OutputError, match="found an existing one; name another file with -o, or"):
        check_output(str(other), str(model), overwrite=False)
    check_output(str(other), str(model), overwrite=True)
    check_output(str(other), "", overwrite=True)
    model.symlink_to(other)
    with pytest.raises(OutputError, match="expected another file than the model"):
        check_output(str(other), str(model), overwrite=True)


def test_the_sample_is_answered_as_predict_answers_it(shipped: Model) -> None:
    with Image.open(SAMPLE) as picture:
        image = np.array(picture)
    assert (image.shape, image.dtype) == ((28, 28), np.uint8)
    np.testing.assert_array_equal(image, shipped.predict(FOUR).reading.image, strict=True)
    sample = contents_of(shipped).sample
    np.testing.assert_array_equal(sample.image, image)
    p, nats, _ = shipped.judge(image[np.newaxis])
    np.testing.assert_allclose(sample.probabilities, p[0], rtol=0, atol=1e-6)
    assert sample.label == 4
    assert sample.evidence == pytest.approx(nats[0], abs=1e-4)


def test_another_network_may_answer_the_sample(shipped: Model) -> None:
    model = shipped.with_thresholds(0, 0)
    outputs = np.full((1, 10), 0.05, np.float32)
    outputs[0, 7] = 0.55
    found = sample_of(contents_of(model).sample.image, outputs, model)
    assert found.label == 7
    assert found.probabilities.sum() == pytest.approx(1)
    assert 0 < found.probabilities[7] != pytest.approx(0.55)  # at the model's temperature


def test_facts_are_those_of_the_model_without_unknown_ones(shipped: Model) -> None:
    facts = contents_of(shipped).facts
    assert facts["exported_by"] == f"digitnet {__version__}"
    assert facts["layer_sizes"] == [784, 400, 100, 10]
    assert facts["temperature"] == shipped.calibration.temperature
    assert facts["model_sha256"] == hashlib.sha256(Path(SHIPPED).read_bytes()).hexdigest()
    assert not {"version", "created"} & facts.keys()
    known = Model(replace(shipped.checkpoint, sha256="ab", version="1.2*/", created="2026"), "m")
    facts = contents_of(known).facts
    assert (facts["model_sha256"], facts["version"], facts["created"]) == ("ab", "1.2*/", "2026")
    json.dumps(facts)


def test_another_kind_writes_nothing(shipped: Model, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected a name that ends in"):
        export_model(shipped, tmp_path / "a.npz")
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("kind", ["onnx", "c", "js"])
def test_a_network_that_overflows_is_refused(shipped: Model, tmp_path: Path, kind: Kind) -> None:
    network = Network((784, 5, 10), activation="relu", output="softmax", cost="cross_entropy")
    network.initialise(rng=np.random.default_rng(1))
    network.parameters *= 3e38
    model = replace(shipped, checkpoint=replace(shipped.checkpoint, network=network))
    with pytest.raises(DigitnetError, match=r"model\.npz: expected outputs from 0 to 1, found NaN"):
        export_model(model, tmp_path / "a", kind)
    assert not any(tmp_path.iterdir())


def test_a_file_that_appears_meanwhile_is_not_replaced(
    shipped: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.js"
    monkeypatch.setattr(export, "_write", lambda *_: path.write_text("new"))
    with pytest.raises(OutputError, match="found an existing one"):
        export_model(shipped, path)
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_export_leaves_the_old_file(
    shipped: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.js"
    path.write_text("old")

    def fail(kind: str, contents: object, file: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(export, "_write", fail)
    with pytest.raises(OutputError, match="No space left on device"):
        export_model(shipped, path, overwrite=True)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
