"""When a training saves its checkpoint: in time, on request, and when time is up."""

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import OLD_MODEL, Run, comparable

from digitnet.config.reader import read_config
from digitnet.errors import Stopped, TrainingError
from digitnet.model.checkpoint import load_checkpoint
from digitnet.session import driver as session
from digitnet.session.saving import Saver
from digitnet.training.loop import Progress
from digitnet.training.setup import begin
from digitnet.training.state import Position, Record, TrainingMeasure, TrainingState

SLOW = ("network.layer_sizes=[784, 200, 10]", "training.minibatch_size=1")


@pytest.fixture
def output(config_file: Path) -> Path:
    return config_file.parent / "model.npz"


@pytest.fixture
def at_every_block(monkeypatch: pytest.MonkeyPatch) -> None:
    """Training yields its progress as often as possible."""
    monkeypatch.setattr("digitnet.training.loop.YIELD_SECONDS", 0)
    monkeypatch.setattr("digitnet.training.loop.EVALUATION_MINIBATCH", 100)


def place_in(path: Path) -> Position:
    with np.load(path) as file:
        return Position(**json.loads(str(file["state_place"])))


class Clock:
    """A clock that a test sets."""

    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("digitnet.session.saving.time", clock)
    return clock


@pytest.fixture
def takes(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Callable[[float], None]:
    """Return a function: after takes(seconds), writing a checkpoint takes that long."""

    def takes(seconds: float) -> None:
        def save(*_: Any) -> None:
            clock.now += seconds

        monkeypatch.setattr("digitnet.session.saving.save_checkpoint", save)

    takes(0)
    return takes


@pytest.fixture
def state(config_file: Path) -> TrainingState:
    return begin(read_config(config_file, ["training.epochs=5"]))


def in_an_epoch(state: TrainingState) -> Progress:
    state.position = Position(state.position.epoch, state.position.step + 1, 1.0, 1.0)
    return Progress(state, 1.0)


def after_an_epoch(state: TrainingState) -> Progress:
    record = Record(state.position.epoch, TrainingMeasure(1.0), None, 1.0, 1.0)
    state.history.append(record)
    state.position = Position(state.position.epoch + 1)
    return Progress(state, 1.0, record)


@pytest.mark.usefixtures("takes")
def test_within_an_epoch_a_checkpoint_is_due_after_checkpoint_seconds(
    clock: Clock, state: TrainingState
) -> None:
    saver = Saver("", state, replaces=False)
    for _ in range(3):
        clock.now += 59
        assert not saver.is_due(in_an_epoch(state))
        clock.now += 1
        assert saver.is_due(in_an_epoch(state))
        saver.save()


def test_checkpoints_take_at_most_a_hundredth_of_the_time(
    clock: Clock, takes: Callable[[float], None], state: TrainingState
) -> None:
    takes(2)
    saver = Saver("", state, replaces=False)
    saver.save()
    for _ in range(2):
        clock.now += 197
        assert not saver.is_due(in_an_epoch(state))
        clock.now += 1
        assert saver.is_due(in_an_epoch(state))
        saver.save()


def test_a_slow_checkpoint_delays_the_next_ones(
    clock: Clock, takes: Callable[[float], None], state: TrainingState
) -> None:
    saver = Saver("", state, replaces=False)
    for seconds in (5, 1):
        takes(seconds)
        saver.save()
        in_an_epoch(state)
    clock.now += 590
    assert not saver.is_due(in_an_epoch(state))
    clock.now += 4
    assert saver.is_due(in_an_epoch(state))


def test_after_an_epoch_a_checkpoint_is_due_once_it_is_cheap(
    clock: Clock, takes: Callable[[float], None], state: TrainingState
) -> None:
    saver = Saver("", state, replaces=False)
    assert saver.is_due(after_an_epoch(state))
    takes(0.05)
    saver.save()
    clock.now += 4
    assert not saver.is_due(after_an_epoch(state))
    clock.now += 1
    assert saver.is_due(in_an_epoch(state)) is False
    assert saver.is_due(after_an_epoch(state))


def test_after_the_first_and_last_epoch_a_checkpoint_is_always_due(
    takes: Callable[[float], None], state: TrainingState
) -> None:
    takes(1000)
    saver = Saver("", state, replaces=False)
    in_an_epoch(state)
    saver.save()
    assert saver.is_due(after_an_epoch(state))
    saver.save()
    assert [saver.is_due(after_an_epoch(state)) for _ in range(4)] == [False, False, False, True]


@pytest.mark.usefixtures("takes")
def test_an_old_model_is_kept_until_the_first_epoch_has_ended(
    clock: Clock, state: TrainingState
) -> None:
    saver = Saver("", state, replaces=True)
    clock.now += 1000
    assert not saver.is_due(in_an_epoch(state))
    assert saver.is_due(after_an_epoch(state))


def test_the_same_state_is_not_written_again(
    clock: Clock, takes: Callable[[float], None], state: TrainingState
) -> None:
    takes(3)
    saver = Saver("", state, replaces=False)
    for _ in range(2):
        saver.save()
        assert clock.now == 1003
    in_an_epoch(state)
    saver.save()
    assert clock.now == 1006


@pytest.mark.usefixtures("at_every_block")
def test_a_checkpoint_within_an_epoch_resumes_to_the_same_model(
    config_file: Path, output: Path, tmp_path: Path
) -> None:
    settings = [*SLOW, "training.epochs=1", "training.checkpoint_seconds=0.01"]
    training = session.run(read_config(config_file, settings))
    next(progress for progress in training if output.exists())
    copy = tmp_path / "copy.npz"
    copy.write_bytes(output.read_bytes())
    assert place_in(copy).step > 0
    assert load_checkpoint(copy).history == []
    for _ in training:
        pass
    for _ in session.run(read_config(config_file, [*settings, f"model={copy}"]), resume=True):
        pass
    assert comparable(copy) == comparable(output)


@pytest.mark.usefixtures("at_every_block")
def test_a_stop_during_validation_resumes_to_the_same_model(
    config_file: Path, output: Path, tmp_path: Path
) -> None:
    training = session.run(read_config(config_file))
    next(progress for progress in training if progress.state.position.step == progress.state.steps)
    signal.raise_signal(signal.SIGTERM)
    with pytest.raises(Stopped, match=r"in epoch 1; .* is saved"):
        next(training)
    assert place_in(output).step == 50
    for path, resume in ((output, True), (tmp_path / "uninterrupted.npz", False)):
        for _ in session.run(read_config(config_file, [f"model={path}"]), resume=resume):
            pass
    assert comparable(output) == comparable(tmp_path / "uninterrupted.npz")


# On request


@pytest.mark.usefixtures("at_every_block")
def test_sigusr1_saves_and_training_continues(config_file: Path, output: Path) -> None:
    training = session.run(read_config(config_file))
    next(training)
    assert not output.exists()
    signal.raise_signal(signal.SIGUSR1)
    progress = next(training)
    assert place_in(output) == progress.state.position
    output.unlink()
    next(training)
    assert not output.exists()
    for _ in training:
        pass
    assert len(load_checkpoint(output).history) == 3


@pytest.mark.usefixtures("at_every_block")
def test_sigusr1_keeps_an_old_model_until_an_epoch_has_ended(
    config_file: Path, output: Path
) -> None:
    output.write_bytes(OLD_MODEL)
    training = session.run(read_config(config_file), overwrite=True)
    next(training)
    signal.raise_signal(signal.SIGUSR1)
    next(training)
    assert output.read_bytes() == OLD_MODEL
    training.close()
    assert output.read_bytes() == OLD_MODEL


def test_closing_a_session_saves_its_epochs(
    config_file: Path, output: Path, takes: Callable[[float], None], monkeypatch: Any
) -> None:
    takes(1000)
    training = session.run(read_config(config_file, ["training.epochs=100"]))
    records = (progress.record for progress in training if progress.record)
    for _ in range(3):
        next(records)
    assert not output.exists()
    monkeypatch.undo()
    training.close()
    assert len(load_checkpoint(output, with_state=True).history) == 3


# When time is up

UP = "training.max_minutes=0.001"


def test_when_time_is_up_it_saves_and_can_be_resumed(
    config_file: Path, output: Path, tmp_path: Path
) -> None:
    *_, last = session.run(read_config(config_file, [*SLOW, UP]))
    assert not last.state.done
    assert place_in(output) == last.state.position
    for path, resume in ((output, True), (tmp_path / "uninterrupted.npz", False)):
        settings = [*SLOW, f"model={path}", "training.epochs=2"]
        for _ in session.run(read_config(config_file, settings), resume=resume):
            pass
    assert comparable(output) == comparable(tmp_path / "uninterrupted.npz")


def test_max_minutes_counts_this_run_only(config_file: Path, output: Path) -> None:
    for _ in session.run(read_config(config_file, ["training.max_minutes=5"])):
        pass
    assert len(load_checkpoint(output).history) == 3
    steps = [place_in(output).step]
    for _ in range(2):
        settings = [UP, "training.epochs=100000"]
        for _ in session.run(read_config(config_file, settings), resume=True):
            pass
        place = place_in(output)
        steps.append(place.epoch * 50 + place.step)
    assert steps[0] < steps[1] < steps[2]


@pytest.mark.usefixtures("at_every_block")
def test_when_time_is_up_in_the_first_epoch_an_old_model_is_kept(
    config_file: Path, output: Path
) -> None:
    output.write_bytes(OLD_MODEL)
    settings = [*SLOW, "training.max_minutes=0.000001"]
    with pytest.raises(TrainingError, match=r"max_minutes in epoch 1; .* is unchanged"):
        for _ in session.run(read_config(config_file, settings), overwrite=True):
            pass
    assert output.read_bytes() == OLD_MODEL


def test_the_command_reports_an_unfinished_training(
    run: Run, config_file: Path, output: Path
) -> None:
    epochs = ("--set", "training.epochs=100000", "--set", "training.max_minutes=0.006")
    done = run("train", "--config", config_file, *epochs)
    assert done.returncode == 0
    assert done.stdout.endswith(b" s; not finished, --resume continues it\n")
    done = run("train", "--config", config_file, *epochs, "--resume", "--format", "json", "-q")
    assert json.loads(done.stdout.splitlines()[-1])["done"] is False
    assert len(load_checkpoint(output).history) > 3
    more = ("--set", f"training.epochs={len(load_checkpoint(output).history) + 1}")
    done = run("train", "--config", config_file, *more, "--resume", "--format", "json")
    assert json.loads(done.stdout.splitlines()[-1])["done"] is True


@pytest.mark.usefixtures("at_every_block")
def test_a_session_closed_after_a_signal_is_saved(config_file: Path, output: Path) -> None:
    training = session.run(read_config(config_file, SLOW))
    next(progress for progress in training if progress.state.position.step)
    signal.raise_signal(signal.SIGTERM)
    training.close()
    assert place_in(output).step > 0


def test_the_shortest_max_minutes_still_makes_progress(config_file: Path, output: Path) -> None:
    minutes = "training.max_minutes=0.000001"
    for _ in range(100):
        *_, last = session.run(read_config(config_file, [minutes]), resume=True)
        if last.state.done:
            break
    assert last.state.done
