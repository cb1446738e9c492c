"""Lines on stdout and stderr: whole if several processes share a file, and of limited length."""

import fcntl
import json
import os
import re
import subprocess
import sys
import time
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import DIGITNET, ENVIRONMENT, Popen, Run

from digitnet.cli import output
from digitnet.cli.output import ATOMIC_WRITE, JOINERS, MAX_MESSAGE, Lines, printable
from digitnet.model.locations import SHIPPED

NAME = "7" * 150
PREDICT = ("predict", "-m", SHIPPED, "--files-from", "list")


@pytest.fixture
def folder(tmp_path: Path, pictures: Path) -> Path:
    """A picture with a long name, and a list that names it 90 times and a missing one 3 times."""
    (tmp_path / f"{NAME}.png").write_bytes((pictures / "00.png").read_bytes())
    (tmp_path / "list").write_text(f"{NAME}.png\n" * 90 + f"{NAME}.gif\n" * 3)
    return tmp_path


# Several processes, one file


def writes(popen: Popen, folder: Path, stream: str, *arguments: str | Path) -> list[bytes]:
    """Run the command; return its writes to a stream, each of at most ATOMIC_WRITE bytes."""
    reader, writer = os.pipe2(os.O_DIRECT)  # packet mode: each read returns one write
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 1 << 20)
    streams: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with popen(*arguments, **(streams | {stream: writer}), cwd=folder) as process:
        os.close(writer)
        assert process.wait(timeout=60) in (0, 1)
    with os.fdopen(reader, "rb", buffering=0) as file:
        return list(iter(lambda: file.read(ATOMIC_WRITE), b""))


@pytest.mark.parametrize(
    ("arguments", "lines"), [((), 90), (("--format", "json"), 93), (("--show",), 90 * 15)], ids=str
)
def test_answers_are_written_in_blocks_of_whole_lines(
    popen: Popen, folder: Path, arguments: tuple[str, ...], lines: int
) -> None:
    blocks = writes(popen, folder, "stdout", *PREDICT, *arguments)
    assert all(block.endswith(b"\n") for block in blocks)
    assert b"".join(blocks).count(b"\n") == lines
    starts = (NAME.encode(), b'{"path": ')  # a drawing is in the same block as its answer
    assert all(block.startswith(starts) for block in blocks)
    assert len(blocks) < 90


def test_errors_and_epochs_are_one_write_each(
    popen: Popen, folder: Path, config_file: Path
) -> None:
    errors = writes(popen, folder, "stderr", *PREDICT)
    assert errors == [f"{NAME}.gif: no such file\n".encode()] * 3
    epochs = writes(popen, folder, "stderr", "train", "--config", config_file)
    assert [line[:9] for line in epochs] == [b"epoch 1/3", b"epoch 2/3", b"epoch 3/3"]
    assert all(line.endswith(b"\n") for line in epochs)


def test_four_processes_write_whole_lines_to_one_file(popen: Popen, folder: Path) -> None:
    (folder / "list").write_text(f"{NAME}.png\n" * 60 + f"{NAME}.gif\n" * 3200)
    with open(folder / "all", "wb") as file:
        processes = [
            popen(*PREDICT, *form, stdout=file, stderr=file, cwd=folder)
            for form in ((), (), ("--format", "json"), ("--format", "json"))
        ]
        assert [process.wait(timeout=60) for process in processes] == [1] * 4
    text, objects, errors = 0, 0, 0
    for line in (folder / "all").read_text().splitlines():
        if line.startswith("{"):
            objects += json.loads(line)["path"].startswith(NAME)
        elif line.endswith(": no such file"):
            errors += line == f"{NAME}.gif: no such file"
        else:
            text += bool(re.fullmatch(rf"{NAME}\.png\t7\t[01]\.\d{{4}}", line))
    assert (text, objects, errors) == (2 * 60, 2 * 3260, 4 * 3200)


def test_a_long_line_is_a_write_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[bytes] = []
    monkeypatch.setattr(os, "write", lambda _, data: written.append(data) or len(data))
    lines = Lines("out", 1, "utf-8")
    for length in (10, 2000, 2000, 5000, 10, 4096, 10):
        lines.write("x" * (length - 1) + "\n")
    lines.flush()
    assert [len(data) for data in written] == [4010, 5000, 10, 4096, 10]


def test_the_rest_of_a_partial_write_is_written_next(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[bytes] = []
    monkeypatch.setattr(os, "write", lambda _, data: written.append(data[:3]) or len(data[:3]))
    lines = Lines("out", 1, "utf-8")
    lines.write("seven\n")
    lines.flush()
    assert written == [b"sev", b"en\n"]


def test_a_non_blocking_pipe_loses_no_line(popen: Popen, folder: Path) -> None:
    reader, writer = os.pipe2(os.O_NONBLOCK)
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, ATOMIC_WRITE)
    with popen(*PREDICT, stdout=writer, stderr=subprocess.DEVNULL, cwd=folder) as process:
        os.close(writer)
        os.set_blocking(reader, True)
        received = os.read(reader, 1)
        time.sleep(0.2)  # the pipe is full
        while chunk := os.read(reader, ATOMIC_WRITE):
            received += chunk
    os.close(reader)
    assert received.count(b"\n") == 90
    assert process.returncode == 1


