"""Trainings run by `session`: output, lock and signals."""

import contextlib
import errno
import fcntl
import functools
import io
import os
import signal
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import OLD_MODEL, Failing, Run, Training, comparable

from digitnet.config.definition import Config
from digitnet.config.reader import read_config
from digitnet.dataset.reader import read_data
from digitnet.errors import (
    Busy,
    CheckpointError,
    DataError,
    DigitnetError,
    ExitStatus,
    OutputError,
    Stopped,
)
from digitnet.fleet.fleet import Alone
from digitnet.model.checkpoint import load_checkpoint
from digitnet.session import driver as session
from digitnet.session.signals import STOPS, handle_signals
from digitnet.training.loop import Progress

Start = Callable[..., Training]

DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "cut short": lambda good: good[: len(good) // 2],
    "cut to its first bytes": lambda good: good[:60],
    "without its end": lambda good: good[:-1],
    "with a flipped bit": lambda good: good[:5000] + bytes([good[5000] ^ 4]) + good[5001:],
    "without its beginning": lambda good: good[:4] + bytes(60) + good[64:],
}


@pytest.fixture
def config(config_file: Path) -> Config:
    return read_config(config_file, ["training.epochs=1"])


@pytest.fixture
def output(config: Config) -> Path:
    return Path(config.model)


def finish(progress: Iterator[Progress]) -> list[Progress]:
    return list(progress)


def left_beside(path: Path) -> set[str]:
    return set(os.listdir(path.parent)) - {"config.yaml", path.name}


# The output


def test_a_training_leaves_its_checkpoint_and_nothing_else(config: Config, output: Path) -> None:
    finish(session.run(config))
    assert len(load_checkpoint(output).history) == 1
    assert left_beside(output) == set()


def test_an_output_that_exists_is_not_overwritten(config: Config, output: Path) -> None:
    output.write_bytes(OLD_MODEL)
    with pytest.raises(OutputError, match=r"model\.npz: exists already; --resume .* --overwrite"):
        finish(session.run(config))
    assert output.read_bytes() == OLD_MODEL
    assert left_beside(output) == set()


def test_overwrite_starts_a_new_training(config: Config, output: Path) -> None:
    output.write_bytes(OLD_MODEL)
    finish(session.run(config, overwrite=True))
    assert len(load_checkpoint(output).history) == 1


