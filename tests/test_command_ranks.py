"""`mpiexec digitnet train`: the same bits for any number of ranks, signals, failures."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import REPOSITORY, Run, comparable
from ranks import needs_mpi

sys.path.append(str(REPOSITORY / "tests" / "endurance"))

from rank_bits import write_config
from rank_cases import CASES
from rank_jobs import MPICH, Place

pytestmark = needs_mpi

QUICK = [case for case in CASES if case.quick]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    return Place(tmp_path, MPICH)


def alone(run: Run, place: Place) -> dict[str, Any]:
    """Return the checkpoint of a training without MPI, which is then deleted."""
    done = run(*place.arguments(), cwd=place.folder)
    assert done.returncode == 0, done.stderr
    checkpoint = comparable(place.output)
    place.clear()
    return checkpoint


@pytest.mark.parametrize(("kind", "shards", "ranks"), [("everything", 4, 4), ("momentum", 8, 2)])
def test_any_number_of_ranks_has_the_same_bits(
    run: Run, place: Place, kind: str, shards: int, ranks: int
) -> None:
    """Below, two ranks train `everything`, too."""
    write_config(place, kind, shards, epochs=2)
    expected = alone(run, place)
    assert place.train(ranks).status == 0
    assert comparable(place.output) == expected


def test_a_training_is_resumed_by_another_number_of_ranks(run: Run, place: Place) -> None:
    write_config(place, "everything", 4, epochs=6)
    expected = alone(run, place)

    def stop(number: signal.Signals) -> Any:
        def act(_: Any, pids: dict[int, int]) -> None:
            time.sleep(0.1)
            os.kill(pids[max(pids)], number)

        return act

    for ranks, number in ((2, signal.SIGHUP), (1, signal.SIGTERM)):
        ended = place.train(ranks, "--resume", act=stop(number))
        assert (ended.status, ended.state) == (128 + number, "saved")
    assert place.train(4, "--resume").status == 0
    assert comparable(place.output) == expected


@pytest.mark.parametrize("case", QUICK, ids=[case.title for case in QUICK])
def test_every_training_ends_in_all_ranks(place: Place, case: Any) -> None:
    ended = case.happen(place)
    assert list(case.problems(ended, "MPICH")) == [], (ended.err, ended.out)
