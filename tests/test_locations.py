"""Which model a command uses: a file, the environment's, ./model.npz or the one that ships."""

import os
from pathlib import Path

import pytest
from conftest import Failing

import digitnet
from digitnet.errors import CheckpointError
from digitnet.model.checkpoint import load_checkpoint
from digitnet.model.locations import SHIPPED, find_model, locate_model


def test_a_named_model_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.npz").touch()
    monkeypatch.setenv("DIGITNET_MODEL", "environment.npz")
    assert find_model("named.npz") == "named.npz"


def test_the_environment_variable_comes_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.npz").touch()
    monkeypatch.setenv("DIGITNET_MODEL", "environment.npz")
    with pytest.raises(
        CheckpointError, match=r"^environment\.npz: no such file; correct .*\$DIGITNET"
    ):
        find_model(None)
    (tmp_path / "environment.npz").touch()
    assert find_model(None) == "environment.npz"


@pytest.mark.parametrize("environment", [None, ""])
def test_model_npz_in_the_working_directory_comes_third(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environment: str | None
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.npz").touch()
    monkeypatch.delenv("DIGITNET_MODEL", raising=False)
    if environment is not None:
        monkeypatch.setenv("DIGITNET_MODEL", environment)
    assert find_model(None) == "model.npz"


@pytest.mark.parametrize("environment", ["", "mine.npz"])
def test_a_disk_error_does_not_choose_another_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: Failing, environment: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DIGITNET_MODEL", environment)
    chosen = environment or "model.npz"
    failing("lstat", chosen)
    failing("stat", chosen)
    assert find_model(None) == chosen
    with pytest.raises(CheckpointError, match=f"^{chosen}: cannot be read: Input/output error$"):
        load_checkpoint(chosen)


def test_the_shipped_model_comes_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DIGITNET_MODEL", raising=False)
    assert find_model(None) == SHIPPED


# The word for the model that ships


def test_the_word_means_the_model_in_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shipped").touch()
    assert locate_model("shipped") == find_model("shipped") == SHIPPED
    assert os.path.samefile(SHIPPED, Path(digitnet.__file__).parent / "model.npz")
    monkeypatch.setenv("DIGITNET_MODEL", "shipped")
    (tmp_path / "model.npz").touch()
    assert find_model(None) == SHIPPED


def test_a_path_means_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shipped").touch()
    for path in ("./shipped", str(tmp_path / "shipped"), "Shipped", "shipped/", ""):
        assert locate_model(path) == find_model(path) == path
    assert locate_model(Path("shipped")) == "shipped"
    monkeypatch.setenv("DIGITNET_MODEL", "./shipped")
    assert find_model(None) == "./shipped"