def a_zip(*names: str) -> bytes:
    """Return a zip archive of files with these names."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, "content")
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"\x89PNG\r\n", "another kind of file"),
        (b"data:\n  path: x\n", "another kind of file"),
        (bytes(1000), "another kind of file"),
        (b"PK and no more", "another kind of file"),
        (a_zip(), "another kind of file"),
        (a_zip("a.jpg", "b.jpg"), "a zip archive of a.jpg, b.jpg"),
        (a_zip("a.jpg", "b.jpg")[:40], "a zip archive of a.jpg"),
        (a_zip("[Content_Types].xml", "_rels/.rels", "a", "b"), "_rels/.rels, a, …"),
        (a_zip("images.npy", "labels.npy"), "a zip archive of images, labels"),
        (a_zip("format_version.npy", "images.npy"), "a zip archive of format_version, images"),
    ],
    ids=range(10),  # archives contain the time: no stable ids
)
def test_overwrite_keeps_files_that_are_not_models(
    config: Config, output: Path, content: bytes, found: str
) -> None:
    output.write_bytes(content)
    with pytest.raises(OutputError, match=r"model\.npz: expected a digitnet model to ") as error:
        finish(session.run(config, overwrite=True))
    assert str(error.value).endswith(f"{found}; name another file with -o")
    assert output.read_bytes() == content
    assert left_beside(output) == set()


@pytest.mark.parametrize("kind", ["of an older version", "in another order", *DAMAGES, "empty"])
def test_overwrite_replaces_empty_files_and_damaged_models(
    config: Config, output: Path, model: Path, kind: str
) -> None:
    if kind in DAMAGES:
        output.write_bytes(DAMAGES[kind](model.read_bytes()))
    elif kind == "empty":
        output.touch()
    else:
        with np.load(model) as file:
            arrays = dict(file)
        version = arrays.pop("format_version")
        if kind == "in another order":
            np.savez(output, **arrays, format_version=version)
        else:
            np.savez(output, format_version=version - 1, **arrays)
    finish(session.run(config, overwrite=True))
    assert load_checkpoint(output).history


@pytest.fixture(params=["itself", "a symbolic link", "a hard link", "through a folder"])
def as_output(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Path], Path]:
    """Return a function that gives a file another name."""

    def as_output(path: Path) -> Path:
        other = tmp_path / "other.npz"
        if request.param == "a symbolic link":
            other.symlink_to(path)
        elif request.param == "a hard link":
            other.hardlink_to(path)
        elif request.param == "through a folder":
            (tmp_path / "folder").symlink_to(path.parent)
            return tmp_path / "folder" / path.name
        else:
            return path
        return other

    return as_output


@pytest.mark.parametrize("name", ["own.npz", "both.npz", "config.yaml", "images.npy"])
def test_overwrite_keeps_the_training_data(
    config_file: Path,
    small_mnist: Path,
    model: Path,
    tmp_path: Path,
    as_output: Callable[[Path], Path],
    name: str,
) -> None:
    training = read_data(str(small_mnist)).training
    digits = {"images": training.images, "labels": training.labels}
    folder = tmp_path / "data"
    folder.mkdir()
    np.savez(tmp_path / "own.npz", **digits)
    with np.load(model) as file:
        np.savez(tmp_path / "both.npz", **file, **digits)
    for part, array in digits.items():
        np.save(folder / f"{part}.npy", array)
    path = folder / name if name == "images.npy" else tmp_path / name
    data = folder if name == "images.npy" else path if name.endswith("z") else small_mnist
    before = path.read_bytes()
    settings = ["training.epochs=1", f"data.path=[{data}]", f"model={as_output(path)}"]
    with pytest.raises(OutputError, match="expected a digitnet model to overwrite, found "):
        finish(session.run(read_config(config_file, settings), overwrite=True))
    assert path.read_bytes() == before


def test_overwrite_keeps_the_model_that_ships(
    config: Config, model: Path, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output.write_bytes(model.read_bytes())
    monkeypatch.setattr("digitnet.session.driver.SHIPPED", str(output))
    with pytest.raises(OutputError, match="found the model that ships with digitnet; name another"):
        finish(session.run(config, overwrite=True))
    assert output.read_bytes() == model.read_bytes()


def test_overwrite_keeps_a_file_that_cannot_be_read(
    config: Config, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: str) -> bool:
        raise PermissionError(13, "Permission denied")

    output.write_bytes(OLD_MODEL)
    monkeypatch.setattr("digitnet.session.driver.is_checkpoint", refuse)
    with pytest.raises(OutputError, match=r"cannot be read \(Permission denied\); name another"):
        finish(session.run(config, overwrite=True))
    assert output.read_bytes() == OLD_MODEL


def test_overwrite_keeps_the_old_file_until_an_epoch_has_ended(
    config: Config, output: Path
) -> None:
    output.write_bytes(OLD_MODEL)
    training = session.run(config, overwrite=True)
    next(training)
    assert output.read_bytes() == OLD_MODEL
    training.close()
    assert output.read_bytes() == OLD_MODEL


def test_resume_continues(config_file: Path, config: Config, output: Path) -> None:
    finish(session.run(config))
    longer = read_config(config_file, ["training.epochs=3"])
    records = [p.record.epoch for p in session.run(longer, resume=True) if p.record]
    assert records == [2, 3]
    assert len(load_checkpoint(output).history) == 3


def test_resume_without_a_checkpoint_starts_a_training(config: Config, output: Path) -> None:
    finish(session.run(config, resume=True))
    assert len(load_checkpoint(output).history) == 1


def test_resuming_a_finished_session_changes_nothing(config: Config, output: Path) -> None:
    finish(session.run(config))
    before = output.read_bytes()
    assert len(finish(session.run(config, resume=True))) == 1
    assert output.read_bytes() == before


@pytest.mark.parametrize("data", [b"", b"no model", b"PK\3\4 and no more"])
def test_resuming_a_file_that_is_not_a_checkpoint_is_refused(
    config: Config, output: Path, data: bytes
) -> None:
    output.write_bytes(data)
    with pytest.raises(CheckpointError, match=r"model\.npz: "):
        finish(session.run(config, resume=True))
    assert output.read_bytes() == data
    assert left_beside(output) == set()


def test_resuming_a_stripped_model_is_refused_with_its_name(config: Config, output: Path) -> None:
    finish(session.run(config))
    with np.load(output) as file:
        kept = {name: array for name, array in file.items() if not name.startswith("state_")}
    np.savez(output, **kept)
    with pytest.raises(CheckpointError, match=r"model\.npz: expected the state of a training"):
        finish(session.run(config, resume=True))


def with_output(config_file: Path, output: str | Path) -> Config:
    return read_config(config_file, ["training.epochs=1", f"model={output}"])


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_device_is_refused_as_output(config_file: Path, overwrite: bool) -> None:
    with pytest.raises(OutputError, match=r"^/dev/null: "):
        finish(session.run(with_output(config_file, "/dev/null"), overwrite=overwrite))
    assert not os.path.isfile("/dev/null")


def test_a_folder_is_refused_as_output(config_file: Path, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="expected a file to write"):
        finish(session.run(with_output(config_file, tmp_path), overwrite=True))


def test_the_folder_of_the_output_must_exist(config_file: Path, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"expected the folder .*none to exist"):
        finish(session.run(with_output(config_file, tmp_path / "none" / "m.npz")))
    assert not (tmp_path / "none").exists()


def test_a_link_as_output_is_followed(config_file: Path, tmp_path: Path) -> None:
    (tmp_path / "latest.npz").symlink_to("first.npz")
    finish(session.run(with_output(config_file, tmp_path / "latest.npz")))
    assert (tmp_path / "latest.npz").is_symlink()
    assert load_checkpoint(tmp_path / "first.npz").history
    assert left_beside(tmp_path / "first.npz") == {"latest.npz"}


@pytest.mark.parametrize("how", [{}, {"resume": True}, {"overwrite": True}], ids=str)
def test_an_unreadable_disk_is_not_taken_for_an_empty_disk(
    config: Config, output: Path, failing: Failing, how: dict[str, bool]
) -> None:
    finish(session.run(config))
    before = output.read_bytes()
    failing("stat", output)
    with pytest.raises(OutputError, match=r"model\.npz: cannot be written: Input/output error"):
        finish(session.run(config, **how))
    assert output.read_bytes() == before
    assert left_beside(output) == set()


def test_a_link_that_cannot_be_read_is_not_replaced(
    config_file: Path, tmp_path: Path, failing: Failing
) -> None:
    (tmp_path / "latest.npz").symlink_to("first.npz")
    (tmp_path / "first.npz").write_bytes(OLD_MODEL)
    failing("readlink", tmp_path / "latest.npz")
    with pytest.raises(OutputError, match=r"latest\.npz: cannot be written: Input/output error"):
        finish(session.run(with_output(config_file, tmp_path / "latest.npz"), overwrite=True))
    assert (tmp_path / "latest.npz").is_symlink()


def test_missing_data_leave_nothing_behind(config_file: Path, output: Path) -> None:
    with pytest.raises(DataError):
        finish(session.run(read_config(config_file, ["data.path=nowhere"])))
    assert not output.exists()
    assert left_beside(output) == set()


# The lock


def test_a_second_training_on_the_same_output_is_refused(config: Config, output: Path) -> None:
    first = session.run(config)
    next(first)
    with pytest.raises(Busy, match=r"model\.npz: another training is writing it"):
        next(session.run(config, overwrite=True))
    assert left_beside(output) == {"model.npz.lock"}
    finish(first)
    assert len(load_checkpoint(output).history) == 1


def test_a_second_training_is_refused_after_the_first_has_saved(
    config_file: Path, output: Path
) -> None:
    first = session.run(read_config(config_file))
    next(progress for progress in first if progress.record)
    assert output.exists()
    with pytest.raises(Busy):
        next(session.run(read_config(config_file)))
    first.close()


def test_the_lock_holds_under_any_name(config_file: Path, config: Config, tmp_path: Path) -> None:
    (tmp_path / "other.npz").symlink_to("model.npz")
    first = session.run(config)
    next(first)
    with pytest.raises(Busy):
        next(session.run(with_output(config_file, tmp_path / "other.npz")))
    first.close()


def test_busy_is_status_75() -> None:
    assert Busy.exit_status == ExitStatus.BUSY == 75


def test_another_output_is_not_locked(config_file: Path, config: Config, tmp_path: Path) -> None:
    first = session.run(config)
    next(first)
    finish(session.run(with_output(config_file, tmp_path / "other.npz")))
    first.close()
    assert (tmp_path / "other.npz").is_file()


def test_the_lock_is_released_when_the_session_is_closed(config: Config, output: Path) -> None:
    first = session.run(config)
    next(first)
    first.close()
    assert left_beside(output) == set()
    finish(session.run(config))
    assert output.is_file()


def test_a_stale_lock_file_is_ignored(config: Config, output: Path) -> None:
    Path(f"{output}.lock").write_bytes(b"")
    finish(session.run(config))
    assert left_beside(output) == set()


@pytest.mark.parametrize("name", ["flock", "samestat"])
def test_a_failing_lock_leaves_no_file(
    config: Config, output: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    module = {"flock": fcntl, "samestat": os.path}[name]
    original = getattr(module, name)

    def fail(*_: object) -> None:
        monkeypatch.setattr(module, name, original)
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(module, name, fail)
    with pytest.raises(OutputError, match=r"model\.npz\.lock: cannot be locked: No locks"):
        finish(session.run(config))
    assert left_beside(output) == set()


def test_a_failing_lock_keeps_the_file_of_its_holder(
    config: Config, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = session.run(config)
    next(first)

    def fail(*_: object) -> None:
        monkeypatch.undo()
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", fail)
    with pytest.raises(OutputError):
        finish(session.run(config, overwrite=True))
    assert left_beside(output) == {"model.npz.lock"}
    finish(first)


def test_a_lock_file_that_cannot_be_closed_is_ignored(
    config: Config, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    training = session.run(config)
    next(training)

    def fail(descriptor: int) -> None:
        monkeypatch.undo()
        raise OSError(errno.EIO, "Input/output error")

    next(progress for progress in training if progress.record)
    monkeypatch.setattr(os, "close", fail)
    finish(training)
    assert left_beside(output) == set()


# Signals within this process


@pytest.mark.parametrize("number", STOPS, ids=lambda number: number.name)
def test_the_signal_handlers_are_restored(config: Config, number: signal.Signals) -> None:
    before = signal.getsignal(number)
    training = session.run(config)
    next(training)
    assert signal.getsignal(number) != before
    training.close()
    assert signal.getsignal(number) == before


@pytest.mark.parametrize(("number", "status"), STOPS.items(), ids=lambda value: value.name)
def test_a_signal_stops_it_and_saves_the_checkpoint(
    config: Config, output: Path, number: signal.Signals, status: ExitStatus
) -> None:
    training = session.run(config)
    next(training)
    signal.raise_signal(number)
    with pytest.raises(Stopped, match=rf"stopped by {number.name} in epoch 1; .*--resume") as error:
        finish(training)
    assert error.value.exit_status == status == 128 + number
    assert load_checkpoint(output, with_state=True).state
    assert left_beside(output) == set()


@pytest.mark.parametrize(("number", "status"), STOPS.items(), ids=lambda value: value.name)
@pytest.mark.parametrize("existing", [None, OLD_MODEL], ids=["nothing", "a model"])
def test_a_signal_while_data_are_read_stops_it_at_once(
    config: Config,
    output: Path,
    monkeypatch: pytest.MonkeyPatch,
    existing: bytes | None,
    number: signal.Signals,
    status: ExitStatus,
) -> None:
    def interrupted(_: Config, **_options: Any) -> Any:
        signal.raise_signal(number)
        pytest.fail("it went on")

    if existing:
        output.write_bytes(existing)
    monkeypatch.setattr("digitnet.session.driver.begin", interrupted)
    with pytest.raises(Stopped, match=f"stopped by {number.name} before the first step") as error:
        next(session.run(config, overwrite=True))
    assert error.value.exit_status == status
    assert (output.read_bytes() if output.exists() else None) == existing
    assert left_beside(output) == set()


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ([signal.SIGTERM], Stopped),  # after the exchange
        ([signal.SIGINT, signal.SIGINT], KeyboardInterrupt),  # within: other ranks cannot be told
    ],
)
def test_a_signal_while_a_rank_waits_for_others_data(
    numbers: list[signal.Signals], expected: type[BaseException]
) -> None:
    fleet = Alone()

    def wait() -> None:
        with handle_signals(fleet) as requests, requests.immediate_stop():
            fleet.is_waiting = True
            for number in numbers:
                signal.raise_signal(number)
            fleet.gather("the exchange")

    with pytest.raises(expected):
        wait()


class SignalsWhenDeleted:
    """An object that sends SIGTERM to this process when it is deleted: within a callback."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGTERM)


