"""Take pictures of a report's page: three for the README, or all parts in all looks.

    digitnet report -m 3blue1brown.npz -o 3blue1brown.html
    python tests/pictures/page.py 3blue1brown.html data/pictures
    python tests/pictures/page.py 3blue1brown.html FOLDER --all

The three: the stage with a drawn digit, the way downhill in the dark, and the page on a phone.
With --all: each part in light, in the dark and on a phone, and the sheets of paper as PDF.
"""

import argparse
import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

sys.path.append(str(Path(__file__).parents[1]))

from browser.chromium import DESKTOP, PHONE, chromium
from browser.drawings import rounded, written
from browser.hand import SETTLED, draw

from digitnet.synthetic.handwriting import DIGIT_VARIANTS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PARTS = ("draw", "neurons", "downhill", "good", "mistakes", "about-model")
LOOKS = {"light": ("light", DESKTOP), "dark": ("dark", DESKTOP), "phone": ("light", PHONE)}
COLOURS = 256  # of a picture: a third of the bytes
DIGIT_FORM = DIGIT_VARIANTS[3][0]  # what is drawn
ON_THE_WAY = """() => {
  const slider = document.getElementById("epoch");
  slider.value = slider.max / 6;
  slider.dispatchEvent(new Event("input"));
}"""
STAGE_ON_TOP = """() => {
  const navigation = document.querySelector("nav").offsetHeight;
  window.scrollBy(0, document.querySelector(".screen").getBoundingClientRect().top - navigation);
}"""
MARGINS = dict.fromkeys(("top", "right", "bottom", "left"), "10mm")  # as browsers print
WAIT = 500  # ms: the inspector's pictures come after the answer


def open_page(browser: "Browser", path: Path, scheme: str, viewport: dict[str, int]) -> "Page":
    """Return a page on which a digit has been drawn."""
    page = browser.new_page(
        offline=True, color_scheme=scheme, viewport=viewport, reduced_motion="reduce"
    )
    page.goto(path.absolute().as_uri())
    page.evaluate(SETTLED)
    draw(page, [rounded(stroke) for stroke in written(DIGIT_FORM, (85, 50, 195, 230))])
    page.mouse.move(0, 0)
    page.evaluate("document.activeElement.blur()")
    page.wait_for_timeout(WAIT)
    return page


def save(picture: bytes, path: Path) -> None:
    """Write a screenshot with few colours, and print its size."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    image.quantize(COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(
        path, optimize=True
    )
    print(f"{path}: {image.width}×{image.height}, {path.stat().st_size / 1000:.0f} kB")


def take_three(browser: "Browser", path: Path, folder: Path) -> None:
    """Write the README's pictures."""
    page = open_page(browser, path, "light", {"width": 1100, "height": 900})
    save(page.locator("#draw .screen").screenshot(), folder / "page-draw.png")
    page = open_page(browser, path, "dark", {"width": 1100, "height": 900})
    page.evaluate(ON_THE_WAY)
    save(page.locator("#downhill .screen").screenshot(), folder / "page-downhill.png")
    page = open_page(browser, path, "dark", PHONE)
    page.evaluate(STAGE_ON_TOP)
    save(page.screenshot(), folder / "page-phone.png")


def take_all(browser: "Browser", path: Path, folder: Path) -> None:
    """Write pictures of every part in every look, and a PDF."""
    for look, (scheme, viewport) in LOOKS.items():
        page = open_page(browser, path, scheme, viewport)
        page.evaluate("document.querySelector('nav').style.position = 'static'")
        save(page.screenshot(full_page=True), folder / f"{look}.png")
        save(page.screenshot(), folder / f"{look}-top.png")
        for part in PARTS:
            if page.locator(f"#{part}").count():
                save(page.locator(f"#{part}").screenshot(), folder / f"{look}-{part}.png")
    for scheme in ("light", "dark"):
        page = open_page(browser, path, scheme, DESKTOP)
        page.pdf(path=folder / f"print-{scheme}.pdf", format="A4", margin=MARGINS)


def main() -> None:
    parser = argparse.ArgumentParser(description="Take pictures of a report's page.")
    parser.add_argument("page", type=Path, help="what `digitnet report` wrote")
    parser.add_argument("folder", type=Path, help="where the pictures go")
    parser.add_argument("--all", action="store_true", help="every part in every look")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        (take_all if options.all else take_three)(browser, options.page, options.folder)


if __name__ == "__main__":
    main()
