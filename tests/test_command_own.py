"""Your own digits: `digitnet train --config own`, unreadable pictures and `--strict`."""

import json
import shutil
from pathlib import Path

import pytest
from conftest import REPOSITORY, Run, read_mnist, write_idx

from digitnet.model.checkpoint import load_checkpoint

SCANS = REPOSITORY / "data" / "scans" / "test"
DAMAGED = b"\x89PNG\r\n\x1a\n and then nothing"


@pytest.fixture(scope="session")
def hand(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two scans of each digit by one writer."""
    folder = tmp_path_factory.mktemp("hand")
    for digit in range(10):
        (folder / str(digit)).mkdir()
        for path in sorted((SCANS / str(digit)).glob("0013-*.png"))[:2]:
            shutil.copy(path, folder / str(digit))
    return folder


def small(folder: Path) -> Path:
    """Write a config of a small network that learns from a folder; return its path."""
    path = folder.parent / "small.yaml"
    path.write_text(
        f"data: {{path: {folder}, validation: 0}}\n"
        "network: {layer_sizes: [784, 4, 10]}\n"
        "training: {epochs: 1}\n"
    )
    return path


@pytest.fixture
def spoilt(hand: Path, tmp_path: Path) -> Path:
    """A copy of `hand` with three pictures that cannot be read."""
    folder = tmp_path / "spoilt"
    shutil.copytree(hand, folder)
    for name in ("0/damaged.png", "7/damaged.jpg", "7/empty.png"):
        (folder / name).write_bytes(b"" if "empty" in name else DAMAGED)
    return folder


def test_own_starts_from_the_shipped_model_and_writes_to_the_working_directory(
    run: Run, hand: Path, tmp_path: Path
) -> None:
    fast = ("--set", "training.epochs=1", "--set", "data.pictures_per_epoch=1")
    where = ("--config", "own", "--set", f"data.path={hand}")
    done = run("train", *where, *fast, "--set", "data.rehearsal.path=none", "-q", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    checkpoint = load_checkpoint(tmp_path / "model.npz")
    assert checkpoint.network.layer_sizes == (784, 400, 100, 10)
    assert checkpoint.start is not None
    assert checkpoint.start["path"] == "shipped"
    shipped = load_checkpoint(REPOSITORY / "digitnet" / "model.npz")
    assert checkpoint.calibration == shipped.calibration
    assert (checkpoint.network.matrices[0] == shipped.network.matrices[0]).all()
    assert (checkpoint.network.matrices[1] != shipped.network.matrices[1]).any()


def test_own_without_a_folder_says_how_to_name_it(run: Run, tmp_path: Path) -> None:
    done = run("train", "--config", "own", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.endswith(
        b"my-digits: no such file or folder; name your data with --set data.path=PATH\n"
    )


def test_a_file_in_the_working_directory_wins_over_a_named_config(run: Run, tmp_path: Path) -> None:
    (tmp_path / "own").write_text("data: {path: nothing}\nnetwork: {layer_sizes: [1, 2]}\n")
    done = run("train", "--config", "own", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith(b"own:2: network.layer_sizes")


def test_an_unknown_name_lists_the_configs(run: Run, tmp_path: Path) -> None:
    done = run("train", "--config", "mine", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == (
        b"mine: no such file; digitnet comes with "
        b"3blue1brown, best, default, nielsen, own, simard\n"
    )
    done = run("train", "--config", "configs/own.yaml", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.endswith(b"--config own names the config that comes with digitnet\n")


def test_a_name_means_the_config_in_the_folder_configs_of_the_working_directory(
    run: Run, tmp_path: Path
) -> None:
    (tmp_path / "configs").mkdir()
    (tmp_path / "own").mkdir()
    (tmp_path / "configs" / "own.yaml").write_text("seed: x\n")
    done = run("train", "--config", "own", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith(b"configs/own.yaml")


def test_unreadable_pictures_are_listed_and_the_others_are_learned_from(
    run: Run, spoilt: Path
) -> None:
    done = run("train", "--config", small(spoilt))
    assert done.returncode == 1
    lines = done.stderr.decode().splitlines()
    assert [line.partition(":")[0] for line in lines[:3]] == [
        str(spoilt / name) for name in ("0/damaged.png", "7/damaged.jpg", "7/empty.png")
    ]
    assert b"; 3 pictures left out\n" in done.stdout
    checkpoint = load_checkpoint(spoilt.parent / "model.npz")
    assert len(checkpoint.history) == 1


def test_unreadable_pictures_are_counted_in_json_and_listed_with_quiet(
    run: Run, spoilt: Path
) -> None:
    done = run("train", "--config", small(spoilt), "-q", "--format", "json")
    assert done.returncode == 1
    assert json.loads(done.stdout.splitlines()[-1])["unreadable"] == 3
    assert done.stderr.count(b"\n") == 3


def test_strict_refuses_the_first_unreadable_picture(run: Run, spoilt: Path) -> None:
    done = run("train", "--config", small(spoilt), "--strict")
    assert done.returncode == 1
    assert done.stdout == b""
    assert done.stderr.count(b"\n") == 1
    assert f"{spoilt}/0/damaged.png: expected a".encode() in done.stderr
    assert not (spoilt.parent / "model.npz").exists()


def test_many_unreadable_pictures_are_counted(run: Run, hand: Path, tmp_path: Path) -> None:
    folder = tmp_path / "many"
    shutil.copytree(hand, folder)
    for number in range(25):
        (folder / "3" / f"x{number:02}.png").write_bytes(DAMAGED)
    done = run("train", "--config", small(folder), "-q")
    lines = done.stderr.decode().splitlines()
    assert len(lines) == 21
    assert lines[-1] == "… and 5 more pictures that cannot be read"


def test_a_model_replaces_itself_as_the_start_of_the_next_training(
    run: Run, hand: Path, model: Path, tmp_path: Path
) -> None:
    own = tmp_path / "model.npz"
    shutil.copy(model, own)
    config = tmp_path / "nightly.yaml"
    config.write_text(
        f"start: model.npz\ndata: {{path: {hand}, validation: 0}}\n"
        "training: {epochs: 1, freeze: 1}\n"
    )
    for _ in range(2):
        done = run("train", "--config", config, "-q", "--overwrite")
        assert (done.returncode, done.stderr) == (0, b"")
    before, after = load_checkpoint(model), load_checkpoint(own)
    assert len(after.history) == 1
    assert (after.network.matrices[0] == before.network.matrices[0]).all()
    assert (after.network.parameters != before.network.parameters).any()


def test_another_network_than_the_start_is_status_2(run: Run, hand: Path, model: Path) -> None:
    where = ("--config", "own", "--set", f"data.path={hand}", "--set", f"start={model}")
    done = run("train", *where, "--set", "network.layer_sizes=[784, 5, 10]", "--dry-run")
    assert done.returncode == 2
    assert done.stderr == (
        b"--set network.layer_sizes=[784, 5, 10]: network.layer_sizes: "
        b"expected [784, 30, 10], as in the start, or nothing, found [784, 5, 10]\n"
    )


def test_batch_norm_with_a_start_is_status_2(run: Run, hand: Path) -> None:
    where = ("--config", "own", "--set", f"data.path={hand}")
    done = run("train", *where, "--set", "training.batch_norm=true", "--dry-run")
    assert done.returncode == 2
    assert b"training.batch_norm: expected false with start, whose weights" in done.stderr
    assert done.stderr.count(b"\n") == 1


def test_no_question_mark_without_validation_is_said(run: Run, tmp_path: Path) -> None:
    images, labels = read_mnist("train", 60)
    write_idx(tmp_path / "train-images-idx3-ubyte", images)
    write_idx(tmp_path / "train-labels-idx1-ubyte", labels)
    config = small(tmp_path)
    message = b"data.validation: expected 10 or more pictures to fit the thresholds for ?, found 0"
    assert message in run("train", "--config", config).stderr
    assert run("train", "--config", config, "-q", "--overwrite").stderr == b""