def test_a_signal_within_a_callback_is_not_lost(capsys: pytest.CaptureFixture[str]) -> None:
    begun = time.monotonic()

    def work() -> None:
        with handle_signals() as requests, requests.immediate_stop():
            SignalsWhenDeleted()
            time.sleep(20)

    with pytest.raises(Stopped):
        work()
    assert time.monotonic() < begun + 10
    assert capsys.readouterr().err == ""


def test_the_timer_and_handlers_end_with_the_handling_of_signals(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("digitnet.session.signals.AGAIN_AFTER", 60)
    before = signal.getsignal(signal.SIGALRM), sys.unraisablehook
    with handle_signals() as requests:
        assert signal.getsignal(signal.SIGALRM) == before[0]
        with requests.immediate_stop():
            SignalsWhenDeleted()
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 0
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)
    assert (signal.getsignal(signal.SIGALRM), sys.unraisablehook) == before


def test_an_alarm_of_the_caller_is_kept() -> None:
    signal.setitimer(signal.ITIMER_REAL, 60)
    try:
        with handle_signals():
            pass
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 0
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def test_a_signal_after_an_error_is_only_recorded() -> None:
    """Nothing stops the handling of the error, such as removing a temporary file."""
    with handle_signals() as requests:
        with contextlib.suppress(ValueError), requests.immediate_stop():
            raise ValueError
        try:
            signal.raise_signal(signal.SIGTERM)
        except KeyboardInterrupt:
            pytest.fail("it was interrupted")
        assert requests.received == signal.SIGTERM


