"""`digitnet predict --files-from -` in a pipeline."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Popen, Run

LONG = 1 << 24  # bytes: length of an endless name


class Stream:
    """A running `predict --files-from -`."""

    def __init__(self, popen: Popen, folder: Path) -> None:
        self.process = popen(
            *("predict", "--files-from", "-"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
            bufsize=0,
        )
        assert self.process.stdin
        assert self.process.stdout
        assert self.process.stderr
        self.input, self.output = self.process.stdin, self.process.stdout
        self.errors = self.process.stderr

    def peak(self) -> int:
        """Return the peak memory in bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) << 10


@pytest.fixture
def stream(popen: Popen, pictures: Path) -> Iterator[Stream]:
    stream = Stream(popen, pictures)
    yield stream
    stream.process.kill()
    stream.process.wait()
    for pipe in (stream.input, stream.output, stream.errors):
        pipe.close()


@pytest.mark.usefixtures("impatient")
def test_each_line_is_answered_before_the_next_arrives(stream: Stream) -> None:
    for name in (b"00.png", b"nothing", b"01.png", b"01.png"):
        stream.input.write(name + b"\n")
        line = (stream.errors if name == b"nothing" else stream.output).readline()
        assert line.startswith(name)


@pytest.mark.usefixtures("impatient")
def test_an_endless_name_is_reported_at_once_and_takes_no_memory(stream: Stream) -> None:
    stream.input.write(b"00.png\n")
    assert stream.output.readline().startswith(b"00.png")
    before = stream.peak()
    for _ in range(LONG >> 16):
        os.write(stream.input.fileno(), bytes(1 << 16))
    said = stream.errors.readline()
    assert said.endswith("…: expected a readable picture, found: File name too long\n".encode())
    assert len(said) < 500
    assert stream.peak() - before < LONG / 2
    stream.input.write(b"\n01.png\n")
    assert stream.output.readline().startswith(b"01.png")
    stream.input.close()
    assert stream.errors.read() == b""
    assert stream.process.wait() == 1


def test_names_on_both_sides_of_long_ones_are_answered(run: Run, pictures: Path) -> None:
    longs = [b"x" * n for n in (4095, 4096, 65_530, 65_536, 70_000, 200_000)]
    names = b"\n".join([b"00.png"] + [part for long in longs for part in (long, b"01.png")])
    done = run("predict", "--files-from", "-", input=names, cwd=pictures)
    assert done.returncode == 1
    assert [line[:6] for line in done.stdout.splitlines()] == [b"00.png"] + [b"01.png"] * len(longs)
    assert done.stderr.count(b"\n") == len(longs)
    assert done.stderr.count(b"File name too long") == len(longs)


@pytest.mark.usefixtures("impatient")
def test_a_closed_output_ends_it_silently(stream: Stream) -> None:
    stream.input.write(b"00.png\n")
    assert stream.output.readline()
    stream.output.close()
    stream.input.write(b"01.png\n")
    assert stream.process.wait() == 141
    assert stream.errors.read() == b""


def test_many_lines_are_answered_in_order(run: Run, pictures: Path) -> None:
    names = [f"{n % 20:02}.png" if n % 7 else f"missing{n}" for n in range(1500)]
    done = run("predict", "--files-from", "-", input="\n".join(names).encode(), cwd=pictures)
    answers = [line.split(b"\t")[0].decode() for line in done.stdout.splitlines()]
    errors = [line.split(b":")[0].decode() for line in done.stderr.splitlines()]
    assert answers == names_without(names, "missing")
    assert errors == [name for name in names if name.startswith("missing")]


def names_without(names: list[str], start: str) -> list[str]:
    return [name for name in names if not name.startswith(start)]
