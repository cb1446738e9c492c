"""What the README shows works as it stands there."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import REPOSITORY, Run, read_mnist

import digitnet
from digitnet.config.reader import read_config

README = (REPOSITORY / "README.md").read_text()


def block(language: str, containing: str) -> str:
    """The one block of code in a language that has a text in it."""
    blocks = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    (found,) = [text for text in blocks if containing in text]
    return str(found)


def test_the_reader_of_a_checkpoint_gives_what_the_network_gives(
    tmp_path: Path, small_mnist: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "videos.yaml").write_text(
        f"data: {{path: {small_mnist}}}\n"
        "network: {layer_sizes: [784, 16, 16, 10]}\n"
        "training: {epochs: 2}\n"
    )
    assert run("train", "--config", tmp_path / "videos.yaml").returncode == 0
    monkeypatch.chdir(tmp_path)
    images, _ = read_mnist("t10k", 100)
    names: dict[str, Any] = {"images": images}
    exec(block("python", "np.load"), names)
    expected = digitnet.load("model.npz").network(images)
    np.testing.assert_allclose(names["a"], expected, atol=1e-6)
    assert np.ptp(expected) > 0.1


def test_the_config_shown_has_the_defaults(tmp_path: Path) -> None:
    (tmp_path / "configs").mkdir()
    shown, bare = tmp_path / "configs" / "shown.yaml", tmp_path / "configs" / "bare.yaml"
    shown.write_text(block("yaml", "layer_sizes"))
    bare.write_text("data: {path: ../data/mnist}\nnetwork: {layer_sizes: [784, 16, 16, 10]}\n")
    told = read_config(shown)
    given = ["data.validation=5000", f"model={tmp_path / 'model.npz'}"]
    assert told == read_config(bare, given)


def test_the_python_shown_reads_and_trains(
    model: Path, config_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(REPOSITORY)
    monkeypatch.setattr(digitnet, "load", lambda _, load=digitnet.load: load(model), raising=False)
    monkeypatch.setattr(digitnet, "read_config", lambda _: read_config(config_file), raising=False)
    images, _ = read_mnist("t10k", 3)
    names: dict[str, Any] = {"images": images.reshape(3, 784) / 255}
    exec(block("python", "import digitnet"), names)
    assert isinstance(names["model"], digitnet.Model)
    assert names["progress"].record.epoch == 3