def test_another_error_within_a_callback_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    class Fails:
        def __del__(self) -> None:
            raise ValueError("a fault")

    with handle_signals():
        Fails()
    assert "ValueError: a fault" in capsys.readouterr().err


def test_a_session_stopped_early_resumes_to_the_same_model(
    config_file: Path, config: Config, output: Path, tmp_path: Path
) -> None:
    training = session.run(config)
    next(training)
    signal.raise_signal(signal.SIGTERM)
    with contextlib.suppress(Stopped):
        finish(training)
    finish(session.run(config, resume=True))
    finish(session.run(with_output(config_file, tmp_path / "uninterrupted.npz")))
    assert comparable(output) == comparable(tmp_path / "uninterrupted.npz")


def test_a_second_interrupt_stops_at_once_and_keeps_the_old_file(
    config: Config, output: Path
) -> None:
    output.write_bytes(OLD_MODEL)
    training = session.run(config, overwrite=True)
    next(training)
    signal.raise_signal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    training.close()
    assert output.read_bytes() == OLD_MODEL
    assert left_beside(output) == set()


@pytest.fixture
def ignored() -> Iterator[signal.Signals]:
    """SIGINT, ignored as in a background job."""
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    yield signal.SIGINT
    signal.signal(signal.SIGINT, previous)


