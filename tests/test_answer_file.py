"""Answers in a file of their own: complete or not at all, and resumed to the same bytes."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from conftest import DIGITNET, ENVIRONMENT, Popen, Run

from digitnet.cli.answer_file import UNFINISHED, write_answers
from digitnet.cli.answers import Answering
from digitnet.cli.sources import Batch
from digitnet.errors import ExitStatus, OutputError
from digitnet.model.prediction import load
from digitnet.session.lock import lock_output

JSON = ("--format", "json")
STOPS = {"SIGTERM to all": 143, "SIGINT to all": 130, "SIGHUP": 129, "SIGKILL": -9}
MAX_SECONDS = 60  # that a process may take on a busy machine


@pytest.fixture
def folder(tmp_path: Path, pictures: Path, model: Path) -> Path:
    """20 digits, a list of them and of two missing ones, an array of 5 digits, model.npz."""
    for path in pictures.iterdir():
        os.link(path, tmp_path / path.name)
    names = [f"{n:02}.png" for n in range(20)]
    (tmp_path / "list").write_text("\n".join(["none.png", *names[:9], "", *names[9:], "no.png"]))
    np.save(tmp_path / "5.npy", np.arange(5 * 784, dtype=np.uint8).reshape(5, 28, 28))
    os.link(model, tmp_path / "model.npz")
    return tmp_path


# Status and files


def left(folder: Path) -> set[str]:
    """Return the files that a command made."""
    return {name for name in os.listdir(folder) if name.startswith("out")}


@pytest.mark.parametrize("form", [(), JSON, ("--show",), ("--digits", "any")], ids=" ".join)
def test_the_file_has_what_stdout_would_have(run: Run, folder: Path, form: tuple[str, ...]) -> None:
    command = "predict", "5.npy", "--files-from", "list", *form
    shown = run(*command, cwd=folder)
    assert shown.returncode == 1
    done = run(*command, "-o", "out", cwd=folder)
    assert (done.returncode, done.stdout, done.stderr) == (4, b"", shown.stderr)
    assert (folder / "out").read_bytes() == shown.stdout
    assert left(folder) == {"out"}


def test_without_errors_the_status_is_0(run: Run, folder: Path) -> None:
    done = run("predict", "00.png", "01.png", "-o", "out", cwd=folder)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert len((folder / "out").read_bytes().splitlines()) == 2


def test_a_new_file_has_the_usual_mode_and_a_link_stays(run: Run, folder: Path) -> None:
    (folder / "out").symlink_to("there")
    assert run("predict", "00.png", "-o", "out", cwd=folder).returncode == 0
    mask = os.umask(0)
    os.umask(mask)
    assert (folder / "there").stat().st_mode & 0o777 == 0o666 & ~mask
    assert (folder / "out").is_symlink()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "out: expected a new file, found an existing one; remove it"),
        (JSON, "out: expected a new file, found an existing one; --resume keeps it if it is co"),
        ((*JSON, "--resume"), "out: line 1: expected the answer to '00.png', found something else"),
    ],
)
def test_an_existing_file_is_never_replaced(
    run: Run, folder: Path, arguments: tuple[str, ...], message: str
) -> None:
    (folder / "out").write_bytes(b"mine\n")
    done = run("predict", "00.png", "-o", "out", *arguments, cwd=folder)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode().startswith(message)
    assert (folder / "out").read_bytes() == b"mine\n"
    assert left(folder) == {"out"}


@pytest.mark.parametrize(
    ("output", "found"),
    [
        ("00.png", "expected a new file, found one that is read"),
        ("list", "expected a new file, found one that is read"),
        ("./model.npz", "expected a new file, found one that is read"),
        ("out", "expected a new file, found one that is read"),  # out.unfinished is a picture
        (".", "expected the name of a file"),
        ("sub", "expected a file to write, found a folder"),
        ("/dev/null", "expected a file to write, found a device or a pipe"),
        ("-", "expected a file to write"),
        ("no/out", "expected the folder"),
    ],
)
def test_what_is_read_and_what_is_no_file_is_not_written(
    run: Run, folder: Path, output: str, found: str
) -> None:
    (folder / "sub").mkdir()
    os.link(folder / "01.png", folder / f"out{UNFINISHED}")
    before = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    command = "predict", "00.png", f"out{UNFINISHED}", "--files-from", "list", "-o", output
    done = run(*command, cwd=folder)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode().startswith(f"{output}: {found}")
    assert len(done.stderr.splitlines()) == 1
    assert before == {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.mark.parametrize("form", [(), JSON], ids=["text", "json"])
def test_after_a_failure_only_answers_in_json_stay(
    run: Run, folder: Path, form: tuple[str, ...]
) -> None:
    done = run("predict", "00.png", "--files-from", "none", "-o", "out", *form, cwd=folder)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr == b"none: no such file\n"
    assert left(folder) == ({f"out{UNFINISHED}"} if form else set())
    done = run("predict", "--files-from", "none", "-o", "out2", *form, cwd=folder)
    assert left(folder) == ({f"out{UNFINISHED}"} if form else set())


def test_a_pipe_in_the_place_of_the_unfinished_file_is_refused(run: Run, folder: Path) -> None:
    os.mkfifo(folder / f"out{UNFINISHED}")
    done = run("predict", "00.png", "-o", "out", cwd=folder)
    assert done.returncode == 1
    assert done.stderr.endswith(b"expected a file to write, found a device or a pipe\n")


def test_answers_of_a_stopped_run_are_not_discarded(run: Run, folder: Path) -> None:
    unfinished = folder / f"out{UNFINISHED}"
    unfinished.write_bytes(b'{"path": "00.p')
    for form, advice in (((), "; remove it"), (JSON, "; --resume goes on after them, or")):
        done = run("predict", "00.png", "-o", "out", *form, cwd=folder)
        assert done.returncode == 1
        found = f"out{UNFINISHED}: expected no file, found answers of a stopped run{advice}"
        assert done.stderr.decode().startswith(found)
    unfinished.write_bytes(b"00.png\t7\t0.99")  # text cannot be resumed
    assert run("predict", "00.png", "-o", "out", cwd=folder).returncode == 0
    assert left(folder) == {"out"}


def test_a_full_disk_is_one_line_and_resumed(run: Run, folder: Path) -> None:
    limit = "ulimit -f 4; trap '' XFSZ; exec "  # ×1024 bytes
    command = f"{DIGITNET} predict --files-from list -o out --format json"
    done = subprocess.run(
        ["/bin/bash", "-c", limit + command],
        cwd=folder,
        env=ENVIRONMENT,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.endswith(b"out: File too large\n")
    assert (folder / f"out{UNFINISHED}").stat().st_size == 4096
    assert run(*command.split()[1:], "--resume", cwd=folder).returncode == 4
    shown = run("predict", "--files-from", "list", *JSON, cwd=folder)
    assert (folder / "out").read_bytes() == shown.stdout


def test_two_processes_do_not_write_the_same_file(run: Run, folder: Path) -> None:
    with lock_output(str(folder / "out")):
        done = run("predict", "00.png", "-o", "out", cwd=folder)
    assert done.returncode == 75
    assert done.stderr == b"out: another predict is writing it; try later\n"
    assert left(folder) == set()


# Signals


class Running:
    """A running `predict -o out` with a list on stdin that does not end."""

    def __init__(self, popen: Popen, folder: Path, *form: str) -> None:
        self.enough = 50_000 if form else 1500  # bytes: then all workers are at work
        self.unfinished = folder / f"out{UNFINISHED}"
        self.names = "".join(f"{n % 21:02}.png\n" for n in range(150))
        self.process = popen(
            *("predict", "--files-from", "-", "-o", "out", *form),
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
            process_group=0,
        )

    def __enter__(self) -> "Running":
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate()

    def wait_for_answers(self) -> None:
        """Send the names, and wait until some are answered."""
        assert self.process.stdin
        self.process.stdin.write(self.names.encode())
        self.process.stdin.flush()
        begun = time.monotonic()
        while not self.unfinished.exists() or self.unfinished.stat().st_size < self.enough:
            assert time.monotonic() < begun + MAX_SECONDS
            time.sleep(0.01)

    def said(self, status: int) -> list[str]:
        """Wait for the end with a status; return the lines on stderr."""
        assert self.process.wait(MAX_SECONDS) == status
        assert self.process.stderr
        return self.process.stderr.read().decode().splitlines()


@pytest.mark.parametrize("stop", STOPS)
def test_a_stopped_run_is_resumed_to_the_same_bytes(
    run: Run, popen: Popen, folder: Path, stop: str
) -> None:
    name, _, to_all = stop.partition(" ")
    with Running(popen, folder, *JSON) as running:
        (folder / "many").write_text(running.names)
        running.wait_for_answers()
        send = os.killpg if to_all else os.kill
        send(running.process.pid, signal.Signals[name])
        said = running.said(STOPS[stop])
    if name != "SIGKILL":
        assert said.pop() == f"out: stopped by {name}; --resume goes on"
        assert left(folder) == {f"out{UNFINISHED}"}
    assert all(line == "20.png: no such file" for line in said)
    command = "predict", "--files-from", "many", *JSON
    done = run(*command, "-o", "out", "--resume", cwd=folder)
    assert done.returncode == 4
    assert done.stderr.startswith(b"out: goes on after ")
    assert (folder / "out").read_bytes() == run(*command, cwd=folder).stdout
    assert left(folder) == {"out"}


def test_a_stopped_run_leaves_no_text(popen: Popen, folder: Path) -> None:
    with Running(popen, folder) as running:
        running.wait_for_answers()
        running.process.terminate()
        assert running.said(143)[-1] == "out: stopped by SIGTERM; nothing was written"
    assert left(folder) == set()


# Resuming


def test_a_complete_file_is_kept(run: Run, folder: Path) -> None:
    for source, status, count in (("5.npy", 0, 5), ("none.png", 4, 1)):
        command = "predict", source, "-o", "out", *JSON, "--resume"
        assert run(*command, cwd=folder).returncode == status
        before = (folder / "out").stat().st_ino, (folder / "out").read_bytes()
        done = run(*command, cwd=folder)
        assert (done.returncode, done.stdout) == (status, b"")
        assert done.stderr.decode() == f"out: complete, with {count} answers; nothing to do\n"
        assert ((folder / "out").stat().st_ino, (folder / "out").read_bytes()) == before
        (folder / "out").unlink()


@pytest.fixture
def six(folder: Path, run: Run) -> Path:
    """`out`, the answers to three pictures of an array, a picture, a missing one, a picture."""
    np.save(folder / "3.npy", np.load(folder / "5.npy")[:3])
    command = "predict", "3.npy", "00.png", "no.png", "01.png", "-o", "out", *JSON
    assert run(*command, cwd=folder).returncode == 4
    return folder / "out"


@pytest.mark.parametrize(
    ("options", "line", "found"),
    [
        (("3.npy", "00.png", "no.png"), 6, "expected the end, found answers to more pictures"),
        (("00.png", "no.png", "01.png"), 1, "expected the answer to '00.png', found '3.npy#0'"),
        (("5.npy", "00.png"), 4, "expected the answer to '5.npy#3', found '00.png'"),
        (("3.npy", "no.png"), 4, "expected the answer to 'no.png', found '00.png'"),
        (("3.npy", "00.png", "no.png", "01.png", "--top", "2"), 1, "expected an answer of this mo"),
        (("3.npy", "00.png", "no.png", "01.png", "-m", "shipped"), 1, "expected an answer of this"),
        (("3.npy", "00.png", "--digits", "any"), 1, "expected the answer to '3.npy', found"),
    ],
    ids=str,
)
def test_answers_to_something_else_are_refused(
    run: Run, six: Path, options: tuple[str, ...], line: int, found: str
) -> None:
    suffix = UNFINISHED if line > 1 else ""  # both are read alike
    before = six.read_bytes()
    if options[0] == "5.npy":
        before = before.replace(b"3.npy#", b"5.npy#")
    six.unlink()
    path = six.with_name(f"out{suffix}")
    path.write_bytes(before)
    done = run("predict", *options, "-o", "out", *JSON, "--resume", cwd=six.parent)
    assert done.returncode == 1
    assert done.stderr.decode().startswith(f"out{suffix}: line {line}: {found}")
    assert len(done.stderr.splitlines()) == 1
    assert path.read_bytes() == before
    assert left(six.parent) == {path.name}


def test_an_incomplete_file_is_refused(run: Run, six: Path) -> None:
    with six.open("rb+") as file:
        file.truncate(six.stat().st_size - 1)
    before = six.read_bytes()
    command = "predict", "3.npy", "00.png", "no.png", "01.png", "-o", "out", *JSON, "--resume"
    done = run(*command, cwd=six.parent)
    found = b"out: expected an answer to each picture, found only the first 5; remove it, or"
    assert (done.returncode, done.stderr.startswith(found)) == (1, True)
    assert six.read_bytes() == before


def test_rubbish_is_one_line(run: Run, folder: Path) -> None:
    for rubbish in (b"\0" * 9 + b"\n", b"[" * 99999 + b"\n", b"3\n", b'{"path": 3}\n', b"\xff\n"):
        (folder / f"out{UNFINISHED}").write_bytes(rubbish)
        done = run("predict", "00.png", "-o", "out", *JSON, "--resume", cwd=folder)
        assert done.returncode == 1
        assert len(done.stderr.splitlines()) == 1
        assert done.stderr.startswith(b"out.unfinished: line 1: expected the answer to '00.png'")


@pytest.fixture(scope="module")
def answering() -> Answering:
    return Answering(load(), 1, as_json=True, top=1, show=False, verbose=False)


def batches(folder: Path) -> list[Batch]:
    """Return batches: two pictures, none, a blank array of one picture, missing pictures."""
    paths = [str(folder / name) for name in ("00.png", "01.png", "none", "also none")]
    return [[(path, path) for path in some] for some in (paths[:2], [], paths[2:])]


def test_a_run_torn_at_any_byte_is_resumed_to_the_same_bytes(
    folder: Path, answering: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: None)
    output = str(folder / "out")
    unfinished = folder / f"out{UNFINISHED}"
    assert write_answers(output, batches(folder), answering, resume=False) == 4
    whole = (folder / "out").read_bytes()
    lines = whole.splitlines(keepends=True)
    begin = len(whole) - len(lines[-1]) - len(lines[-2]) - 2
    ends = [*range(0, begin, 97), *range(begin, len(whole) + 1)]
    for end in ends:
        (folder / "out").unlink()
        unfinished.write_bytes(whole[:end])
        status = write_answers(output, batches(folder), answering, resume=True)
        assert status == ExitStatus.SOME_UNREADABLE
        assert (folder / "out").read_bytes() == whole


def test_a_file_that_comes_meanwhile_is_kept(folder: Path, answering: Answering) -> None:
    def slow() -> Iterator[Batch]:
        yield from batches(folder)
        (folder / "out").write_text("mine")

    with pytest.raises(OutputError, match="found one that was made meanwhile"):
        write_answers(str(folder / "out"), slow(), answering, resume=False)
    assert (folder / "out").read_text() == "mine"
    assert len((folder / f"out{UNFINISHED}").read_bytes().splitlines()) == 4


def test_answers_that_end_between_lists_are_continued(folder: Path, answering: Answering) -> None:
    output = str(folder / "out")
    write_answers(output, batches(folder)[:2], answering, resume=False)
    os.rename(output, output + UNFINISHED)
    assert write_answers(output, batches(folder), answering, resume=True) == 4
    assert len((folder / "out").read_bytes().splitlines()) == 4
