"""The page prepares a drawing as Python does: every pixel and every decision."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from browser.drawings import AWKWARD, PAD, Drawing, digits
from numpy.typing import NDArray
from pads import as_png, drawn
from page_modules import as_text, in_node, needs_node, net_of

import digitnet
from digitnet.errors import ImageError
from digitnet.image.reading import read

pytestmark = needs_node

DIGITS = [drawing for _, drawing in digits(18, seed=11)]
BLOCK: Drawing = [[(80, y), (200, y)] for y in range(80, 201, 10)]


def pads() -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """Yield named pictures of the pad."""
    yield "empty", drawn([])
    for number, drawing in enumerate(DIGITS):
        yield f"digit {number}", drawn(drawing)
    for name, drawing in AWKWARD.items():
        yield name, drawn(drawing)
    yield "half a digit", drawn([DIGITS[8][0][:20]])
    yield "black on white", drawn(DIGITS[3], ink=0, paper=255)
    yield "faint", drawn(DIGITS[4], ink=60, paper=40)
    yield "too faint", drawn(DIGITS[4], ink=60, paper=50)
    yield "thick pen", drawn(DIGITS[5], width=48)
    yield "thin pen", drawn(DIGITS[6], width=3)
    yield "filled block", drawn(BLOCK)
    yield "empty card", np.pad(np.full((160, 130), 255, np.uint8), ((60, 60), (70, 80)))
    yield "card", np.maximum(drawn(BLOCK), 90) - drawn(AWKWARD["very small"]) // 3
    yield "lit from above", (drawn(DIGITS[7]) * np.linspace(0.4, 1, PAD)[:, None]).astype(np.uint8)


def test_readings_are_equal() -> None:
    model, named = digitnet.load(), dict(pads())
    found = in_node(
        "readings",
        net=net_of(model.network, model.calibration),
        pads=as_text(np.stack(list(named.values()))),
        side=PAD,
    )
    errors = set()
    for (name, pad), decisions in zip(named.items(), found, strict=True):
        expected = expected_decisions(pad, model)
        assert decisions.pop("prior", 0) == pytest.approx(expected.pop("prior", 0), abs=1e-9), name
        assert decisions == expected, name
        errors.add(decisions.get("error"))
    assert len(errors) == 3


def expected_decisions(pad: NDArray[np.uint8], model: digitnet.Model) -> dict[str, Any]:
    """Return what Python decides on the PNG of a pad, or its error."""
    try:
        reading = read(as_png(pad), score=model.judge)
    except ImageError as error:
        return {"error": error.problem}
    names = ["digits", "prior", "dark", "threshold", "stroke"]
    return {
        "image": reading.image.ravel().tolist(),
        "box": list(reading.box),
        "corner": list(reading.corner),
        **{name: getattr(reading, name) for name in names},
    }
