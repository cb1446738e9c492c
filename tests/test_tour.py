"""The tour in tests/README.md leads from a model to an answer in C and with onnxruntime.

`browser/test_export.py` goes through its page.
"""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from c_program import compiler
from conftest import REPOSITORY, in_shell

README = (REPOSITORY / "tests" / "README.md").read_text()
TOUR = README.partition("### From a model to an answer")[2].partition("\n##")[0]


def blocks(language: str) -> list[str]:
    """Return the blocks of code in a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", TOUR, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the tour after all its commands."""
    compiler("cc")
    folder = tmp_path_factory.mktemp("tour")
    (folder / "data").symlink_to(REPOSITORY / "data")
    commands, compile_and_run = blocks("sh")
    (program,) = blocks("c")
    write_program = f"cat > four.c <<'END'\n{program}END\n"
    done = in_shell(commands + write_program + compile_and_run, folder)
    assert (done.returncode, done.stderr) == (0, "")
    (folder / "tour" / "printed").write_text(done.stdout)
    return folder / "tour"


def test_the_program_in_c_answers(folder: Path) -> None:
    assert (folder / "printed").read_text().splitlines()[-1] == "4"
    short = (folder / "four.raw").read_bytes()[:-1]
    done = subprocess.run([folder / "four"], input=short, capture_output=True, check=True)
    assert done.stdout == b"expected 784 bytes\n"


def test_onnxruntime_answers(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("onnxruntime")
    monkeypatch.chdir(folder)
    (lines,) = blocks("python")
    names: dict[str, Any] = {}
    exec(lines, names)
    assert capsys.readouterr().out == "4\n"
