"""Ranks that hold the same training: what is checked before it starts, and after each epoch."""

from pathlib import Path

import numpy as np
import pytest

from digitnet.config.definition import Config
from digitnet.config.reader import resolve_config
from digitnet.errors import ConfigError, DigitnetError, Elsewhere
from digitnet.fleet.fleet import Fleet
from digitnet.training.loop import train
from digitnet.training.replicas import check_ranks, compare_parameters, equalise, follow
from digitnet.training.setup import begin
from digitnet.training.state import TrainingState
from tests.thread_fleet import run_ranks

PICTURES = np.random.default_rng(1).integers(0, 256, (60, 28, 28), np.uint8)


def write_data(path: Path, labels: np.ndarray) -> Path:
    np.savez(path, images=PICTURES, labels=labels)
    return path


def config_of(data: Path, **training: object) -> dict[str, object]:
    return {
        "data": {"path": str(data), "validation": 10},
        "network": {"layer_sizes": [784, 8, 10]},
        "training": {"minibatch_size": 8, "shards": 4, "epochs": 2, **training},
    }


def start(config: Config, fleet: Fleet) -> TrainingState:
    """Return a rank's training, as `digitnet train` starts it."""

    def work() -> TrainingState:
        if fleet.leads:
            return begin(config, fleet=fleet)
        return follow(config, strict=False, fleet=fleet)

    state = fleet.attempt(work)
    equalise(state, fleet)
    return state


@pytest.mark.parametrize(("shards", "ranks"), [(1, 1), (4, 1), (4, 4), (1024, 8)])
def test_ranks_that_share_the_shards_equally_are_accepted(shards: int, ranks: int) -> None:
    check_ranks(shards, ranks)


@pytest.mark.parametrize(
    ("shards", "ranks", "advice"), [(1, 2, "set it to 2"), (4, 8, "set it to 8"), (4, 3, "start")]
)
def test_other_numbers_of_ranks_are_refused(shards: int, ranks: int, advice: str) -> None:
    with pytest.raises(
        ConfigError, match=rf"multiple of the {ranks} ranks.*found {shards}; {advice}"
    ):
        check_ranks(shards, ranks)


def test_ranks_train_the_same_network_and_yield_together(tmp_path: Path) -> None:
    data = write_data(tmp_path / "data.npz", np.arange(60) % 10)
    config = resolve_config(config_of(data))

    def work(fleet: Fleet) -> tuple[bytes, list[float], int, bool]:
        leads = fleet.leads
        state = fleet.attempt(
            lambda: (
                begin(config, fleet=fleet) if leads else follow(config, strict=False, fleet=fleet)
            )
        )
        equalise(state, fleet)
        records = [progress.record is not None for progress in train(config, state, fleet)]
        costs = [record.training.cost for record in state.history]
        return state.network.parameters.tobytes(), costs, sum(records), state.done

    *alone, _, _ = single = work_alone(config)
    for ranks in (2, 4):
        results = run_ranks(ranks, work)
        assert results == [single] * ranks
    assert alone[1] == sorted(alone[1], reverse=True)


def work_alone(config: Config) -> tuple[bytes, list[float], int, bool]:
    state: TrainingState | None = None
    count = 0
    for progress in train(config):
        state = progress.state
        count += progress.record is not None
    assert state is not None
    costs = [record.training.cost for record in state.history]
    return state.network.parameters.tobytes(), costs, count, state.done


def test_other_labels_in_one_rank_end_all(tmp_path: Path) -> None:
    data = [write_data(tmp_path / f"{name}.npz", (np.arange(60) + 1) % 10) for name in "ab"]
    write_data(data[1], np.arange(60) % 10)

    def work(fleet: Fleet) -> tuple[type, str]:
        config = resolve_config(config_of(data[fleet.rank == 1]))
        try:
            state = fleet.attempt(
                lambda: (
                    begin(config, fleet=fleet)
                    if fleet.leads
                    else follow(config, strict=False, fleet=fleet)
                )
            )
            equalise(state, fleet)
        except DigitnetError as error:
            return type(error), str(error)
        raise AssertionError("no error")

    first, second = run_ranks(2, work)
    assert "expected the pictures and labels of rank 0, found others in rank 1" in first[1]
    assert second[0] is Elsewhere


def test_other_parameters_in_one_rank_end_all(tmp_path: Path) -> None:
    data = write_data(tmp_path / "data.npz", np.arange(60) % 10)
    config = resolve_config(config_of(data))

    def work(fleet: Fleet) -> str:
        state = begin(config)
        state.network.parameters[7] += fleet.rank == 1
        try:
            compare_parameters(state, fleet)
        except DigitnetError as error:
            return str(error)
        raise AssertionError("no error")

    assert run_ranks(2, work)[0].startswith(
        "epoch 1: expected the same parameters in all ranks, found others in rank 1"
    )
