"""The page reads a drawing and a test picture as Python does."""

import numpy as np
import pytest
from conftest import read_mnist

import digitnet
from browser.chromium import PHONE
from browser.conftest import OpenPage, WritePage
from browser.drawings import AWKWARD, PAD, digits
from browser.hand import Shown, draw, shown
from browser.models import Models
from digitnet.errors import ImageError

TOLERANCE = 1e-5  # of a probability: JavaScript and BLAS add in different orders
ROUNDED = 2e-3  # the same, where the page holds the parameters as float16


def test_drawn_digits_are_read_as_predict_reads_the_pads_picture(
    write_page: WritePage, open_page: OpenPage
) -> None:
    page, model = open_page(write_page("shipped")), digitnet.load()
    right, wrong = 0, []
    for k, (digit, drawing) in enumerate(digits(50, seed=1)):
        draw(page, drawing)
        wrong += [f"{k}, a {digit}: {each}" for each in differences(model, shown(page))]
        right += shown(page).answer == str(digit)
    assert not wrong
    assert right >= 40  # else the drawings are not digits


def test_awkward_drawings_are_read_as_predict_reads_the_pads_picture(
    write_page: WritePage, open_page: OpenPage
) -> None:
    page, model = open_page(write_page("shipped")), digitnet.load()
    wrong = []
    for name, drawing in AWKWARD.items():
        draw(page, drawing)
        wrong += [f"{name}: {each}" for each in differences(model, shown(page))]
    assert not wrong


def differences(model: digitnet.Model, found: Shown) -> list[str]:
    """Return how the page's reading of the pad's picture differs from Python's."""
    try:
        prediction = model.predict(found.picture)
    except ImageError as error:
        return [] if not found.answer else [f"answer {found.answer}, expected {error.problem}"]
    problems = []
    answer = "?" if prediction.digit is None else str(prediction.digit)
    if found.answer != answer:
        problems.append(f"answer {found.answer!r}, expected {answer!r} ({prediction.doubt})")
    pixels = int((found.pixels != prediction.reading.image).sum())
    if pixels:
        problems.append(f"{pixels} pixels differ")
    apart = float(abs(found.probabilities - prediction.probabilities).max())
    if apart > TOLERANCE:
        problems.append(f"a probability differs by {apart:.2g}")
    return problems


@pytest.mark.parametrize("name", ["shipped", "videos", "five layers", "no validation", "wide"])
def test_probabilities_of_test_pictures_are_pythons(
    name: str, write_page: WritePage, open_page: OpenPage, models: Models
) -> None:
    page = open_page(write_page(name))
    model = digitnet.load(name if name == "shipped" else models[name])
    images, _ = read_mnist("t10k", 200)
    found = page.evaluate(
        """(pictures) => pictures.map((pixels) => {
          window.digitnet.show(Uint8Array.from(pixels));
          return Array.from(window.digitnet.answer.shares);
        })""",
        images.reshape(200, -1).tolist(),
    )
    apart = abs(np.array(found) - model.probabilities(images)).max()
    assert apart < (ROUNDED if name == "wide" else TOLERANCE)
    assert ("float16" in page.locator("#about-model").inner_text()) == (name == "wide")


def test_stepping_through_test_pictures_shows_pythons_answers(
    write_page: WritePage, open_page: OpenPage
) -> None:
    page, model = open_page(write_page("shipped"), reduced_motion="reduce"), digitnet.load()
    seen = set()
    for _ in range(20):
        page.locator("#next").click()
        found = shown(page)
        seen.add(found.pixels.tobytes())
        (expected,), _, (is_sure,) = model.judge(found.pixels[np.newaxis])
        assert np.abs(found.probabilities - expected).max() < TOLERANCE
        assert found.answer == (str(expected.argmax()) if is_sure else "?")
    assert len(seen) == 20
    last = found.pixels
    page.locator("#previous").click()
    page.locator("#next").click()
    assert (shown(page).pixels == last).all()


def test_an_empty_pad_has_no_answer(write_page: WritePage, open_page: OpenPage) -> None:
    page = open_page(write_page("shipped"))
    page.locator("#clear").click()
    found = shown(page)
    assert found.answer == ""
    assert np.isnan(found.probabilities).all()
    assert not found.pixels.any()


def test_the_saved_drawing_is_the_pads_picture(write_page: WritePage, open_page: OpenPage) -> None:
    page = open_page(write_page("shipped"))
    draw(page, digits(5, seed=2)[4][1])
    with page.expect_download() as download:
        page.locator("#save").click()
    path = download.value.path()
    saved, seen = digitnet.load().predict(path), shown(page)
    assert download.value.suggested_filename.endswith(".png")
    assert saved.digit == 4
    assert (saved.reading.image == seen.pixels).all()


def test_a_finger_draws_and_does_not_scroll(write_page: WritePage, open_page: OpenPage) -> None:
    page, model = open_page(write_page("shipped"), viewport=PHONE, has_touch=True), digitnet.load()
    page.locator("#clear").tap()
    page.locator("#pad").scroll_into_view_if_needed()
    scrolled = page.evaluate("window.scrollY")
    box = page.locator("#pad").bounding_box()
    assert box is not None
    session = page.context.new_cdp_session(page)
    scale = box["width"] / PAD
    for stroke in digits(10, seed=3)[3][1]:
        for k, (x, y) in enumerate(stroke):
            touch = {"x": box["x"] + x * scale, "y": box["y"] + y * scale}
            event = {"type": "touchMove" if k else "touchStart", "touchPoints": [touch]}
            session.send("Input.dispatchTouchEvent", event)
        session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    found = shown(page)
    assert found.answer == "3"
    assert not differences(model, found)
    assert page.evaluate("window.scrollY") == scrolled


def test_undo_brings_back_the_drawing_before_the_stroke(
    write_page: WritePage, open_page: OpenPage
) -> None:
    page = open_page(write_page("shipped"))
    stroke, second = AWKWARD["equals sign"]
    draw(page, [stroke])
    before = shown(page)
    draw(page, [second], clear=False)
    assert (shown(page).pixels != before.pixels).any()
    page.locator("#undo").click()
    after = shown(page)
    assert after.picture == before.picture
    assert (after.pixels == before.pixels).all()
