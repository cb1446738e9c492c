"""Progress bars on a terminal."""

import io
from types import SimpleNamespace

import pytest

from digitnet.cli import progress


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """Replace stderr by a terminal of 80 columns; return what is written to it."""
    stream = io.StringIO()
    monkeypatch.setattr(progress, "sys", SimpleNamespace(stderr=stream))
    monkeypatch.setattr(progress, "terminal_width", lambda _: 80)
    return stream


def is_erased(shown: str) -> bool:
    """Return whether the last line on a terminal was overwritten by spaces."""
    *_, last, rest = shown.split("\r")
    return last.isspace() and not rest


def test_pictures_that_are_prepared_get_a_bar_that_disappears(terminal: io.StringIO) -> None:
    with progress.preparing_bar() as report:
        assert report
        for total in (100, 60):
            for done in range(total + 1):
                report(done, total)
    shown = terminal.getvalue()
    assert shown.count("preparing pictures   0%") == 2
    assert is_erased(shown)


def test_an_interrupted_bar_disappears(terminal: io.StringIO) -> None:
    def interrupted() -> None:
        with progress.preparing_bar() as report:
            assert report
            report(30, 100)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert "preparing pictures" in terminal.getvalue()
    assert is_erased(terminal.getvalue())


def test_few_pictures_get_no_bar(terminal: io.StringIO) -> None:
    with progress.preparing_bar() as report:
        assert report
        report(1, 20)
    assert terminal.getvalue() == ""


def test_without_a_terminal_there_is_no_bar() -> None:
    with progress.preparing_bar() as report:
        assert report is None
