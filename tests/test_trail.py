"""Test the trail: which epochs are kept, whole or as a sketch, and that it is restored."""

from typing import Any

import numpy as np
import pytest
from conftest import read_mnist

from digitnet.dataset.definition import NON_DIGIT, Dataset
from digitnet.errors import CheckpointError
from digitnet.model.evaluation import evaluate_network
from digitnet.model.landscape import Landscape
from digitnet.network.network import Network
from digitnet.training import trail as trail_module
from digitnet.training.trail import Sample, Trail, draw_sample

SIZES = [784, 4, 10]
N = 3190  # parameters


@pytest.fixture(scope="module")
def examples() -> Dataset:
    images, labels = read_mnist("train", 300)
    labels = labels.astype(np.int64)
    labels[::10] = NON_DIGIT
    return Dataset(images, labels, tuple("0123456789"))


@pytest.fixture(scope="module")
def sample(examples: Dataset) -> Sample:
    return draw_sample(examples, np.arange(250), seed=1)


def network_after(epoch: int) -> Network:
    network = Network(SIZES)
    network.initialise(rng=np.random.default_rng(epoch))
    return network


def walk(trail: Trail, last: int) -> Trail:
    """Return the trail followed to the epoch `last`."""
    while trail.last < last:
        trail = trail.followed_by(network_after(trail.last + 1))
    return trail


def test_the_sample_is_of_different_training_pictures_with_labels(examples: Dataset) -> None:
    chosen = draw_sample(examples, np.repeat(np.arange(250), 3), seed=1)
    assert len(chosen.indices) == len(set(chosen.indices.tolist())) == 225
    assert chosen.indices.max() < 250
    assert (examples.labels[chosen.indices] != NON_DIGIT).all()
    again, other = (draw_sample(examples, np.arange(250), seed=seed) for seed in (1, 2))
    np.testing.assert_array_equal(chosen.indices, again.indices)
    assert (chosen.indices != other.indices).any()
    assert chosen.measured == 100


def test_the_sample_may_be_smaller_than_asked_for(examples: Dataset) -> None:
    few = draw_sample(examples, np.arange(8), seed=1)
    assert few.measured == len(few.indices) == 7
    assert few.minibatch(1000)[0].shape == (785, 7)


def test_measures_are_cost_and_accuracy(sample: Sample) -> None:
    network = network_after(1)
    evaluation = evaluate_network(network, [sample.minibatch(100)])
    assert sample.measure(network) == pytest.approx((evaluation.cost, evaluation.accuracy))


def test_a_cost_that_overflows_is_the_largest_number(sample: Sample) -> None:
    network = Network(SIZES, activation="relu", output="softmax", cost="cross_entropy")
    network.parameters[:] = 1e38
    assert sample.measure(network)[0] == np.finfo(np.float32).max


@pytest.mark.parametrize("size", [N, 100_000])
@pytest.mark.parametrize("draws_start", [True, False])
def test_kept_epochs_are_those_kept_before_or_the_last(
    sample: Sample, size: int, draws_start: bool
) -> None:
    before = Trail(sample, size, draws_start)
    assert before.epochs == before.whole_epochs == []
    for last in range(1500):
        now = Trail(sample, size, draws_start, last)
        assert set(now.epochs) <= {*before.epochs, last}
        assert set(now.whole_epochs) <= {*before.whole_epochs, last}
        assert {0, last} <= set(now.epochs)
        assert set(now.whole_epochs) <= set(now.epochs)
        assert len(now.epochs) <= 120
        before = now


def test_small_networks_keep_ever_rarer_epochs_whole(sample: Sample) -> None:
    assert Trail(sample, N, True, 60).whole_epochs == [0, 1, 2, 3, 4, 6, 9, 13, 19, 28, 42]
    assert len(Trail(sample, N, True, 1000).whole_epochs) <= 20


