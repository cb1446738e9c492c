"""The installed `digitnet info`."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from conftest import Run

import digitnet
from digitnet.model.locations import SHIPPED

KEYS = {
    *("model", "model_sha256", "layer_sizes", "activation", "output", "cost", "parameters"),
    *("classes", "preparation", "data", "version", "created", "start", "epochs", "seconds"),
    *("validation", "temperature", "min_confidence", "min_evidence", "can_resume"),
}


@pytest.fixture(scope="module")
def old(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The trained model as an older digitnet would have written it, without state."""
    path = tmp_path_factory.mktemp("old") / "old.npz"
    with np.load(model) as file:
        arrays = {name: file[name] for name in file if not name.startswith(("state_", "origin"))}
    np.savez(path, **arrays)
    return path


def test_json_has_the_documented_keys(run: Run, model: Path, small_mnist: Path) -> None:
    done = run("info", "-m", model, "--format", "json")
    assert (done.returncode, done.stderr, done.stdout.count(b"\n")) == (0, b"", 1)
    about = json.loads(done.stdout)
    assert about.keys() == KEYS
    assert about["model"] == str(model)
    assert about["model_sha256"] == hashlib.sha256(model.read_bytes()).hexdigest()
    assert about["layer_sizes"] == [784, 30, 10]
    assert about["data"]["paths"] == [str(small_mnist)]
    assert (about["version"], about["epochs"]) == (digitnet.__version__, 8)
    assert about["validation"]["accuracy"] > 0.8
    assert (about["start"], about["can_resume"]) == (None, True)


def test_text_has_the_same_figures(run: Run, model: Path) -> None:
    about = json.loads(run("info", "-m", model, "--format", "json").stdout)
    done = run("info", "-m", model)
    assert (done.returncode, done.stderr) == (0, b"")
    first, *lines = done.stdout.decode().splitlines()
    assert first == str(model)
    assert len({len(line) - len(line[16:].lstrip()) for line in lines}) == 1
    texts = {line[:16].strip(): line[16:] for line in lines}
    assert texts["sha256"] == about["model_sha256"]
    assert texts["layers"] == "784-30-10"
    assert texts["created"] == about["created"]
    assert texts["validation"].startswith(f"accuracy {about['validation']['accuracy']:.2%}, cost ")
    assert texts["min_evidence"] == f"{about['min_evidence']:.2f}"
    assert texts["state"] == "kept: --resume continues it"
    assert "start" not in texts


def test_what_an_older_file_does_not_tell_is_left_out(run: Run, old: Path) -> None:
    about = json.loads(run("info", "-m", old, "--format", "json").stdout)
    assert about.keys() == KEYS
    assert (about["version"], about["created"], about["start"]) == (None, None, None)
    text = run("info", "-m", old).stdout.decode()
    assert "state           none: only the model\n" in text
    assert not [word for word in ("version", "created", "start ", "None") if word in text]


def test_the_start_is_shown(run: Run, old: Path, tmp_path: Path) -> None:
    with np.load(old) as file:
        arrays = dict(file)
    origin = {"start": {"path": f"{tmp_path}/first\x1b.npz", "sha256": "ab" * 32}}
    np.savez(tmp_path / "m.npz", **arrays | {"origin": json.dumps(origin)})
    text = run("info", cwd=tmp_path, env={"DIGITNET_MODEL": "m.npz"}).stdout.decode()
    assert f"start           first\\x1b.npz, sha256 {'ab' * 32}\n" in text


def test_the_shipped_model_is_described(run: Run, tmp_path: Path) -> None:
    for words in (("-m", "shipped"), ()):
        done = run("info", *words, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, b"")
        assert done.stdout.decode().startswith(f"{SHIPPED}\nsha256 ")


@pytest.mark.parametrize("content", [None, b"", b"hello", b"PK\3\4"])
def test_a_file_that_is_not_a_model_is_one_line(
    run: Run, tmp_path: Path, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / "m.npz").write_bytes(content)
    done = run("info", "-m", "m.npz", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.startswith(b"m.npz: ")
    assert done.stderr.count(b"\n") == 1
