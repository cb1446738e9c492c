"""`digitnet predict --part`: the outputs of all parts joined are the output of a single run."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from conftest import REPOSITORY, Run

LISTS = {
    "lines": (b"00.png\n01.png\nnone.png\n02.png\n", ()),
    "CRLF": (b"00.png\r\n\r\n01.png\r\nnone.png\r\n02.png", ()),
    "NUL": (b"00.png\0a\nb.png\0\0none.png", ("-0",)),
    "blank lines": (b"\n\n00.png\n\n\n01.png\n\n", ()),
    "empty": (b"", ()),
    "byte order mark": (b"\xef\xbb\xbf00.png\n01.png", ()),
}
SLURM = {"MIN": "0", "MAX": "2", "STEP": "1", "COUNT": "3"}


@pytest.fixture
def folder(tmp_path: Path, pictures: Path, model: Path) -> Path:
    """Digits 00.png to 05.png, three of them also below `scans`, 7 digits as arrays, model.npz."""
    for n in range(6):
        shutil.copy(pictures / f"{n:02}.png", tmp_path)
    shutil.copy(tmp_path / "00.png", tmp_path / "a\nb.png")
    for name in ("scans/a.png", "scans/b.png", "scans/c/d.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(tmp_path / "01.png", tmp_path / name)
    images = np.random.default_rng(1).integers(0, 200, (7, 28, 28), np.uint8)
    np.save(tmp_path / "seven.npy", images)
    rows = "".join(",".join(map(str, image.ravel())) + "\n" for image in images[:3])
    (tmp_path / "three.csv").write_text(rows)
    shutil.copy(model, tmp_path / "model.npz")
    return tmp_path


def check_parts(run: Run, folder: Path, n: int, *arguments: str) -> list[int]:
    """Check that n parts have the output of a single run; return their statuses."""
    whole = run("predict", *arguments, cwd=folder)
    done = [run("predict", *arguments, "--part", f"{k}/{n}", cwd=folder) for k in range(1, n + 1)]
    assert b"".join(part.stdout for part in done) == whole.stdout
    assert b"".join(part.stderr for part in done) == whole.stderr
    statuses = [part.returncode for part in done]
    assert max(statuses) == whole.returncode
    return statuses


@pytest.mark.parametrize("kind", LISTS)
def test_a_list_is_divided(run: Run, folder: Path, kind: str) -> None:
    content, options = LISTS[kind]
    (folder / "list").write_bytes(content)
    statuses = check_parts(run, folder, 3, "--files-from", "list", *options)
    assert sum(statuses) == (b"none" in content)  # only the part with this picture tells of it


@pytest.mark.parametrize("form", [(), ("--format", "json"), ("--show",)], ids=" ".join)
def test_all_kinds_of_sources_are_divided(run: Run, folder: Path, form: tuple[str, ...]) -> None:
    (folder / "list").write_text("03.png\nnone.png\n04.png\n")
    sources = "00.png", "scans", "seven.npy", "01.png", "three.csv", "--files-from", "list"
    assert check_parts(run, folder, 4, *sources, *form) == [0, 0, 0, 1]


def test_more_parts_than_pictures_leave_some_without_any(run: Run, folder: Path) -> None:
    assert check_parts(run, folder, 5, "00.png", "seven.npy", "--digits", "1") == [0] * 5
    assert check_parts(run, folder, 3, "00.png") == [0] * 3


@pytest.mark.parametrize("digits", ["4", "any"])
def test_numbers_are_divided(run: Run, folder: Path, digits: str) -> None:
    numbers = str(REPOSITORY / "data" / "pictures" / "numbers.png")
    options = "-m", "shipped", "--digits", digits, "--format", "json"
    assert check_parts(run, folder, 2, "00.png", "seven.npy", numbers, *options) == [0, 1]


def test_auto_is_the_job_of_a_slurm_array(run: Run, folder: Path) -> None:
    whole = run("predict", "scans", "seven.npy", cwd=folder).stdout
    parts = []
    for task in ("0", "1", "2"):
        values = SLURM | {"ID": task}
        env = {f"SLURM_ARRAY_TASK_{name}": value for name, value in values.items()}
        options = "--part", "auto", "-o", f"{task}.txt"
        done = run("predict", "scans", "seven.npy", *options, cwd=folder, env=env)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
        parts.append((folder / f"{task}.txt").read_bytes())
    assert [part.count(b"\n") for part in parts] == [3, 3, 4]
    assert b"".join(parts) == whole


def test_a_missing_list_is_one_line(run: Run, folder: Path) -> None:
    done = run("predict", "--files-from", "no", "--part", "1/2", cwd=folder)
    assert (done.returncode, done.stdout, done.stderr) == (1, b"", b"no: no such file\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--part 3 00.png", "expected K/N with K from 1 to N, such as 3/8, or auto; found '3'"),
        ("--part 4/3 00.png", "expected K/N"),
        ("--part auto 00.png", "expected SLURM_ARRAY_TASK_ID, which Slurm sets in a job array"),
        ("--part 1/3 -", "expected no stdin and no pipe; write the list to a file"),
        ("--part 1/3 --files-from -", "expected no stdin and no pipe; write the list to a file"),
        ("--part 1/3 --files-from pipe", "expected no stdin and no pipe; write the list to a file"),
        ("--resume 00.png --format json", "--resume requires -o FILE."),
        ("--resume 00.png -o out", "--resume requires --format json."),
    ],
)
def test_a_wrong_command_is_one_line_and_status_2(
    run: Run, folder: Path, arguments: str, message: str
) -> None:
    os.mkfifo(folder / "pipe")
    done = run("predict", *arguments.split(), cwd=folder)
    assert (done.returncode, done.stdout) == (2, b"")
    assert message in done.stderr.decode()
    assert len(done.stderr.splitlines()) == 1
