"""The way downhill: surface, slider, ball, and what the network was then."""

from typing import TYPE_CHECKING

import numpy as np

from browser.conftest import OpenPage, WritePage
from browser.hand import SETTLED
from browser.models import Models

if TYPE_CHECKING:
    from playwright.sync_api import Page

SHOWN = (
    "() => ['h-epoch', 'h-cost', 'h-right'].map((id) => document.getElementById(id).textContent)"
)
PAINTED = "() => document.getElementById('land').toDataURL()"


def test_the_slider_tells_each_epochs_cost_and_accuracy(
    write_page: WritePage, open_page: OpenPage, models: Models
) -> None:
    page = open_page(write_page("videos"), reduced_motion="reduce")
    with np.load(models["videos"]) as file:
        costs, accuracies = file["landscape_costs"], file["landscape_accuracies"]
    assert len(costs) == 4  # the start and three epochs
    slider, then = page.locator("#epoch"), page.locator("#h-answer")
    answers = set()
    for epoch in (3, 2, 1, 0):
        shown = page.evaluate(SHOWN)
        assert shown[0].startswith(str(epoch))
        assert abs(float(shown[1]) / costs[epoch] - 1) < 0.01
        assert shown[2] == f"{100 * accuracies[epoch]:.1f} %"
        answers.add(then.inner_text())
        slider.press("ArrowLeft")
    assert len(answers) >= 3  # the untrained network read the picture otherwise
    assert page.locator("#then canvas").count() == 16


def test_the_surface_turns_by_drag_and_keys(write_page: WritePage, open_page: OpenPage) -> None:
    page = open_page(write_page("videos"), reduced_motion="reduce")
    surface = page.locator("#land")
    surface.scroll_into_view_if_needed()
    looks = [page.evaluate(PAINTED)]
    for key in ("ArrowLeft", "ArrowUp"):
        surface.press(key)
        looks.append(_painted(page))
    box = surface.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 80, y)
    page.mouse.up()
    looks.append(_painted(page))
    page.mouse.move(x - 80, y)
    assert _painted(page) == looks[-1]  # nothing turns once the button is up
    assert len(set(looks)) == 4


def _painted(page: "Page") -> str:
    page.evaluate(SETTLED)
    painted: str = page.evaluate(PAINTED)
    return painted


def test_the_ball_rolls_from_the_start_and_can_be_stopped(
    write_page: WritePage, open_page: OpenPage
) -> None:
    page = open_page(write_page("videos"))
    roll, slider = page.locator("#roll"), page.locator("#epoch")
    roll.click()
    page.evaluate(SETTLED)
    assert slider.input_value() == "0"
    page.wait_for_function("() => document.getElementById('epoch').value === '1'")
    roll.click()
    before = _painted(page)
    page.wait_for_timeout(200)
    assert _painted(page) == before


def test_the_ball_does_not_roll_for_those_who_want_less_motion(
    write_page: WritePage, open_page: OpenPage
) -> None:
    page = open_page(write_page("videos"), reduced_motion="reduce")
    page.locator("#epoch").press("Home")
    page.locator("#roll").click()
    page.evaluate(SETTLED)
    assert page.locator("#epoch").input_value() == "3"


def test_a_model_without_landscape_says_how_to_get_one(
    write_page: WritePage, open_page: OpenPage
) -> None:
    page = open_page(write_page("no landscape"))
    assert page.locator("#land").count() == 0
    assert "{landscape: true}" in page.locator("#downhill").inner_text()
