"""A hand that draws on the page's pad, and what the page then shows."""

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from browser.drawings import PAD, Drawing

if TYPE_CHECKING:
    from playwright.sync_api import Page

SETTLED = "() => new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)))"
SHOWN = """() => ({
  picture: document.getElementById("pad").toDataURL("image/png"),
  answer: document.getElementById("answer").dataset.answer,
  text: document.getElementById("answer").textContent,
  pixels: Array.from(window.digitnet.pixels),
  shares: [...document.querySelectorAll("[id^=p-]")].map((bar) => [bar.id, bar.dataset.p]),
})"""


@dataclass(frozen=True)
class Shown:
    """What the page shows.

    picture: the pad as PNG. answer: a class name, "?" or "". text: all of the answer's element.
    pixels: uint8 (28, 28), the network's input. probabilities: float64 (classes,), NaN without an
    answer.
    """

    picture: bytes
    answer: str
    text: str
    pixels: NDArray[np.uint8]
    probabilities: NDArray[np.float64]


def draw(page: "Page", drawing: Drawing, *, clear: bool = True) -> None:
    """Draw strokes with the mouse, on a cleared pad."""
    if clear:
        page.locator("#clear").dispatch_event("click")
    box = page.locator("#pad").bounding_box()
    assert box is not None
    scale = box["width"] / PAD
    for stroke in drawing:
        points = [(box["x"] + x * scale, box["y"] + y * scale) for x, y in stroke]
        page.mouse.move(*points[0])
        page.mouse.down()
        for point in points[1:]:
            page.mouse.move(*point)
        page.mouse.up()


def shown(page: "Page") -> Shown:
    """Return what the page shows once it has drawn its next frames."""
    page.evaluate(SETTLED)
    found = page.evaluate(SHOWN)
    shares = dict(found["shares"])
    probabilities = np.array([float(shares[f"p-{k}"] or "nan") for k in range(len(shares))])
    return Shown(
        base64.b64decode(found["picture"].partition(",")[2]),
        found["answer"],
        found["text"],
        np.array(found["pixels"], np.uint8).reshape(28, 28),
        probabilities,
    )
