"""The description of a model: the same keys for every file, and only values that JSON can hold."""

import json
import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import digitnet
from digitnet.model.checkpoint import Checkpoint, load_checkpoint
from digitnet.model.description import describe
from digitnet.model.locations import SHIPPED
from digitnet.network.network import Network

CONFIG = {"network": {"layer_sizes": [784, 3]}, "cost": "quadratic"}
NETWORK = Network([784, 3])
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.floats()
    | st.integers()
    | st.just(10**400)
    | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)
RECORDS = VALUES | st.fixed_dictionaries(
    {},
    optional={
        "seconds": VALUES,
        "validation": VALUES | st.dictionaries(st.sampled_from(["accuracy", "cost"]), VALUES),
    },
)


def described(**changes: Any) -> dict[str, Any]:
    """Describe a small model; check that strict JSON can hold the description."""
    checkpoint = Checkpoint(NETWORK, CONFIG, ("0", "07", "x"), "/digits", "abc", [])
    description = describe(replace(checkpoint, **changes))
    assert json.loads(json.dumps(description, allow_nan=False)) == description
    return description


def epoch(accuracy: float, cost: float, seconds: float = 1.5) -> dict[str, Any]:
    return {"seconds": seconds, "validation": {"accuracy": accuracy, "cost": cost}}


def test_the_network_is_described() -> None:
    about = described()
    assert (about["layer_sizes"], about["parameters"]) == ([784, 3], 2355)
    assert (about["activation"], about["output"], about["cost"]) == (
        *("sigmoid", "sigmoid"),
        "quadratic",
    )
    assert about["classes"] == [0, 7, "x"]


def test_data_are_paths_and_a_hash() -> None:
    assert described()["data"] == {"paths": ["/digits"], "hash": "abc"}
    assert described(data_path=("/a", "/b", "/b"))["data"]["paths"] == ["/a", "/b", "/b"]


def test_version_time_and_start_are_those_of_the_checkpoint() -> None:
    start = {"path": "/a.npz", "sha256": "ab", "other": math.nan}
    about = described(version="9", created="2026-11-30T08:00:00Z", start=start)
    assert (about["version"], about["created"]) == ("9", "2026-11-30T08:00:00Z")
    assert about["start"] == {"path": "/a.npz", "sha256": "ab"}
    assert (described()["version"], described()["start"]) == (digitnet.__version__, None)


def test_the_best_epoch_is_that_whose_model_is_kept() -> None:
    history = [epoch(0.5, 0.1), epoch(0.9, 0.3), epoch(0.9, 0.2), epoch(0.9, 0.2), epoch(0.8, 0.1)]
    about = described(history=history)
    assert about["validation"] == {"epoch": 3, "accuracy": 0.9, "cost": 0.2}
    assert (about["epochs"], about["seconds"]) == (5, 7.5)


def test_figures_that_are_not_there_are_none() -> None:
    about = described(history=[{"validation": None, "seconds": 1}, {"validation": None}])
    assert (about["epochs"], about["seconds"], about["validation"]) == (2, None, None)
    assert described(history=[epoch(0.1, math.nan)])["validation"]["cost"] is None
    assert described(history=[epoch(1, 1, 1e308)] * 2)["seconds"] is None


@pytest.mark.parametrize(("state", "expected"), [({}, False), ({"place": None}, True)])
def test_a_state_can_be_resumed(state: dict[str, Any], expected: bool) -> None:
    assert described(state=state)["can_resume"] is expected


@given(history=st.lists(RECORDS, max_size=3))
def test_any_history_is_described(history: list[Any]) -> None:
    assert described(history=history).keys() == described().keys()


def test_the_shipped_model_is_described() -> None:
    about = describe(load_checkpoint(SHIPPED, with_state=True, hashed=True))
    assert about["classes"] == list(range(10))
    assert about["validation"]["accuracy"] > 0.98
    assert len(about["model_sha256"]) == 64
    assert not about["can_resume"]
