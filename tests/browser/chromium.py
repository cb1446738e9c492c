"""Debian's Chromium, driven by Playwright, which downloads no browser of its own."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser

DESKTOP = {"width": 1280, "height": 900}  # px
PHONE = {"width": 390, "height": 844}


def what_is_missing() -> str | None:
    """Return what has to be installed before `chromium` works; None if nothing."""
    try:
        import playwright  # noqa: F401
    except ImportError:
        return "expected Playwright, found none; pip install -e '.[browser]'"
    if shutil.which("chromium") is None:
        return "expected Chromium, found none; apt-get install chromium"
    return None


@contextmanager
def chromium() -> Iterator["Browser"]:
    """Yield a headless browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        try:
            yield browser
        finally:
            browser.close()