def test_an_ignored_signal_stays_ignored(config: Config, ignored: signal.Signals) -> None:
    training = session.run(config)
    next(training)
    assert signal.getsignal(ignored) == signal.SIG_IGN
    finish(training)
    assert signal.getsignal(ignored) == signal.SIG_IGN


def test_an_ignored_signal_stays_ignored_after_another(
    config: Config, ignored: signal.Signals
) -> None:
    training = session.run(config)
    next(training)
    signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(ignored) == signal.SIG_IGN
    with pytest.raises(Stopped):
        finish(training)
    assert signal.getsignal(ignored) == signal.SIG_IGN


def test_a_full_disk_is_one_clear_error(
    config: Config, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    output.write_bytes(OLD_MODEL)
    monkeypatch.setattr("digitnet.paths.os.fsync", fail)
    with pytest.raises(DigitnetError, match="cannot be written: No space left on device"):
        finish(session.run(config, overwrite=True))
    assert output.read_bytes() == OLD_MODEL
    assert left_beside(output) == set()


# Signals to the installed command within an epoch

Uninterrupted = Callable[[int], Path]


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory, small_mnist: Path) -> Path:
    """The config of a training with slow epochs."""
    path = tmp_path_factory.mktemp("slow") / "config.yaml"
    path.write_text(
        f"data: {{path: {small_mnist}, validation: 500}}\n"
        "network: {layer_sizes: [784, 200, 10]}\n"
        "training: {minibatch_size: 1, optimizer: {learning_rate: 0.02, momentum: 0.5}}\n"
    )
    return path


