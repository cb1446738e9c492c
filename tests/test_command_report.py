"""The installed `digitnet report`."""

import json
import os
import re
import shutil
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from conftest import Run, read_mnist

from digitnet.model.checkpoint import load_checkpoint, save_checkpoint

GENERATOR = b'<meta name="generator" content="digitnet'


@pytest.fixture(scope="module")
def page(run: Run, model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    done = run("report", "-m", model, cwd=folder)
    assert (done.returncode, done.stderr) == (0, b"")
    path = folder / "report.html"
    assert done.stdout.decode() == f"report.html: {path.stat().st_size / 1e6:.2f} MB\n"
    return path


def test_the_page_has_the_accuracy_that_evaluate_prints(run: Run, model: Path, page: Path) -> None:
    evaluation = json.loads(run("evaluate", "-m", model, "--format", "json").stdout)
    text = page.read_text()
    assert f"{100 * evaluation['accuracy']:.2f} %" in text
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', text)
    assert data is not None
    confusion = evaluation["confusion"]
    wrong = sum(n for i, row in enumerate(confusion) for j, n in enumerate(row) if i != j)
    assert 0 < len(json.loads(data[1])["mistakes"]["labels"]) <= wrong


def test_text_has_training_accuracy_mistakes_and_model(run: Run, model: Path) -> None:
    done = run("report", "-m", model, "--text", cwd=model.parent)
    assert (done.returncode, done.stderr) == (0, b"")
    lines = done.stdout.decode().splitlines()
    titles = [line for line, below in pairwise(lines) if re.fullmatch("=+", below)]
    assert titles == ["Going downhill", "How good it is", "Where it fails", "The model"]
    assert any(line.startswith("accuracy ") for line in lines)
    assert not (model.parent / "report.html").exists()


def test_an_older_report_is_replaced_another_file_is_not(
    run: Run, model: Path, page: Path, tmp_path: Path
) -> None:
    own, other = tmp_path / "report.html", tmp_path / "other.html"
    shutil.copy(page, own)
    os.utime(own, (0, 0))
    assert run("report", "-m", model, cwd=tmp_path).returncode == 0
    assert own.stat().st_mtime > 0
    other.write_text("<p>mine")
    done = run("report", "-m", model, "-o", other)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode() == (
        f"{other}: expected an older report to replace, found another file; "
        "name another file with -o, or use --overwrite\n"
    )
    assert other.read_text() == "<p>mine"
    assert run("report", "-m", model, "-o", other, "--overwrite").returncode == 0
    assert GENERATOR in other.read_bytes()


def test_the_model_and_its_data_are_never_replaced(run: Run, model: Path, tmp_path: Path) -> None:
    images, labels = read_mnist("t10k", 20)
    data = tmp_path / "digits.npz"
    np.savez(data, images=images, labels=labels)
    for output in (model, data):
        before = output.read_bytes()
        done = run("report", "-m", model, "--data", data, "-o", output, "--overwrite")
        assert (done.returncode, done.stderr.count(b"\n")) == (1, 1)
        assert output.read_bytes() == before


def test_a_file_of_the_user_beside_the_page_stays(run: Run, model: Path, tmp_path: Path) -> None:
    (tmp_path / "report.html.tmp").write_text("keep")
    assert run("report", "-m", model, cwd=tmp_path).returncode == 0
    assert (tmp_path / "report.html.tmp").read_text() == "keep"


def test_text_takes_no_output(run: Run, model: Path) -> None:
    done = run("report", "-m", model, "--text", "-o", "x.html")
    assert (done.returncode, done.stderr.count(b"\n")) == (2, 1)


def test_a_config_that_is_no_longer_valid_leaves_a_report(
    run: Run, model: Path, tmp_path: Path
) -> None:
    old, checkpoint = tmp_path / "old.npz", load_checkpoint(model)
    config = checkpoint.config | {"data": checkpoint.config["data"] | {"forgotten": 1}}
    save_checkpoint(str(old), replace(checkpoint, config=config))
    done = run("report", "-m", old, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    assert 'id="mistakes"' in (tmp_path / "report.html").read_text()


@pytest.mark.parametrize("output", ["missing/report.html", ".", "folder/"])
def test_an_output_that_cannot_be_written_is_said_at_once(
    run: Run, model: Path, tmp_path: Path, output: str
) -> None:
    done = run("report", "-m", model, "-o", output, "--overwrite", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (1, b"", 1)
    assert done.stderr.startswith(output.encode())
    assert not any(tmp_path.iterdir())


def test_without_its_own_data_the_report_is_shorter(
    run: Run, model: Path, tmp_path: Path, small_mnist: Path
) -> None:
    gone = tmp_path / "gone.npz"
    save_checkpoint(str(gone), replace(load_checkpoint(model), data_path=str(tmp_path / "no")))
    done = run("report", "-m", gone, cwd=tmp_path)
    assert (done.returncode, done.stderr.count(b"\n")) == (0, 1)
    assert done.stderr.decode().endswith("the report is without accuracy and mistakes\n")
    assert 'id="mistakes"' not in (tmp_path / "report.html").read_text()
    done = run("report", "-m", gone, "--data", small_mnist, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    assert 'id="mistakes"' in (tmp_path / "report.html").read_text()
    done = run("report", "-m", gone, "--data", "missing", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (1, b"missing: no such file or folder\n")


def test_without_jinja_the_install_command_is_named(run: Run, model: Path, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n"
        "class Missing:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'jinja2':\n"
        "            raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Missing())\n"
    )
    environment = {"PYTHONPATH": f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}"}
    done = run("report", "-m", model, cwd=tmp_path, env=environment)
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"pip install 'digitnet[report]'" in done.stderr
    assert b"Traceback" not in done.stderr
