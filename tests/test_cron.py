"""Trainings started by cron: a bare environment, and no output unless something is wrong."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import DIGITNET, REPOSITORY, Run, read_mnist, write_idx

from digitnet.model.checkpoint import load_checkpoint

BARE = {"PATH": "/usr/bin:/bin"}
SHORT = "--set training.epochs=2"


@pytest.fixture
def srv(tmp_path: Path) -> Path:
    """A folder with data and the config of a small network that learns them all by heart."""
    images, labels = read_mnist("train", 1000)
    for split, n in (("train", 1000), ("t10k", 900)):
        write_idx(tmp_path / f"{split}-images-idx3-ubyte", images[:n])
        write_idx(tmp_path / f"{split}-labels-idx1-ubyte", labels[:n])
    (tmp_path / "my.yaml").write_text(
        "data: {path: ., validation: 0}\n"
        "network: {layer_sizes: [784, 30, 10], output: softmax}\n"
        "cost: cross_entropy\n"
        "training: {epochs: 15, optimizer: {learning_rate: 0.5}}\n"
    )
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "bin").symlink_to(DIGITNET.parent)
    return tmp_path


def sh(
    script: str, env: dict[str, str] = BARE, cwd: str | bytes | Path = "/"
) -> subprocess.CompletedProcess[bytes]:
    """Run a script as cron does: in /bin/sh, with only the given environment."""
    return subprocess.run(
        ["/bin/sh", "-c", script], capture_output=True, env=env, cwd=cwd, check=False, timeout=60
    )


SCRIPTS = {
    "bare": ("", {}),
    "without stdin": ("<&-", {}),
    "without any stream": ("<&- >&- 2>&-", {}),
    "in the C locale": ("", {"LC_ALL": "C"}),
    "in UTF-8": ("", {"LC_ALL": "C.UTF-8", "HOME": "/nonexistent"}),
}


@pytest.mark.parametrize("case", SCRIPTS)
def test_it_trains_silently(srv: Path, case: str) -> None:
    streams, env = SCRIPTS[case]
    done = sh(f"{DIGITNET} train -q --config {srv}/my.yaml {SHORT} {streams}", BARE | env)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert len(load_checkpoint(srv / "model.npz").history) == 2


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_names_may_have_any_bytes(srv: Path, locale: str) -> None:
    folder = os.path.join(os.fsencode(srv), b"caf\xe9")
    os.mkdir(folder)
    for name in os.listdir(srv):
        if name.endswith(("ubyte", "yaml")):
            shutil.copy(srv / name, os.path.join(folder, os.fsencode(name)))
    script = f'{DIGITNET} train -q --config "$PWD"/caf*/my.yaml {SHORT} <&-'
    done = sh(script, BARE | {"LC_ALL": locale}, cwd=srv)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    script = f'{DIGITNET} evaluate -m "$PWD"/caf*/model.npz <&- | grep -c accuracy'
    done = sh(script, BARE | {"LC_ALL": locale}, cwd=srv)
    assert done.stderr == b""
    assert os.path.isfile(os.path.join(folder, b"model.npz"))
    assert int(done.stdout) >= 1


# The crontab of the README


def recipe(folder: Path) -> tuple[str, dict[str, str]]:
    """Return the crontab's command and environment, with `folder` in place of /srv/digits."""
    text = (REPOSITORY / "README.md").read_text().replace("/srv/digits", str(folder))
    (path,) = re.findall(r"^PATH=(.*\.venv.*)$", text, re.MULTILINE)
    (command,) = re.findall(r"^0 3 \* \* \*  (.*)$", text, re.MULTILINE)
    assert "%" not in command  # cron replaces % by a newline
    return command, {"PATH": path}


def test_the_recipe_installs_a_good_model_every_night(srv: Path) -> None:
    command, env = recipe(srv)
    nights = []
    for seed in (1, 2):
        (srv / "my.yaml").write_text((srv / "my.yaml").read_text() + f"# night {seed}\n")
        done = sh(command, env)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
        assert not (srv / "new.npz").exists()
        nights.append((srv / "model.npz").stat().st_ino)
    assert nights[0] != nights[1]


@pytest.mark.parametrize(
    ("rate", "message"), [("1e-9", "is below 0.97"), ("0.16", "worse than model.npz by ")]
)
def test_the_recipe_keeps_the_old_model_if_the_new_one_is_worse(
    srv: Path, run: Run, rate: str, message: str
) -> None:
    command, env = recipe(srv)
    assert run("train", "-q", "--config", srv / "my.yaml").returncode == 0
    before = (srv / "model.npz").read_bytes()
    text = (srv / "my.yaml").read_text().replace("0.5", rate)
    (srv / "my.yaml").write_text(text)
    done = sh(command, env)
    assert (done.returncode, done.stdout) == (3, b"")
    assert message in done.stderr.decode()
    assert len(done.stderr.splitlines()) == 1
    assert (srv / "model.npz").read_bytes() == before


def test_the_recipe_keeps_the_old_model_if_training_fails(srv: Path, run: Run) -> None:
    command, env = recipe(srv)
    (srv / "model.npz").write_bytes(b"old")
    (srv / "train-images-idx3-ubyte").unlink()
    done = sh(command, env)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert (srv / "model.npz").read_bytes() == b"old"
