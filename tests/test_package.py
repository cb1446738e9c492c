"""`import digitnet`: what it offers, and that it costs nothing."""

import importlib
import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Run, read_mnist

import digitnet


def test_importing_it_loads_neither_numpy_nor_click() -> None:
    code = "import sys, digitnet; print({'numpy', 'click', 'msgspec', 'yaml'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout == b"set()\n"


@pytest.mark.parametrize("name", digitnet.__all__)
def test_each_name_it_offers_is_there(name: str) -> None:
    home = importlib.import_module(f"digitnet.{digitnet._HOMES[name]}")
    assert getattr(digitnet, name) is getattr(home, name)


def test_every_lazy_name_is_offered() -> None:
    assert set(digitnet.__all__) == set(digitnet._HOMES)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'digitnet' has no attribute 'trian'"):
        digitnet.trian  # noqa: B018


def test_the_version_is_the_installed_one() -> None:
    assert digitnet.__version__ == importlib.metadata.version("digitnet")


def test_it_runs_as_a_module(run: Run) -> None:
    command = [sys.executable, "-m", "digitnet", "--version"]
    done = subprocess.run(command, capture_output=True, check=True)
    assert done.stdout == run("--version").stdout
    assert digitnet.__version__.encode() in done.stdout


def test_its_types_are_shipped() -> None:
    assert (Path(digitnet.__file__).parent / "py.typed").is_file()


def test_a_model_reads_a_picture_in_two_lines(model: Path, pictures: Path) -> None:
    reader = digitnet.load(model)
    assert reader.predict(str(pictures / "00.png")).digit == 7


def test_the_network_is_a_function_of_pixels(model: Path) -> None:
    images, _ = read_mnist("t10k", 5)
    outputs = digitnet.load(model).network(images.reshape(5, 784) / 255)
    assert outputs.shape == (5, 10)


def test_training_is_a_loop_over_its_progress(config_file: Path) -> None:
    config = digitnet.read_config(config_file, ["training.epochs=2"])
    records = [progress.record for progress in digitnet.train(config) if progress.record]
    assert [record.epoch for record in records] == [1, 2]
    assert records[1].validation is not None
    assert 0.5 < records[1].validation.accuracy <= 1
