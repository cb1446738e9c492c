"""What every exported file holds, and where an export may be written."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import REPOSITORY
from PIL import Image

import digitnet
from digitnet.errors import DigitnetError, OutputError
from digitnet.export import export, output
from digitnet.export.contents import SAMPLE, answer_to, contents_of
from digitnet.export.export import export_model
from digitnet.export.output import check_output, kind_named, require_onnx
from digitnet.model.prediction import Model
from digitnet.version import __version__

FOUR = REPOSITORY / "data" / "pictures" / "four.png"


@pytest.fixture(scope="module")
def shipped() -> Model:
    return digitnet.load()


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("a.onnx", "onnx"),
        ("a.h", "c"),
        ("A.H", "c"),
        ("a.js", "js"),
        ("a.mjs", "js"),
        ("a.npz", None),
        ("a.onnx.gz", None),
        ("onnx", None),
        ("h/", None),
    ],
)
def test_the_ending_says_the_kind(path: str, kind: str | None) -> None:
    assert kind_named(path) == kind


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


def test_a_missing_package_onnx_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "find_spec", lambda name: None)
    with pytest.raises(DigitnetError, match=r"pip install 'digitnet\[onnx\]'"):
        require_onnx()
    monkeypatch.setattr(output, "find_spec", lambda name: name)
    require_onnx()


def test_the_sample_is_answered_as_predict_answers_it(shipped: Model) -> None:
    with Image.open(SAMPLE) as picture:
        image = np.array(picture)
    assert (image.shape, image.dtype) == ((28, 28), np.uint8)
    np.testing.assert_array_equal(image, shipped.predict(FOUR).reading.image, strict=True)
    sample = contents_of(shipped).sample
    np.testing.assert_array_equal(sample.image, image)
    np.testing.assert_array_equal(sample.probabilities, shipped.probabilities(image[np.newaxis])[0])
    assert sample.label == 4
    assert sample.evidence == shipped.judge(image[np.newaxis])[1][0]


def test_another_network_may_answer_the_sample(shipped: Model) -> None:
    model = shipped.with_thresholds(0, 0)
    outputs = np.full((1, 10), 0.05, np.float32)
    outputs[0, 7] = 0.55
    found = answer_to(contents_of(model).sample.image, outputs, model)
    assert found.label == 7
    assert found.probabilities.sum() == pytest.approx(1)
    assert 0 < found.probabilities[7] != pytest.approx(0.55)  # at the model's temperature


def test_facts_are_those_of_the_model_without_unknown_ones(shipped: Model) -> None:
    facts = contents_of(shipped).facts
    assert facts["exported_by"] == f"digitnet {__version__}"
    assert facts["layer_sizes"] == [784, 400, 100, 10]
    assert facts["temperature"] == shipped.calibration.temperature
    assert not {"model_sha256", "version", "created"} & facts.keys()
    known = Model(replace(shipped.checkpoint, sha256="ab", version="1.2*/", created="2026"), "m")
    facts = contents_of(known).facts
    assert (facts["model_sha256"], facts["version"], facts["created"]) == ("ab", "1.2*/", "2026")
    json.dumps(facts)


@pytest.mark.parametrize(("path", "to"), [("a.npz", None), ("a.h", "cpp"), ("a", None)])
def test_another_kind_is_a_value_error(
    shipped: Model, tmp_path: Path, path: str, to: str | None
) -> None:
    with pytest.raises(ValueError, match="expected onnx, c or js"):
        export_model(shipped, tmp_path / path, to)  # type: ignore[arg-type]
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
