"""Ranks that hold the same training: what is checked before it starts, and after each epoch."""

from pathlib import Path

import numpy as np
import pytest

from digitnet.config.definition import Config
from digitnet.config.reader import resolve_config
from digitnet.errors import ConfigError, DigitnetError, Elsewhere
from digitnet.fleet.fleet import Alone, Fleet
from digitnet.model.calibration import Calibration
from digitnet.training.loop import train
from digitnet.training.replicas import check_ranks, compare_parameters
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


def train_here(config: Config, fleet: Fleet) -> TrainingState:
    """Train to the end and return the state."""
    for progress in train(config, fleet=fleet):
        state = progress.state
    return state


def sharded(shards: int, size: int = 1024) -> Config:
    return resolve_config(
        {
            "data": {"path": "data"},
            "network": {"layer_sizes": [784, 10]},
            "training": {"minibatch_size": size, "shards": shards},
        }
    )


@pytest.mark.parametrize(("shards", "ranks"), [(1, 1), (4, 1), (4, 4), (1024, 8)])
def test_ranks_that_share_the_shards_equally_are_accepted(shards: int, ranks: int) -> None:
    check_ranks(sharded(shards), ranks)


@pytest.mark.parametrize(
    ("shards", "ranks", "size", "advice"),
    [
        (1, 2, 10, "set it to 2"),
        (4, 8, 10, "set it to 8"),
        (4, 16, 10, "start a power of two of them, at most 4"),
        (1, 2048, 1024, "start a power of two of them, at most 1"),
        (4, 3, 10, "start a power of two of them, at most 4"),
    ],
)
def test_other_numbers_of_ranks_are_refused(
    shards: int, ranks: int, size: int, advice: str
) -> None:
    message = rf"multiple of the {ranks} ranks.*found {shards}; {advice}"
    with pytest.raises(ConfigError, match=message):
        check_ranks(sharded(shards, size), ranks)


def test_ranks_train_the_same_network_and_yield_together(tmp_path: Path) -> None:
    data = write_data(tmp_path / "data.npz", np.arange(60) % 10)
    config = resolve_config(config_of(data))

    def work(fleet: Fleet) -> tuple[bytes, bytes, list[float], Calibration]:
        for _ in range(2):  # a fleet trains more than once
            state = train_here(config, fleet)
        assert state.done
        assert fleet.is_over
        costs = [record.training.cost for record in state.history]
        best = state.best_model().network.parameters
        return state.network.parameters.tobytes(), best.tobytes(), costs, state.calibration

    alone = work(Alone())
    for ranks in (2, 4):
        assert run_ranks(ranks, work) == [alone] * ranks


def test_one_shard_for_two_ranks_is_refused(tmp_path: Path) -> None:
    data = write_data(tmp_path / "data.npz", np.arange(60) % 10)
    config = resolve_config(config_of(data, shards=1))

    def work(fleet: Fleet) -> str:
        try:
            train_here(config, fleet)
        except DigitnetError as error:
            return str(error)
        raise AssertionError("no error")

    assert "training.shards: expected a multiple of the 2 ranks" in run_ranks(2, work)[0]


def test_other_labels_in_one_rank_end_all(tmp_path: Path) -> None:
    data = [write_data(tmp_path / f"{name}.npz", (np.arange(60) + 1) % 10) for name in "ab"]
    write_data(data[1], np.arange(60) % 10)

    def work(fleet: Fleet) -> tuple[type, str]:
        config = resolve_config(config_of(data[fleet.rank == 1]))
        try:
            train_here(config, fleet)
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