@pytest.fixture(scope="module")
def uninterrupted(slow: Path, run: Run) -> Uninterrupted:
    """Return a function that gives the checkpoint of `slow` after n uninterrupted epochs."""

    @functools.cache
    def uninterrupted(epochs: int) -> Path:
        path = slow.parent / f"{epochs}.npz"
        done = run("train", "--config", slow, "-q", *epochs_to(epochs), "-o", path)
        assert done.returncode == 0, done.stderr
        return path

    return uninterrupted


def epochs_to(epochs: int) -> tuple[str, str]:
    return "--set", f"training.epochs={epochs}"


def assert_resumes_to_same_model(
    run: Run, slow: Path, uninterrupted: Uninterrupted, path: Path
) -> None:
    """Check that a checkpoint, resumed for one epoch, equals an uninterrupted one."""
    epochs = max(len(load_checkpoint(path).history) + 1, 2)
    done = run("train", "--config", slow, "-q", *epochs_to(epochs), "-o", path, "--resume")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert comparable(path) == comparable(uninterrupted(epochs))
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize("number", STOPS, ids=lambda number: number.name)
def test_stopped_by_a_signal_it_resumes_to_the_same_model(
    slow: Path,
    uninterrupted: Uninterrupted,
    tmp_path: Path,
    start: Start,
    run: Run,
    number: signal.Signals,
) -> None:
    training = start("--config", slow, *epochs_to(1000), "-o", tmp_path / "m.npz")
    time.sleep(0.25)  # within the first epoch
    status, out, err = training.end(number)
    assert (status, out) == (128 + number, b"")
    assert err.splitlines()[-1].startswith(f"stopped by {number.name} in epoch ".encode())
    assert b"Traceback" not in err
    assert os.listdir(tmp_path) == ["m.npz"]
    assert_resumes_to_same_model(run, slow, uninterrupted, tmp_path / "m.npz")


def test_a_killed_training_can_be_resumed(
    slow: Path, uninterrupted: Uninterrupted, tmp_path: Path, start: Start, run: Run
) -> None:
    training = start("--config", slow, *epochs_to(1000), "-o", tmp_path / "m.npz")
    assert training.process.stderr is not None
    assert training.process.stderr.readline().startswith(b"epoch 1/1000")
    status, _, _ = training.end(signal.SIGKILL)
    assert status == -signal.SIGKILL
    assert_resumes_to_same_model(run, slow, uninterrupted, tmp_path / "m.npz")


def test_under_nohup_a_hangup_is_ignored(
    slow: Path, uninterrupted: Uninterrupted, tmp_path: Path, start: Start
) -> None:
    arguments = ("--config", slow, *epochs_to(2), "-o", tmp_path / "m.npz")
    status, _, _ = start(*arguments, ignoring="HUP").end(signal.SIGHUP)
    assert status == 0
    assert comparable(tmp_path / "m.npz") == comparable(uninterrupted(2))


def test_a_running_training_refuses_another(
    slow: Path, tmp_path: Path, start: Start, run: Run
) -> None:
    start("--config", slow, *epochs_to(1000), "-o", tmp_path / "m.npz")
    done = run("train", "--config", slow, "-o", tmp_path / "m.npz", "--overwrite")
    assert (done.returncode, done.stdout) == (75, b"")
    assert done.stderr == f"{tmp_path}/m.npz: another training is writing it; try later\n".encode()


def test_overwrite_stopped_in_the_first_epoch_keeps_the_old_model(
    config: Config, output: Path
) -> None:
    finish(session.run(config))
    before = output.read_bytes()
    training = session.run(config, overwrite=True)
    next(training)
    signal.raise_signal(signal.SIGTERM)
    with pytest.raises(Stopped, match="is unchanged"):
        finish(training)
    assert output.read_bytes() == before


def test_a_signal_after_the_last_epoch_is_ignored(config: Config, output: Path) -> None:
    for progress in session.run(config):
        if progress.record and progress.record.epoch == config.training.epochs:
            signal.raise_signal(signal.SIGTERM)
    assert len(load_checkpoint(output).history) == config.training.epochs
