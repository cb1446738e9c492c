"""The installed `digitnet export`."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import Run

import digitnet
from digitnet.model.checkpoint import load_checkpoint, save_checkpoint

FILES = ["digits.onnx", "digits.h", "digits.js"]


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_written_and_never_replaced_unasked(
    run: Run, model: Path, tmp_path: Path, name: str
) -> None:
    done = run("export", "-m", model, "-o", name, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    path = tmp_path / name
    kind = {"onnx": "ONNX", "h": "C", "js": "JavaScript"}[name.partition(".")[2]]
    assert done.stdout.decode() == f"{name}: {kind}, {path.stat().st_size / 1e6:.2f} MB\n"
    assert list(tmp_path.iterdir()) == [path]
    before = path.read_bytes()
    path.write_bytes(b"mine")
    done = run("export", "-m", model, "-o", name, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode() == (
        f"{name}: expected a new file, found an existing one; "
        "name another file with -o, or use --overwrite\n"
    )
    assert path.read_bytes() == b"mine"
    assert run("export", "-m", model, "-o", name, "--overwrite", cwd=tmp_path).returncode == 0
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", FILES)
def test_the_file_names_its_model_and_how_pictures_are_prepared(
    run: Run, model: Path, tmp_path: Path, name: str
) -> None:
    assert run("export", "-m", model, "-o", name, cwd=tmp_path).returncode == 0
    text = (tmp_path / name).read_bytes()
    sha256 = json.loads(run("info", "-m", model, "--format", "json").stdout)["model_sha256"]
    assert sha256.encode() in text
    assert re.search(rb"digitnet predict.*--save-prepared FOLDER", text)


def test_the_kind_may_be_named(run: Run, model: Path, tmp_path: Path) -> None:
    done = run("export", "-m", model, "-o", "digits", "--to", "js", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    assert run("export", "-m", model, "-o", "digits.js", cwd=tmp_path).returncode == 0
    assert (tmp_path / "digits").read_bytes() == (tmp_path / "digits.js").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["-o", "digits.npz"], "expected a name that ends in .onnx, .h, .js, .mjs, or the kind"),
        (["-o", ""], "found ''"),
        (["-o", "digits.h", "--to", "cpp"], "'cpp' is not one of 'onnx', 'c', 'js'"),
        (["-o", "digits.js", "--int8"], "expected the kind c for int8, found js"),
        (["-o", "digits.h", "--to", "js"], "digits.h: expected the kind c, which this ending"),
        ([], "Missing option '-o'"),
    ],
)
def test_a_wrong_command_is_one_line(
    run: Run, tmp_path: Path, arguments: list[str], problem: str
) -> None:
    done = run("export", *arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (2, b"", 1)
    assert problem in done.stderr.decode()
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("output", ["missing/digits.h", "folder.h", "-"])
def test_an_output_that_cannot_be_written_is_one_line(
    run: Run, model: Path, tmp_path: Path, output: str
) -> None:
    (tmp_path / "folder.h").mkdir()
    done = run("export", "-m", model, "-o", output, "--to", "c", "--overwrite", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (1, b"", 1)
    assert done.stderr.startswith(output.encode() + b": ")


def test_the_model_is_never_replaced(run: Run, model: Path) -> None:
    before = model.read_bytes()
    done = run("export", "-m", model, "-o", model, "--to", "js", "--overwrite")
    assert (done.returncode, done.stderr.count(b"\n")) == (1, 1)
    assert model.read_bytes() == before


def test_a_damaged_model_is_one_line(run: Run, tmp_path: Path) -> None:
    (tmp_path / "model.npz").write_bytes(b"PK\3\4")
    done = run("export", "-o", "digits.js", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (1, b"", 1)
    assert done.stderr.startswith(b"model.npz: ")
    assert [path.name for path in tmp_path.iterdir()] == ["model.npz"]


def test_python_exports_the_same_file(run: Run, model: Path, tmp_path: Path) -> None:
    for name in FILES:
        assert run("export", "-m", model, "-o", name, cwd=tmp_path).returncode == 0
        exported = digitnet.export_model(digitnet.load(model), tmp_path / f"python-{name}")
        written = (tmp_path / name).read_bytes()
        assert exported.size == len(written)
        assert (tmp_path / f"python-{name}").read_bytes() == written


def test_int8_measures_the_validation_pictures(
    run: Run, model: Path, tmp_path: Path, small_mnist: Path
) -> None:
    done = run("export", "-m", model, "-o", "digits.h", "--int8", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    options = ("--split", "validation", "--format", "json")
    evaluation = json.loads(run("evaluate", "-m", model, *options).stdout)
    assert f"{100 * evaluation['accuracy']:.2f}" in done.stdout.decode()
    gone = tmp_path / "gone.npz"
    save_checkpoint(str(gone), replace(load_checkpoint(model), data_path=str(tmp_path / "no")))
    done = run("export", "-m", gone, "-o", "gone.h", "--int8", cwd=tmp_path)
    assert (done.returncode, done.stderr.count(b"\n")) == (0, 1)
    assert "not measured" in (tmp_path / "gone.h").read_text()
