"""The HTML of a report."""

import html
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from report_subject import make_checkpoint, make_figures, make_subject

from digitnet.report.page import MAX_CIRCLES, render, write_page
from digitnet.report.scripts import PAGE, content_hash
from digitnet.report.subject import Subject

HOSTILE = '"><script>alert(1)</script>{{7*7}}'


class Elements(HTMLParser):
    """Collects the elements of a page: tag and attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def page() -> str:
    return render(make_subject())


def test_the_policy_allows_the_only_script_and_no_address(page: str) -> None:
    elements = Elements(page)
    policy = next(
        str(each["content"])
        for each in elements.all("meta")
        if each.get("http-equiv") == "Content-Security-Policy"
    )
    data, script = re.findall(r"<script[^>]*>(.*?)</script>", page, re.DOTALL)
    assert f"script-src '{content_hash(script)}'" in html.unescape(policy)
    assert policy.startswith("default-src 'none'")
    assert json.loads(data)["model"]["sizes"] == [784, 6, 10]
    for attribute in ("src", "href", "action", "data"):
        values = [each.get(attribute) for _, each in elements.elements if each.get(attribute)]
        assert [v for v in values if v and not v.startswith(("#", "data:"))] == []


def test_no_element_has_a_handler_of_its_own(page: str) -> None:
    named = [name for _, attributes in Elements(page).elements for name in attributes]
    assert [name for name in named if name.startswith("on")] == []


def test_figures_are_on_the_page(page: str) -> None:
    assert "90.00 %" in page  # 36 of 40
    low, high = make_subject().figures.evaluation.interval  # type: ignore[union-attr]
    assert f"{100 * low:.2f} % to {100 * high:.2f} %" in page
    buttons = [each for each in Elements(page).all("button") if "data-row" in each]
    cells = {(each["data-row"], each["data-column"]) for each in buttons}
    assert cells == {("3", "5"), ("9", "4"), ("4", "9")}


def test_without_pictures_the_figures_are_left_out() -> None:
    page = render(Subject("model.npz", make_checkpoint()))
    assert not [each for each in Elements(page).all("button") if "data-row" in each]
    assert "95 % interval" not in page
    assert 'id="mistakes"' not in page
    assert 'id="good"' not in page


def test_no_folder_of_the_machine_is_named(page: str) -> None:
    assert "someone" not in page
    config = make_checkpoint().config
    data = config["data"] | {"rehearsal": {"path": ["/home/someone/a", "/home/someone/b"]}}
    config = config | {"data": data, "start": "/home/someone/start.npz"}
    start = {"path": "/home/someone/start.npz", "sha256": "cd" * 32}
    page = render(make_subject(config=config, start=start))
    assert "someone" not in page
    assert "- b" in page


@pytest.mark.parametrize(
    ("name", "shown"),
    [("a; rm x.npz", "'a; rm x.npz'"), ("-m.npz", "./-m.npz"), ("my model.npz", "'my model.npz'")],
)
def test_commands_quote_the_model(name: str, shown: str) -> None:
    page = html.unescape(render(Subject(f"/tmp/{name}", make_checkpoint())))
    assert f"digitnet evaluate -m {shown}\n" in page
    assert f"digitnet report -m {shown}</code>" in page


def test_names_are_shown_as_text() -> None:
    names = (HOSTILE, *map(str, range(1, 10)))
    subject = make_subject(names=names, class_names=names, data_path=f"/tmp/{HOSTILE}")
    figures = make_figures([0, 0, 1], [0, 1, 0], names)
    page = render(subject._replace(path=f"/tmp/{HOSTILE}.npz", figures=figures))
    scripts = Elements(page).all("script")
    assert len(scripts) == 2
    title = re.search("<title>(.*?)</title>", page)
    over = re.search('<p class="over">(.*?)</p>', page, re.DOTALL)
    assert title is not None
    assert over is not None
    assert "{{7*7}}" in over[1]
    assert "<" not in title[1]
    assert html.escape(HOSTILE, quote=False) in page.replace("&#34;", '"')


@pytest.mark.parametrize("name", ["\udc80", "\x00", "\u202e", "a" * 255])
def test_odd_names_can_be_written(name: str, tmp_path: Path) -> None:
    names = (name, *map(str, range(1, 10)))
    subject = make_subject(names=names, class_names=names)
    figures = make_figures([0, 0, 1], [0, 1, 0], names)
    size = write_page(str(tmp_path / "r.html"), subject._replace(figures=figures))
    assert (tmp_path / "r.html").stat().st_size == size


def test_many_classes_have_no_matrix_but_their_kinds() -> None:
    names = tuple(f"class {k}" for k in range(60))
    figures = make_figures([0, 0, 1], [0, 1, 0], names)
    page = render(make_subject(names=names, class_names=names)._replace(figures=figures))
    assert not [each for each in Elements(page).all("button") if "data-row" in each]
    assert "class 0" in page


@pytest.mark.parametrize(
    "history",
    [
        [],
        [None, 3, {"training": 5}],
        [{"training": {"cost": -1}, "validation": {"cost": 0, "accuracy": 7}}],
        [{"training": {"cost": 1e308}, "validation": {"cost": 1e-320, "accuracy": -3}}] * 3,
        [{"training": {"cost": 1}, "validation": {"cost": 1, "accuracy": 1}}],
        [{"training": {"cost": 1}, "validation": None}] * 2,
    ],
)
def test_any_history_can_be_shown(history: list[Any]) -> None:
    assert "</html>" in render(Subject("model.npz", make_checkpoint(history=history)))


def test_a_network_without_hidden_layers_can_be_shown() -> None:
    from digitnet.network.network import Network

    checkpoint = make_checkpoint(network=Network([784, 10]))
    subject = make_subject()
    assert "784–10" in render(subject._replace(checkpoint=replace(checkpoint)))


def test_a_config_that_is_nested_deeply_is_left_out() -> None:
    config = make_checkpoint().config
    nested: dict[str, Any] = {}
    for _ in range(900):
        nested = {"a": nested}
    page = render(Subject("model.npz", make_checkpoint(config=config | {"data": nested})))
    assert "</html>" in page


def test_pages_of_the_same_model_are_equal(page: str) -> None:
    assert render(make_subject()) == page


@pytest.mark.parametrize(
    ("module", "name", "sentence"),
    [
        ("contributions", "MAX_LINES", "the {} strongest lines"),
        ("tiles", "ALL_SHOWN", "first_layer > {} %}}"),
        ("tiles", "FIRST_SHOWN", "Here are the {} neurons"),
        ("tiles", "FIRST_SHOWN", "first_layer - {})"),
        ("downhill", "SHOWN_NEURONS", "first_layer > {} %}}, {0} of"),
    ],
)
def test_numbers_in_sentences_are_those_of_the_script(
    module: str, name: str, sentence: str
) -> None:
    script = (PAGE / f"{module}.js").read_text()
    (number,) = re.findall(rf"^(?:export )?const {name} = (\d+);", script, re.MULTILINE)
    template = (PAGE / "page.html").read_text()
    assert sentence.replace("{0}", "{}").replace("{}", number).replace("}}", "}") in template


def test_layers_are_grids_where_the_script_draws_grids() -> None:
    script = (PAGE / "arrangement.js").read_text()
    assert f"export const MAX_CIRCLES = {MAX_CIRCLES};" in script
