"""The page with a keyboard, a screen reader, less motion, a narrow window, and on paper."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from browser.chromium import DESKTOP, PHONE
from browser.conftest import OpenPage, WritePage
from browser.hand import SETTLED, shown

if TYPE_CHECKING:
    from playwright.sync_api import Page

FRAMES = """() => new Promise((go) => {
  const real = window.requestAnimationFrame;
  let frames = 0;
  window.requestAnimationFrame = (draw) => (frames += 1, real(draw));
  setTimeout(() => { window.requestAnimationFrame = real; go(frames); }, 300);
})"""
FOCUS = """() => {
  const focused = document.activeElement, style = getComputedStyle(focused);
  return {
    name: focused.id || focused.className || focused.textContent.slice(0, 20) || focused.tagName,
    isSeen: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1,
    isBody: focused === document.body,
  };
}"""
BEYOND = """() => {
  const scrolls = (each) => each !== document.documentElement &&
    (["auto", "scroll"].includes(getComputedStyle(each).overflowX) || scrolls(each.parentElement));
  return [...document.querySelectorAll("body *")].filter((each) => {
    const box = each.getBoundingClientRect();
    return box.width > 1 && box.height > 1 && !scrolls(each)
      && box.right > document.documentElement.clientWidth + 1;
  }).map((each) => `${each.tagName} ${each.id} ${each.className}`);
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["shipped", "letters"])
def test_axe_finds_no_violation(
    name: str, scheme: str, write_page: WritePage, open_page: OpenPage, letters: Path
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    path = write_page(name, letters if name == "letters" else None)
    page = open_page(path, color_scheme=scheme, reduced_motion="reduce")
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    for viewport in (DESKTOP, PHONE):
        page.set_viewport_size(viewport)
        page.evaluate(SETTLED)
        found = Axe().run(page)
        assert found.response["passes"]
        assert not found.response["violations"], found.generate_report()


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("name", ["shipped", "videos", "five layers", "letters"])
def test_nothing_lies_beyond_the_right_edge(
    name: str, viewport: dict[str, int], write_page: WritePage, open_page: OpenPage, letters: Path
) -> None:
    page = open_page(write_page(name, letters if name == "letters" else None), viewport=viewport)
    page.evaluate(SETTLED)
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    assert page.evaluate(BEYOND) == []


def test_the_pad_is_drawn_on_with_keys_and_a_visible_pen(
    write_page: WritePage, open_page: OpenPage
) -> None:
    page = open_page(write_page("shipped"), reduced_motion="reduce")
    page.locator("#clear").click()
    pad = page.locator("#pad")
    pad.focus()
    looks = [_screenshot(page)]
    for key in ("ArrowUp", "Space"):
        pad.press(key)
        looks.append(_screenshot(page))
    assert len(set(looks)) == 3  # the pen moves, then goes down
    assert shown(page).pixels.any()
    for _ in range(12):
        pad.press("ArrowDown")
    found = shown(page)
    assert (found.pixels > 0).sum() > 30
    assert found.answer
    pad.press("Space")
    for _ in range(12):
        pad.press("ArrowLeft")
    assert (shown(page).pixels == found.pixels).all()
    pad.press("Delete")
    assert not shown(page).pixels.any()


def _screenshot(page: "Page") -> bytes:
    """Return a picture of the pad with whatever lies on it."""
    page.evaluate(SETTLED)
    box = page.locator("#pad").bounding_box()
    assert box is not None
    return page.screenshot(clip=box)


def test_neurons_are_chosen_with_keys(write_page: WritePage, open_page: OpenPage) -> None:
    page = open_page(write_page("videos"), reduced_motion="reduce")
    network, title = page.locator("#net"), page.locator("#what")
    network.focus()
    titles = [title.inner_text()]
    for key in ("ArrowDown", "ArrowDown", "ArrowRight", "Escape"):
        network.press(key)
        page.evaluate(SETTLED)
        titles.append(title.inner_text())
    assert titles[0] == titles[-1]
    assert len(set(titles)) == 4


def test_a_cell_and_its_pictures_open_with_keys(write_page: WritePage, open_page: OpenPage) -> None:
    page = open_page(write_page("videos"), reduced_motion="reduce")
    before = shown(page).pixels
    closed = page.locator(".matrix button[aria-pressed=false]").last
    name = closed.get_attribute("aria-label")
    closed.press("Enter")
    opened = page.locator(".matrix button[aria-pressed=true]")
    assert opened.get_attribute("aria-label") == name
    page.locator("#drawer button").first.press("Enter")
    after = shown(page).pixels
    assert after.any()
    assert (after != before).any()


def test_focus_is_visible_on_everything_that_can_be_reached(
    write_page: WritePage, open_page: OpenPage
) -> None:
    page = open_page(write_page("videos"), reduced_motion="reduce")
    reached, unseen = [], []
    for _ in range(400):
        page.keyboard.press("Tab")
        focus = page.evaluate(FOCUS)
        if focus["isBody"]:
            break
        reached.append(focus["name"])
        if not focus["isSeen"]:
            unseen.append(focus["name"])
    assert {"pad", "clear", "next", "net"} <= set(reached)
    assert not unseen


def test_everything_that_can_be_reached_has_a_name(
    write_page: WritePage, open_page: OpenPage
) -> None:
    page = open_page(write_page("videos"), reduced_motion="reduce")
    session = page.context.new_cdp_session(page)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    nameless = []
    for node in nodes:
        is_focusable = any(each["name"] == "focusable" for each in node.get("properties", []))
        role = node.get("role", {}).get("value")
        if is_focusable and role != "RootWebArea" and not node.get("name", {}).get("value"):
            nameless.append(role)
    assert len(nodes) > 100
    assert not nameless


def test_the_answer_is_said_when_drawing_pauses(write_page: WritePage, open_page: OpenPage) -> None:
    page = open_page(write_page("shipped"), reduced_motion="reduce")
    page.locator("#clear").click()
    pad = page.locator("#pad")
    pad.press("Space")
    for _ in range(10):
        pad.press("ArrowDown")
    pad.press("Space")
    answer = shown(page).answer
    page.wait_for_function(
        """(answer) => [...document.querySelectorAll("[aria-live]")].some(
          (each) => each.textContent.includes(answer === "?" ? "not sure" : answer))""",
        arg=answer,
    )


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_nothing_moves_for_those_who_want_less_motion(
    motion: str, write_page: WritePage, open_page: OpenPage
) -> None:
    page = open_page(write_page("videos"), reduced_motion=motion)
    page.evaluate(SETTLED)
    page.locator("#replay").dispatch_event("click")
    frames = page.evaluate(FRAMES)
    if motion == "reduce":
        assert frames <= 1  # one may be drawn for the click
        assert page.evaluate("document.getAnimations().length") == 0
        style = "getComputedStyle(document.documentElement).scrollBehavior"
        assert page.evaluate(style) == "auto"
    else:
        assert frames > 2


@pytest.mark.parametrize("name", ["shipped", "letters"])
def test_the_page_prints_on_few_sheets(
    name: str, write_page: WritePage, open_page: OpenPage, letters: Path
) -> None:
    path = write_page(name, letters if name == "letters" else None)
    page = open_page(path, color_scheme="dark", viewport={"width": 718, "height": 1000})
    page.evaluate(SETTLED)
    sheets = re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4"))
    assert 2 <= len(sheets) <= 6
    page.emulate_media(media="print")
    page.evaluate(SETTLED)
    assert page.evaluate(BEYOND) == []


def test_the_later_parts_can_be_read_without_javascript(
    write_page: WritePage, open_page: OpenPage
) -> None:
    page = open_page(write_page("videos"), java_script_enabled=False)
    assert "JavaScript" in page.locator("noscript").inner_text()
    assert page.locator("#good .matrix td").count() >= 100
    assert page.locator("#good svg").count() >= 2
    assert "→" in page.locator("#mistakes").inner_text()
    assert "784" in page.locator("#about-model").inner_text()
