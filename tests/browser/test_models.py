"""Pages of many models open offline and quietly, whatever names stand in model, data and config.

`open_page` fails a test whose page sends a request, opens a dialog, or has an error or a message.
"""

import re
import shutil
from pathlib import Path

import pytest
from conftest import Run, train_model

from browser.conftest import OpenPage, WritePage
from browser.hand import SETTLED
from browser.models import HOSTILE, HOSTILE_FILE, LETTERS

IS_UNTOUCHED = """() => [...document.querySelectorAll("img")].every(
  (image) => image.src.startsWith("data:")
) && document.querySelectorAll("script").length === 2"""
PARTS = ["draw", "neurons", "downhill", "good", "mistakes", "about-model"]


@pytest.mark.parametrize("name", ["shipped", "videos", "five layers", "no validation"])
def test_all_parts_are_there(name: str, write_page: WritePage, open_page: OpenPage) -> None:
    page = open_page(write_page(name))
    assert [page.locator(f"#{part} h2").count() for part in PARTS] == [1] * len(PARTS)
    assert page.locator("[id^=p-]").count() == 10
    assert page.locator("#answer").get_attribute("data-answer") in {*"0123456789", "?"}
    for link in page.locator("nav a").all():
        link.click()
    page.evaluate(SETTLED)


def test_hostile_class_names_are_shown_and_do_nothing(
    write_page: WritePage, open_page: OpenPage, letters: Path
) -> None:
    page = open_page(write_page("letters", letters))
    assert page.locator("[id^=p-]").count() == len(LETTERS)
    page.evaluate("document.querySelectorAll('.matrix button').forEach((each) => each.click())")
    for _ in range(5):
        page.locator("#next").click()
    page.locator("#drawer button").first.click()
    page.locator(".pictures button").first.click()
    page.locator("#net").press("ArrowRight")
    page.evaluate(SETTLED)
    for name in HOSTILE:
        assert page.evaluate("(name) => document.body.textContent.includes(name)", name), name
    assert page.evaluate(IS_UNTOUCHED)


def test_hostile_file_names_and_config_do_nothing(
    run: Run, open_page: OpenPage, small_mnist: Path, tmp_path: Path
) -> None:
    folder = tmp_path / HOSTILE_FILE
    shutil.copytree(small_mnist, folder / "data")
    model = train_model(
        folder,
        run,
        f"data: {{path: '{folder / 'data'}', validation: 100, "
        "non_digits: ['</script><script>alert(6)</script>', '{{7*7}}<b onclick=alert(7)>']}\n"
        "network: {layer_sizes: [784, 8, 10]}\n"
        "training: {epochs: 1}\n",
    )
    model = model.rename(folder / "</title><svg onload=alert(8)>.npz".replace("/", "\\"))
    path = folder / f"{HOSTILE_FILE}.html"
    done = run("report", "-m", model, "-o", path)
    assert done.returncode == 0, done.stderr.decode()
    page = open_page(path)
    page.evaluate(SETTLED)
    text = page.evaluate("document.body.textContent + document.title")
    assert model.name in text
    assert "alert(6)" in text
    assert page.evaluate(IS_UNTOUCHED)


def test_a_page_without_data_has_no_figures(
    run: Run, open_page: OpenPage, small_mnist: Path, tmp_path: Path
) -> None:
    shutil.copytree(small_mnist, tmp_path / "data")
    model = train_model(
        tmp_path,
        run,
        "data: {path: data, validation: 100}\nnetwork: {layer_sizes: [784, 8, 10]}\n"
        "training: {epochs: 1}\n",
    )
    shutil.rmtree(tmp_path / "data")
    done = run("report", "-m", model, "-o", tmp_path / "page.html")
    assert done.returncode == 0
    assert len(done.stderr.splitlines()) == 1
    page = open_page(tmp_path / "page.html")
    found = [page.locator(f"#{part}").count() for part in PARTS]
    assert found == [1, 1, 1, 0, 0, 1]
    assert page.locator("#answer").get_attribute("data-answer") == ""
    assert page.locator("nav a").count() == 4


def test_no_address_leads_out_of_the_page(write_page: WritePage, open_page: OpenPage) -> None:
    path = write_page("shipped")
    page = open_page(path)
    addresses = page.evaluate(
        """[...document.querySelectorAll("[src], [href], [action]")].map(
          (each) => each.getAttribute("src") ?? each.getAttribute("href") ?? "action")"""
    )
    assert all(address.startswith(("#", "data:")) for address in addresses)
    names = set(re.findall(r"\w+://[^\s\"'`<>]*", path.read_text()))
    assert names <= {"http://www.w3.org/2000/svg"}  # a namespace
    assert "default-src 'none'" in path.read_text()
