"""The values that the page's script reads."""

import base64
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from report_subject import make_checkpoint, make_subject

from digitnet.export.scripts import as_json
from digitnet.model.landscape import Landscape
from digitnet.network.network import Network
from digitnet.report import content as content_module
from digitnet.report.content import content, packed
from digitnet.report.page import NO_SHEET


def unpacked(text: str, kind: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), np.dtype(kind).newbyteorder("<"))


def make_landscape(n_parameters: int) -> Landscape:
    rng = np.random.default_rng(1)
    return Landscape(
        grid=rng.random((3, 4), np.float32) + 0.1,
        path=np.array([[0.2, 0.3], [0.8, 0.6]], np.float32),
        costs=np.array([0.9, 0.123456], np.float32),
        accuracies=np.array([0.1, 0.95], np.float32),
        epochs=np.array([0, 7]),
        share=0.97,
        pictures=100,
        snapshots=rng.random((2, n_parameters)).astype(np.float16),
        snapshot_epochs=np.array([0, 7]),
    )


def test_the_network_is_packed_bit_by_bit() -> None:
    checkpoint = make_checkpoint()
    values = content(checkpoint, None, NO_SHEET)
    assert values["kind"] == "float32"
    for text, Wb in zip(values["weights"], checkpoint.network.matrices):
        assert np.array_equal(unpacked(text, "float32").reshape(Wb.T.shape), Wb.T)


def test_large_networks_are_rounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content_module, "MAX_FLOAT32", 4000)
    checkpoint = make_checkpoint()
    values = content(checkpoint, None, NO_SHEET)
    assert values["kind"] == "float16"
    assert np.allclose(
        unpacked(values["weights"][0], "float16"),
        checkpoint.network.matrices[0].T.ravel(),
        atol=1e-3,
    )


def test_packing_stays_finite() -> None:
    assert unpacked(packed(np.array([1e30, -1e30, 1]), "float16"), "float16").tolist() == [
        65504,
        -65504,
        1,
    ]


def test_huge_weights_leave_valid_json() -> None:
    network = Network([784, 6, 10], activation="relu")
    network.parameters[:] = 3e38
    subject = make_subject(network=network)
    values = json.loads(as_json(content(subject.checkpoint, subject.figures, NO_SHEET)))
    assert values["model"]["scales"] == [1, 1]


def test_json_cannot_end_the_script_element() -> None:
    name = "</script><!--"
    text = as_json({"name": name})
    assert "<" not in text
    assert json.loads(text) == {"name": name}


def test_the_landscape_has_the_values_of_the_checkpoint() -> None:
    checkpoint = make_checkpoint()
    landscape = make_landscape(len(checkpoint.network.parameters))
    checkpoint = make_checkpoint(landscape=landscape)
    values: dict[str, Any] = content(checkpoint, None, NO_SHEET)
    assert np.allclose(values["landscape"]["grid"], landscape.grid, rtol=1e-3)
    assert np.allclose(values["landscape"]["path"], landscape.path, atol=1e-4)
    assert values["landscape"]["costs"] == [0.9, 0.1235]
    assert values["landscape"]["epochs"] == values["snapshots"]["epochs"] == [0, 7]
    first = checkpoint.network.matrices_of(landscape.snapshots[1])[0]
    assert np.array_equal(
        unpacked(values["snapshots"]["weights"][1][0], "float16"), first.T.ravel()
    )


def test_mistakes_come_in_the_order_of_their_sheet() -> None:
    subject = make_subject()
    values = content(subject.checkpoint, subject.figures, NO_SHEET)
    assert values["mistakes"]["labels"] == [3, 9, 3, 4]
    assert values["mistakes"]["answers"] == [5, 4, 5, 9]
    assert values["mistakes"]["digits"] == [1, 1, 1, 1]
    assert values["mistakes"]["confidences"] == sorted(
        values["mistakes"]["confidences"], reverse=True
    )


def test_what_the_preparation_found_goes_with_a_picture() -> None:
    subject = make_subject()
    assert subject.figures is not None
    examples = subject.figures.examples
    digits = np.where(np.arange(40) == 13, 2, 1)
    dataset = replace(examples.dataset, digits=digits, priors=np.arange(40) / 10)
    figures = replace(subject.figures, examples=replace(examples, dataset=dataset))
    values = content(subject.checkpoint, figures, NO_SHEET)
    assert values["mistakes"]["digits"] == [1, 1, 2, 1]
    assert values["mistakes"]["priors"] == [0.3, 0.9, 1.3, 2.4]
    assert values["samples"]["priors"][0] == figures.samples[0] / 10
