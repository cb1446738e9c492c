"""An exported module works in a browser: imported, from a blob, in a worker, inside a page."""

import base64
import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from conftest import REPOSITORY
from PIL import Image
from report_subject import make_checkpoint
from test_tour import blocks

import digitnet
from browser.conftest import OpenPage
from browser.drawings import AWKWARD, digits
from browser.hand import SETTLED, draw
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
(DRAWING,) = blocks("html")  # the page of the tour
READ = """async () => {
  const { read } = await import("./digits.js");
  const pad = document.querySelector("canvas");
  const answer = read(pad.getContext("2d").getImageData(0, 0, pad.width, pad.height));
  answer.pixels = Array.from(answer.pixels, (value) => Math.round(255 * value));
  return { answer, png: pad.toDataURL("image/png").split(",")[1] };
}"""


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


def test_a_drawing_is_read_as_predict_reads_its_png(
    open_site: Callable[[Site], "Page"], module: str
) -> None:
    page = open_site({"/": ("text/html", DRAWING), "/digits.js": ("text/javascript", module)})
    shown, model = page.locator("output"), digitnet.load()
    for label, drawing in digits(4, seed=3):
        draw(page, drawing)
        page.evaluate(SETTLED)
        found = page.evaluate(READ)
        expected = model.predict(base64.b64decode(found["png"]))
        assert found["answer"]["pixels"] == expected.reading.image.ravel().tolist()
        assert found["answer"]["digit"] == expected.digit == label
        probabilities = expected.probabilities.tolist()
        assert found["answer"]["probabilities"] == pytest.approx(probabilities, abs=TOLERANCE)
        assert shown.text_content() == str(label)
    draw(page, AWKWARD["two digits"])
    page.evaluate(SETTLED)
    assert shown.text_content() == "?"
    page.locator("#clear").click()
    assert shown.text_content() == ""


def test_the_lines_in_the_modules_head_read_a_drawing_and_a_prepared_picture(
    open_site: Callable[[Site], "Page"], module: str, four: Prediction
) -> None:
    head = module.partition("\n\n")[0]
    drawn, prepared = (
        block.replace("//   ", "") for block in re.findall(r"(?:^//   .*\n)+", head + "\n", re.M)
    )
    script = f"""console.log = (...said) => {{ window.said = said; }};
      {drawn}
      const image = await createImageBitmap(await (await fetch("prepared.png")).blob());
      const context = new OffscreenCanvas(28, 28).getContext("2d");
      context.drawImage(image, 0, 0);
      {prepared.replace("predict(", "window.answer = predict(")}"""
    site: Site = {
        "/": ("text/html", DRAWING),
        "/digits.js": ("text/javascript", module),
        "/prepared.png": ("image/png", as_png(four)),
    }
    page = open_site(site)
    (_, drawing) = digits(8, seed=3)[7]
    draw(page, drawing)
    page.add_script_tag(type="module", content=script)
    page.wait_for_function("window.answer")
    assert page.evaluate("window.said") == [7, True]
    answer = page.evaluate("window.answer")
    assert answer["digit"] == 4
    assert answer["confidence"] == pytest.approx(four.confidence, abs=TOLERANCE)


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