@pytest.mark.parametrize(
    ("last", "expected"),
    [(1, [1]), (2, [1]), (4, [1, 4]), (8, [4]), (27, [4, 16]), (60, [16]), (64, [16, 64])],
)
def test_large_networks_keep_one_or_two_epochs_in_the_middle_whole(
    sample: Sample, last: int, expected: list[int]
) -> None:
    assert Trail(sample, 50_000, True, last).whole_epochs == expected
    assert Trail(sample, 50_000, False, last).whole_epochs == [0, *expected]


def test_a_trail_keeps_what_its_epochs_say(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trail_module, "MAX_FINE", 4)
    trail = walk(Trail(sample, N, True), 11)
    assert trail.epochs == [0, 1, 2, 3, 4, 6, 8, 9, 11]
    assert trail.sketches.shape == (9, 1024)
    assert list(trail.snapshots) == [0, 1, 2, 3, 4, 6, 9]
    for epoch, snapshot in trail.snapshots.items():
        expected = network_after(epoch).parameters.astype(np.float16)
        np.testing.assert_array_equal(snapshot, expected)
    for k, epoch in enumerate(trail.epochs):
        measured = sample.measure(network_after(epoch))
        np.testing.assert_array_equal(trail.measures[k], np.array(measured, np.float32))


def test_parameters_too_large_for_float16_are_cut(sample: Sample) -> None:
    network = network_after(1)
    network.parameters[:2] = 1e6, -1e6
    snapshot = Trail(sample, N, True).followed_by(network).snapshots[0]
    assert snapshot[:2].tolist() == [65504, -65504]


def landscape_of(trail: Trail) -> Landscape:
    network = network_after(trail.last)
    *_, landscape = trail.survey(network, lambda: network_after(0), 1000)
    assert landscape is not None
    return landscape


@pytest.mark.parametrize("limit", [50_000, 1000])
@pytest.mark.parametrize("draws_start", [True, False])
def test_the_landscape_is_the_same_from_a_restored_trail(
    sample: Sample, monkeypatch: pytest.MonkeyPatch, limit: int, draws_start: bool
) -> None:
    monkeypatch.setattr(trail_module, "MAX_WHOLE", limit)
    empty = Trail(sample, N, draws_start)
    trail = walk(empty, 10)
    restored = empty.restored(walk(empty, 5).arrays(None), None, 5)
    assert restored is not None
    restored = walk(restored, 10)
    expected = landscape_of(trail)
    for value, wanted in zip(landscape_of(restored), expected, strict=True):
        np.testing.assert_array_equal(value, wanted)
    assert expected.epochs.tolist() == list(range(11))
    assert expected.snapshot_epochs.tolist() == ([0, 1, 2, 3, 4, 6, 9, 10] if limit > N else [])
    # a finished training goes on from what its landscape has
    finished = empty.restored(trail.arrays(expected), expected, 10)
    assert finished is not None
    assert finished.snapshots.keys() == trail.snapshots.keys()
    for epoch, snapshot in finished.snapshots.items():
        np.testing.assert_array_equal(snapshot, trail.snapshots[epoch])
    names = {name for name in trail.arrays(expected) if name.startswith("snapshot_")}
    assert bool(names) is (limit < N)


def test_an_older_checkpoint_has_no_trail(sample: Sample) -> None:
    assert Trail(sample, N, True).restored({"parameters": np.zeros(3)}, None, 5) is None


@pytest.mark.parametrize("name", ["sketches", "measures", "snapshot_3"])
@pytest.mark.parametrize("change", ["missing", "kind", "shape", "NaN"])
def test_a_trail_that_does_not_fit_is_refused(sample: Sample, name: str, change: str) -> None:
    arrays: dict[str, Any] = walk(Trail(sample, N, True), 5).arrays(None)
    array = arrays[name]
    if change == "missing":
        del arrays[name]
        if name == "sketches":
            return
    elif change == "kind":
        arrays[name] = array.astype(np.float64)
    elif change == "shape":
        arrays[name] = array[1:]
    else:
        arrays[name] = np.full_like(array, np.nan)
    with pytest.raises(CheckpointError, match=f"state_{name}: expected"):
        Trail(sample, N, True).restored(arrays, None, 5)
