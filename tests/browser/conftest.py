"""A browser, and pages that it opens from disk without network access."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from conftest import Run

from browser.chromium import DESKTOP, chromium, what_is_missing
from browser.models import HOSTILE_FILE, Models, write_letters

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

OpenPage = Callable[..., "Page"]
WritePage = Callable[..., Path]


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    """Yield a browser; skip the tests that need one if there is none."""
    if missing := what_is_missing():
        pytest.skip(missing)
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def letters(tmp_path_factory: pytest.TempPathFactory, browser: "Browser") -> Path:
    """Return a data set with 20 classes of hostile names, in a folder of a hostile name."""
    return write_letters(tmp_path_factory.mktemp("letters") / HOSTILE_FILE, per_class=16)


@pytest.fixture(scope="session")
def models(
    tmp_path_factory: pytest.TempPathFactory, run: Run, small_mnist: Path, letters: Path
) -> Models:
    """Return the models that pages are written of."""
    return Models(tmp_path_factory.mktemp("models"), run, small_mnist, letters)


@pytest.fixture(scope="session")
def write_page(
    run: Run,
    models: Models,
    small_mnist: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> WritePage:
    """Return a function that writes a model's page with the installed command, once.

    write_page("videos") measures the model on 500 test digits; write_page("letters", data=folder).
    """
    folder = tmp_path_factory.mktemp("pages")
    written: dict[tuple[str, str], tuple[Path, subprocess.CompletedProcess[bytes]]] = {}

    def write_page(name: str, data: Path | None = None) -> Path:
        data = data or small_mnist
        key = name, str(data)
        if key not in written:
            path = folder / f"{len(written)}.html"
            model = name if name == "shipped" else models[name]
            done = run("report", "-m", model, "--data", data, "-o", path)
            assert done.returncode == 0, done.stderr.decode()
            written[key] = path, done
        return written[key][0]

    return write_page


class Watch:
    """Notes what a page must not do: requests, console messages, errors, dialogs."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def follow(self, page: "Page", url: str) -> None:
        """Note all of these events of a page from now on; the page itself is at `url`."""

        def note_request(request: Any) -> None:
            if not request.url.startswith((url, "blob:", "data:")):
                self.notes.append(f"request: {request.url}")

        def note_dialog(dialog: Any) -> None:
            self.notes.append(f"dialog: {dialog.message}")
            dialog.dismiss()

        page.on("request", note_request)
        page.on("console", lambda message: self.notes.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: self.notes.append(f"error: {error}"))
        page.on("dialog", note_dialog)
        page.on("popup", lambda popup: self.notes.append(f"window: {popup.url}"))


@pytest.fixture
def open_page(browser: "Browser") -> Iterator[OpenPage]:
    """Yield a function that opens a file offline; the test fails if the page does what it must not.

    open_page(path, viewport=PHONE, color_scheme="dark", …): options of Playwright's contexts.
    """
    contexts: list[BrowserContext] = []
    watch = Watch()

    def open_page(path: Path, **options: Any) -> "Page":
        context = browser.new_context(offline=True, **{"viewport": DESKTOP, **options})
        contexts.append(context)
        context.set_default_timeout(30_000)  # ms: other programs may share the machine
        page = context.new_page()
        watch.follow(page, path.as_uri())
        page.goto(path.as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not watch.notes