# Streams that are closed or full


@pytest.mark.parametrize(
    "arguments", ["--help", "--version", "train --help", "evaluate --help", "predict --help"]
)
@pytest.mark.parametrize(
    ("stdout", "message"), [("&-", "is closed"), ("/dev/full", ": No space left on device")]
)
def test_help_that_cannot_be_written_is_an_error(arguments: str, stdout: str, message: str) -> None:
    command = f'"$0" {arguments} >{stdout}'
    done = subprocess.run(
        ["sh", "-c", command, DIGITNET], capture_output=True, check=False, env=ENVIRONMENT
    )
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode().replace(": ", " ").split(" ", 2)[:2] == ["standard", "output"]
    assert done.stderr.endswith(f"{message}\n".encode())


# Invisible characters


def test_plain_text_and_other_scripts_are_unchanged() -> None:
    for text in (
        "four.png",
        "",
        "früh 7 😀.png",
        "数字\u3000七.png",
        "صورة.png",
        "a\u00a0b",
        "\udce9",
    ):
        assert printable(text) == text


def test_all_invisible_characters_are_escaped() -> None:
    for point in [*range(0x110000)]:
        category = unicodedata.category(chr(point))
        if category in ("Cc", "Cf", "Zl", "Zp") and chr(point) not in JOINERS:
            assert printable(chr(point)).isascii(), hex(point)
            assert printable(chr(point)).startswith("\\"), hex(point)


@pytest.mark.parametrize(
    "character",
    "\u200b\u200e\u200f\u061c\u2060\u2063\ufeff\u00ad\u034f\u115f\u3164\uffa0\u180b"
    "\U000e0020\U000e0100",
    ids=lambda character: f"{ord(character):x}",
)
def test_a_hidden_character_in_a_name_is_escaped(character: str) -> None:
    escape = character.encode("unicode_escape").decode()
    assert printable(f"7{character}.png") == f"7{escape}.png"


def test_hidden_characters_are_escaped_in_answers_and_errors(run: Run, folder: Path) -> None:
    name = "7\u200b\u200e\u00ad.png"
    os.rename(folder / f"{NAME}.png", folder / name)
    done = run("predict", "-m", SHIPPED, name, "\u2060", cwd=folder)
    assert done.stdout.decode().startswith("7\\u200b\\u200e\\xad.png\t7\t")
    assert done.stderr == b"\\u2060: no such file\n"


# Long lines


def test_a_long_message_keeps_its_beginning_and_end(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdout", Lines("out", 1, "utf-8"))
    monkeypatch.setattr(sys, "stderr", Lines("err", 2, "utf-8"))
    output.print_message("x" * MAX_MESSAGE)
    output.print_message("a" + "\x1b" * 100_000 + "z")
    whole, cut = capfd.readouterr().err.splitlines()
    assert whole == "x" * MAX_MESSAGE
    assert (len(cut), cut[0], cut[-1]) == (MAX_MESSAGE, "a", "z")
    assert cut.replace("\\x1b", "").count("…") == 1


LONG = "y" * 100_000


@pytest.mark.parametrize(
    ("arguments", "list_of_names"),
    [
        (("train", "--config", "config.yaml", "--set", f"seed={LONG}"), ""),
        (("train", "--config", "config.yaml", "--set", f"{LONG}=1"), ""),
        (("train", "--config", LONG), ""),
        (("train", f"--{LONG}"), ""),
        (("train", "--config", "bad.yaml"), ""),
        (("predict", "-m", LONG, "7.png"), ""),
        (("predict", "-m", "bad.npz", "7.png"), ""),
        (("predict", "--files-from", "-"), "z/" * 2000),
        (("evaluate", "--data", LONG), ""),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, tuple) else "",
)
def test_no_error_is_longer_than_the_limit(
    run: Run, model: Path, config_file: Path, arguments: tuple[str, ...], list_of_names: str
) -> None:
    folder = config_file.parent
    (folder / "bad.yaml").write_text(f"{LONG[:90_000]}: 1\n")
    arrays = dict(np.load(model))
    arrays["class_names"] = np.array([LONG] * 10)
    np.savez(folder / "bad.npz", **arrays)
    done = run(*arguments, cwd=folder, input=list_of_names.encode())
    assert done.returncode in (1, 2)
    assert done.stderr.count(b"\n") == 1
    assert len(done.stderr.decode()) <= MAX_MESSAGE + 1
