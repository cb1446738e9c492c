"""An exported module works in a browser: imported, from a blob, in a worker, inside a page."""

import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from conftest import REPOSITORY
from PIL import Image
from report_subject import make_checkpoint
from test_tour import blocks

import digitnet
from browser.conftest import OpenPage
from browser.models import HOSTILE
from digitnet.export.contents import contents_of
from digitnet.export.export import export_model
from digitnet.export.to_javascript import write
from digitnet.model.prediction import Model, Prediction

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

Site = dict[str, tuple[str, str | bytes]]  # type and contents of the file at each address
SITE = "http://site.test"
TOLERANCE = 1e-5  # of a probability: float64 and float32
IN_A_WORKER = """([text, pixels]) => new Promise((resolve, reject) => {
  const address = (code) => URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  const code = `import { predict } from "${address(text)}";
    onmessage = ({ data }) => postMessage(predict(data));`;
  const worker = new Worker(address(code), { type: "module" });
  worker.onerror = ({ message }) => reject(new Error(message));
  worker.onmessage = ({ data }) => resolve(data);
  worker.postMessage(Float32Array.from(pixels));
})"""


@pytest.fixture(scope="module")
def four() -> Prediction:
    return digitnet.load().predict(REPOSITORY / "data" / "pictures" / "four.png")


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("export") / "digits.js"
    export_model(digitnet.load(), path)
    return path.read_text()


@pytest.fixture
def open_site(browser: "Browser") -> Iterator[Callable[[Site], "Page"]]:
    """Yield a function that opens the page "/" of a site."""
    context = browser.new_context(offline=True)
    context.set_default_timeout(30_000)  # ms: other programs may share the machine

    def open_site(site: Site) -> "Page":
        def answer(route: "Route") -> None:
            content_type, body = site[route.request.url.removeprefix(SITE)]
            route.fulfill(content_type=content_type, body=body)

        page = context.new_page()
        page.route("**/*", answer)
        page.goto(f"{SITE}/")
        return page

    yield open_site
    context.close()


def as_png(prediction: Prediction) -> bytes:
    file = io.BytesIO()
    Image.fromarray(prediction.reading.image).save(file, "PNG")
    return file.getvalue()


def test_the_lines_in_the_modules_head_read_a_prepared_picture(
    open_site: Callable[[Site], "Page"], module: str, four: Prediction
) -> None:
    head = module.partition("\n\n")[0]
    lines = "\n".join(re.findall(r"^//   (.*)$", head, re.MULTILINE))
    keep = "console.log = (...said) => { window.said = said; };"
    script = f'<script type="module">{keep}\n{lines}\nwindow.pixels = [...pixels];</script>'
    page = open_site(
        {
            "/": ("text/html", script),
            "/digits.js": ("text/javascript", module),
            "/prepared.png": ("image/png", as_png(four)),
        }
    )
    page.wait_for_function("window.pixels")
    digit, confidence, is_intact = page.evaluate("window.said")
    assert (digit, is_intact) == (4, True)
    assert confidence == pytest.approx(four.confidence, abs=TOLERANCE)
    seen = np.array(page.evaluate("window.pixels")) * 255
    np.testing.assert_allclose(seen.reshape(28, 28), four.reading.image, atol=1e-4)


def test_the_tour_leads_to_an_answer(
    open_site: Callable[[Site], "Page"], module: str, four: Prediction
) -> None:
    (page,) = blocks("html")
    site: Site = {
        "/": ("text/html", page),
        "/digits.js": ("text/javascript", module),
        "/prepared/data/pictures/four.png": ("image/png", as_png(four)),
    }
    open_site(site).wait_for_function("document.querySelector('output').value === '4'")


def test_a_worker_imports_the_module_from_a_blob(
    open_site: Callable[[Site], "Page"], module: str, four: Prediction
) -> None:
    page = open_site({"/": ("text/html", "<!doctype html>")})
    pixels = (four.reading.image.ravel() / 255).tolist()
    answer: dict[str, Any] = page.evaluate(IN_A_WORKER, [module, pixels])
    assert (answer["digit"], answer["isDoubtful"]) == (4, False)
    assert answer["probabilities"] == pytest.approx(four.probabilities.tolist(), abs=TOLERANCE)


def test_hostile_names_stay_inside_a_script_element(open_page: OpenPage, tmp_path: Path) -> None:
    names = (*HOSTILE, "<!--<script>", "]]>", "\u2028")
    file = io.BytesIO()
    write(contents_of(Model(make_checkpoint(names, version=" ".join(names)))), file)
    path = tmp_path / "page.html"
    path.write_text(
        f'<!doctype html><title>A page</title><script type="module">{file.getvalue().decode()}\n'
        "window.found = { classNames, version: about.version, isIntact: check() };</script>"
    )
    found = open_page(path).evaluate("window.found")
    assert found == {"classNames": list(names), "version": " ".join(names), "isIntact": True}
