"""Path lookups, and commands with paths that are missing or cannot be looked up."""

import ctypes
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import DIGITNET, ENVIRONMENT, Run

from digitnet.paths import absolute, kind_of, names_file, why_missing

DROP = 24  # PR_CAPBSET_DROP of prctl(2)
PRIVILEGES = (1, 2)  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH: they let root search any folder


def test_kinds_of_paths(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "dangling").symlink_to("nothing")
    kinds = {name: kind_of(tmp_path / name) for name in ("file", "link", "dangling", "none", "")}
    assert kinds == {"file": "file", "link": "file", "dangling": None, "none": None, "": "folder"}
    assert kind_of("/dev/null") == "other"
    assert kind_of(tmp_path / "file" / "below") is None
    assert kind_of("a\0b") is None


def test_a_link_to_itself_is_not_reported_as_missing(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(OSError, match="symbolic links"):
        kind_of(tmp_path / "loop")


def test_messages_for_missing_files_and_broken_links(tmp_path: Path) -> None:
    (tmp_path / "dangling").symlink_to("../there")
    assert why_missing(tmp_path / "none") == why_missing("a\0b") == "no such file"
    found = "expected a model, found a link to ../there, which does not exist"
    assert why_missing(tmp_path / "dangling", "model") == found


def test_which_paths_can_name_a_file() -> None:
    assert all(map(names_file, ("a", "a/b", "/a", "...", "a/.b")))
    assert not any(map(names_file, ("", "a/", "/", ".", "..", "a/.", "a/..")))


def test_absolute_starts_from_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert absolute("a/../b") == str(tmp_path / "b")
    assert absolute("/a/./b") == "/a/b"


# Commands


@pytest.fixture
def folder(config_file: Path, model: Path, pictures: Path) -> Path:
    """A folder with a config, a model as other.npz and a picture."""
    folder = config_file.parent
    shutil.copy(model, folder / "other.npz")
    shutil.copy(pictures / "00.png", folder / "7.png")
    return folder


def one_line(done: "subprocess.CompletedProcess[bytes]", *statuses: int) -> str:
    """Check that a command failed with one of the statuses; return its one line on stderr."""
    assert done.returncode in statuses, done.stderr
    assert done.stdout == b""
    assert done.stderr.count(b"\n") == 1
    return done.stderr.decode().removesuffix("\n")


COMMANDS = [
    ("predict", "{}"),
    ("predict", "--files-from", "{}"),
    ("predict", "7.png", "-m", "{}"),
    ("evaluate", "-m", "{}"),
    ("evaluate", "-m", "other.npz", "--baseline", "{}"),
    ("evaluate", "-m", "other.npz", "--data", "{}"),
    ("train", "--config", "{}"),
    ("train", "--config", "config.yaml", "-q", "--set", "data.path={}"),
]


def filled(arguments: tuple[str, ...], path: str) -> list[str]:
    return [argument.format(path) for argument in arguments]


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_broken_link_is_reported(run: Run, folder: Path, arguments: tuple[str, ...]) -> None:
    (folder / "dangling").symlink_to("there.npz")
    line = one_line(run(*filled(arguments, "dangling"), cwd=folder), 1, 2)
    assert "dangling: expected a file" in line
    assert ", found a link to there.npz, which does not exist" in line


@pytest.mark.parametrize("environment", [{}, {"DIGITNET_MODEL": "model.npz"}], ids=str)
@pytest.mark.parametrize("verb", [("predict", "7.png"), ("evaluate",)], ids=" ".join)
def test_no_other_model_replaces_a_broken_link(
    run: Run, folder: Path, verb: tuple[str, ...], environment: dict[str, str]
) -> None:
    (folder / "model.npz").symlink_to("there.npz")
    line = one_line(run(*verb, cwd=folder, env=environment), 1)
    assert line == "model.npz: expected a file, found a link to there.npz, which does not exist"


def shut_to_all(shut: Path, cwd: Path, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
    """Run the command while nobody, not even root, may search the folder `shut`."""

    def prepare() -> None:
        shut.chmod(0o600)
        prctl = ctypes.CDLL(None).prctl
        for privilege in PRIVILEGES:
            prctl(DROP, privilege)

    try:
        return subprocess.run(
            [DIGITNET, *arguments],
            capture_output=True,
            check=False,
            cwd=cwd,
            env=ENVIRONMENT,
            timeout=60,
            preexec_fn=prepare,
        )
    finally:
        shut.chmod(0o700)


@pytest.mark.parametrize(
    "arguments",
    [*COMMANDS, ("train", "--config", "config.yaml", "-q", "-o", "{}/x.npz")],
    ids=" ".join,
)
def test_a_folder_without_search_permission_is_reported(
    folder: Path, arguments: tuple[str, ...]
) -> None:
    (folder / "shut" / "there").mkdir(parents=True)
    done = shut_to_all(folder / "shut", folder, *filled(arguments, "shut/there"))
    line = one_line(done, 1, 2)
    assert "shut/there" in line
    assert line.endswith("Permission denied")


def test_no_other_model_is_used_without_search_permission(folder: Path) -> None:
    (folder / "shut").mkdir()
    done = shut_to_all(folder / "shut", folder / "shut", "predict", str(folder / "7.png"))
    assert one_line(done, 1) == "model.npz: cannot be read: Permission denied"


@pytest.mark.parametrize(
    ("options", "path"),
    [
        (("-o", "x.npz"), "x.npz"),
        (("--set", "model=x.npz"), "x.npz"),
        (("--set", "data.path=x"), "x"),
    ],
    ids=str,
)
def test_a_deleted_working_directory_is_reported(
    folder: Path, options: tuple[str, ...], path: str
) -> None:
    (folder / "gone").mkdir()
    script = f'rmdir ../gone; exec "$0" train --config {folder}/config.yaml "$@"'
    done = subprocess.run(
        ["sh", "-c", script, DIGITNET, *options],
        capture_output=True,
        check=False,
        cwd=folder / "gone",
        env=ENVIRONMENT,
        timeout=60,
    )
    assert one_line(done, 1) == (
        f"{path}: expected an existing working directory, found it deleted; "
        "change to another directory"
    )


@pytest.mark.parametrize("where", ["-o", "--set", "config"])
def test_an_output_that_names_a_folder_is_refused(run: Run, folder: Path, where: str) -> None:
    options = {"-o": ("-o", "new/"), "--set": ("--set", "model=new/"), "config": ()}[where]
    if where == "config":
        text = (folder / "config.yaml").read_text()
        (folder / "config.yaml").write_text(f"{text}model: new/\n")
    before = sorted(os.listdir(folder))
    line = one_line(run("train", "--config", "config.yaml", *options, cwd=folder), 1, 2)
    assert "expected the name of a file, found " in line
    assert sorted(os.listdir(folder)) == before
