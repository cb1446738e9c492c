"""Training: same bits for the same seed, also when resumed; refused states; correct figures."""

import itertools
import math
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from conftest import read_mnist, write_idx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from digitnet.config.definition import Config, DataSection
from digitnet.config.reader import to_config
from digitnet.dataset.definition import NON_DIGIT
from digitnet.dataset.minibatches import Minibatches
from digitnet.errors import CheckpointError, ConfigError, DataError, DigitnetError, TrainingError
from digitnet.model.calibration import fit_temperature
from digitnet.model.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from digitnet.model.evaluation import evaluate_network
from digitnet.network.network import Network
from digitnet.training.loop import Progress, train
from digitnet.training.resumption import resume
from digitnet.training.setup import begin
from digitnet.training.state import (
    Position,
    Record,
    TrainingMeasure,
    TrainingState,
    ValidationMeasure,
    make_network,
)

N, HELD_OUT = 120, 37  # 83 training images: 8 minibatches of 10, the last of 3
STEPS = 9
PLAIN = {"name": "sgd", "learning_rate": 0.3}
MOMENTUM = {"name": "sgd", "learning_rate": 0.05, "momentum": 0.8}
NESTEROV = MOMENTUM | {"nesterov": True}
ELASTIC = {"augment": {"rotation": 10, "shift": 1, "elastic": 30}}
NO_PROGRESS = {"name": "sgd", "learning_rate": 1e-30}
REGULARISED: list[dict[str, Any]] = [
    {"optimizer": {"name": "adam"}, "l2": 0.01},
    {"optimizer": {"name": "adamw", "learning_rate": 0.01}, "l2": 0.1},
    {"dropout": 0.3},
    {"batch_norm": True, "activation": "relu"},
    {"background": 0.3},
    {"drawn": 0.2, "background": 0.1},
]
FADING = {"augment": ELASTIC["augment"] | {"final": 0.3}}
COSINE = {"schedule": {"name": "cosine", "warmup": 0.2}}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of IDX files with a few digits, all different."""
    folder = tmp_path_factory.mktemp("few")
    images, labels = read_mnist("train", N)
    assert len({image.tobytes() for image in images}) == N
    write_idx(folder / "train-images-idx3-ubyte", images)
    write_idx(folder / "train-labels-idx1-ubyte", labels)
    return folder


@pytest.fixture(autouse=True)
def coarse_landscape(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the grid of the landscape coarse, which takes longer than these trainings."""
    monkeypatch.setattr("digitnet.model.survey.SIDES", (9, 9, 9))


def make(data: Path, **settings: Any) -> Config:
    """Return the config of a small network; other settings than these belong to `training`."""
    values: dict[str, Any] = {
        "data": {"path": str(data), "validation": settings.pop("validation", HELD_OUT)},
        "network": {
            "layer_sizes": settings.pop("layer_sizes", [784, 8, 10]),
            "output": settings.pop("output", "softmax"),
            "activation": settings.pop("activation", "sigmoid"),
        },
        "cost": settings.pop("cost", "cross_entropy"),
        "augment": settings.pop("augment", {}),
        "seed": settings.pop("seed", 1),
        "model": settings.pop("model", "/unused.npz"),
        "training": {"epochs": 3, "optimizer": PLAIN} | settings,
    }
    return to_config(values)


def last(training: Iterator[Progress]) -> TrainingState:
    """Return the state at the end of a training."""
    *_, progress = training
    return progress.state


UNINTERRUPTED: dict[bytes, TrainingState] = {}  # by config, of trainings that yield at every step


def uninterrupted(config: Config) -> TrainingState:
    """Return the state at the end of a training that yields at every step, trained only once."""
    key = msgspec.json.encode(config)
    if key not in UNINTERRUPTED:
        UNINTERRUPTED[key] = last(train(config))
    return UNINTERRUPTED[key]


def history(state: TrainingState) -> list[tuple[Any, ...]]:
    """Return the figures of all epochs without timings."""
    return [(record.epoch, record.training, record.validation) for record in state.history]


def assert_same(one: TrainingState, other: TrainingState) -> None:
    """Check that all arrays have the same bits, and the histories the same figures."""
    assert (one.network.parameters == other.network.parameters).all()
    models = [state.checkpoint().network.parameters for state in (one, other)]
    assert (models[0] == models[1]).all()
    saved, expected = (
        {name: array for name, array in state.checkpoint().state.items() if name != "place"}
        for state in (one, other)
    )
    assert saved.keys() == expected.keys()
    for name, array in saved.items():
        np.testing.assert_array_equal(array, expected[name])
    assert one.calibration == other.calibration
    assert (one.landscape is None) == (other.landscape is None)
    for value, wanted in zip(one.landscape or (), other.landscape or (), strict=True):
        np.testing.assert_array_equal(value, wanted)
    assert history(one) == history(other)
    assert (one.position.epoch, one.position.step) == (other.position.epoch, other.position.step)


@pytest.fixture
def every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make training yield after each step."""
    monkeypatch.setattr("digitnet.training.loop.YIELD_SECONDS", -1)
    monkeypatch.setattr("digitnet.dataset.minibatches.BLOCK", 1)


class Spy:
    """Records the pixels, labels and cost of each step of backprop."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.steps: list[tuple[np.ndarray, np.ndarray, float]] = []
        backprop = Network.backprop

        def spy(network: Network, x: Any, y: Any, *others: Any) -> Any:
            pixels = x[:-1].T.copy()
            self.steps.append((pixels, y.T.copy(), cost_in_float64(network, pixels, y.T)))
            return backprop(network, x, y, *others)

        monkeypatch.setattr(Network, "backprop", spy)

    def images(self, steps: slice = slice(None)) -> list[bytes]:
        """Return the images used for training, as bytes."""
        rows = np.concatenate([x for x, _, _ in self.steps[steps]])
        return [row.tobytes() for row in np.rint(rows * 255).astype(np.uint8)]


def cost_in_float64(network: Network, x: np.ndarray, y: np.ndarray) -> float:
    """Return the sum of -ln(softmax output of the true class) over the examples."""
    W1, W2 = (W.astype(np.float64) for W in network.weights)
    hidden = 1 / (1 + np.exp(-(x.astype(np.float64) @ W1.T + network.biases[0])))
    z = hidden @ W2.T + network.biases[1]
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    return float(-np.log(p[np.arange(len(y)), y.argmax(axis=1)]).sum())


# Same seed, same bits


@pytest.mark.parametrize(
    "optimizer", [PLAIN, MOMENTUM, NESTEROV], ids=["sgd", "polyak", "nesterov"]
)
def test_the_same_seed_gives_the_same_bits(data: Path, optimizer: dict[str, Any]) -> None:
    config = make(data, optimizer=optimizer)
    assert_same(last(train(config)), last(train(config)))


def test_yields_do_not_change_the_result(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected_state = last(train(make(data)))
    monkeypatch.setattr("digitnet.training.loop.YIELD_SECONDS", -1)
    monkeypatch.setattr("digitnet.dataset.minibatches.BLOCK", 1)
    assert_same(last(train(make(data))), expected_state)


def test_another_seed_gives_another_network(data: Path) -> None:
    one, two = (last(train(make(data, seed=seed, epochs=1))) for seed in (1, 2))
    assert (one.network.parameters != two.network.parameters).any()


def test_another_seed_gives_other_parameters_and_validation_images(data: Path) -> None:
    one, two = begin(make(data, seed=1)), begin(make(data, seed=2))
    assert (one.network.parameters != two.network.parameters).any()
    assert set(one.validation_indices) != set(two.validation_indices)


def test_training_does_not_use_numpys_global_generator(data: Path) -> None:
    np.random.seed(5)
    before = np.random.get_state()[1].tobytes()
    last(train(make(data, epochs=1)))
    assert np.random.get_state()[1].tobytes() == before


# Stopped and resumed


def train_with_stops(config: Config, stops: list[int], path: Path) -> TrainingState:
    """Train, but stop, save, load and resume after each number of yields; return the end state."""
    state = None
    for stop in stops:
        progress = next(itertools.islice(train(config, state), stop, None))
        save_checkpoint(str(path), progress.state.checkpoint())
        state = resume(config, load_checkpoint(path, with_state=True))
        assert_same(progress.state, state)
    return last(train(config, state))


@pytest.mark.parametrize(
    "optimizer", [PLAIN, MOMENTUM, NESTEROV], ids=["sgd", "polyak", "nesterov"]
)
@pytest.mark.parametrize("stop", [0, 1, 5, STEPS - 1, STEPS, STEPS + 1, 2 * STEPS + 4, 3 * STEPS])
@pytest.mark.usefixtures("every_step")
def test_a_training_resumed_at_any_step_ends_the_same(
    data: Path, tmp_path: Path, optimizer: dict[str, Any], stop: int
) -> None:
    config = make(data, optimizer=optimizer)
    assert_same(train_with_stops(config, [stop], tmp_path / "m.npz"), uninterrupted(config))


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(stops=st.lists(st.integers(0, 10), max_size=3))
@pytest.mark.usefixtures("every_step")
def test_a_training_resumed_several_times_ends_the_same(
    data: Path, tmp_path: Path, stops: list[int]
) -> None:
    config = make(data, optimizer=NESTEROV, epochs=4, l2=1e-3)
    assert_same(train_with_stops(config, stops, tmp_path / "m.npz"), uninterrupted(config))


@pytest.mark.usefixtures("every_step")
def test_a_training_without_validation_resumes_the_same(data: Path, tmp_path: Path) -> None:
    config = make(data, validation=0)
    assert_same(train_with_stops(config, [15], tmp_path / "m.npz"), last(train(config)))


@pytest.mark.parametrize("settings", [ELASTIC, FADING, COSINE, ELASTIC | COSINE | {"threads": 2}])
@pytest.mark.parametrize("stop", [1, 8, STEPS + 1])
@pytest.mark.usefixtures("every_step")
def test_distortions_and_schedules_resume_the_same(
    data: Path, tmp_path: Path, settings: dict[str, Any], stop: int
) -> None:
    config = make(data, **settings)
    expected = uninterrupted(config)
    assert_same(train_with_stops(config, [stop], tmp_path / "m.npz"), expected)
    plain = uninterrupted(make(data))
    assert (expected.network.parameters != plain.network.parameters).any()


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("settings", REGULARISED, ids="-".join)
@pytest.mark.usefixtures("every_step")
def test_every_optimizer_and_regulariser_resumes_the_same(
    data: Path, tmp_path: Path, settings: dict[str, Any], threads: int
) -> None:
    config = make(data, **settings, threads=threads)
    expected = uninterrupted(config)
    for stop in (1, 8, STEPS + 1, 2 * STEPS) if threads == 1 else (STEPS + 1,):
        assert_same(train_with_stops(config, [stop], tmp_path / f"{stop}.npz"), expected)
    assert (expected.best != uninterrupted(make(data, threads=threads)).best).any()


@pytest.mark.parametrize("settings", [*REGULARISED, COSINE, FADING], ids="-".join)
def test_yields_do_not_change_the_result_of_any_method(
    data: Path, settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    states = []
    for seconds, block in ((-1, 30), (1e9, 256)):
        monkeypatch.setattr("digitnet.training.loop.YIELD_SECONDS", seconds)
        monkeypatch.setattr("digitnet.dataset.minibatches.BLOCK", block)
        states.append(last(train(make(data, **settings))))
    assert_same(*states)


@pytest.mark.parametrize("name", ["batch_variance", "squares"])
def test_negative_squares_and_variances_are_refused(data: Path, name: str) -> None:
    config = make(data, epochs=1, batch_norm=True, optimizer={"name": "adam"})
    checkpoint = last(train(config)).checkpoint()
    checkpoint.state[name][0] = -1
    with pytest.raises(CheckpointError, match=f"state_{name}: expected no negative numbers"):
        resume(config, checkpoint)


def test_the_saved_network_needs_no_regularisers(data: Path) -> None:
    """The record's figures are the folded network's; without folding the cost is higher."""
    state = last(train(make(data, epochs=12, batch_norm=True, dropout=0.2, activation="relu")))
    saved = state.checkpoint().network
    examples = Minibatches(state.data.training, 1000)(state.validation_indices)
    assert state.best_record
    assert state.best_record.validation
    assert evaluate_network(saved, examples).accuracy == state.best_record.validation.accuracy
    examples = Minibatches(state.data.training, 1000)(state.validation_indices)
    assert evaluate_network(state.network, examples).cost > state.best_record.validation.cost + 0.1


@pytest.mark.parametrize("settings", [{"batch_norm": True}, {"dropout": 0.3}], ids="-".join)
def test_the_best_parameters_have_regularisers_folded_in(
    data: Path, settings: dict[str, Any]
) -> None:
    state = last(train(make(data, epochs=1, validation=0, **settings)))
    folded = make_network(state.config)
    folded.parameters[:] = state.network.parameters
    state.regularisers.fold(folded.matrices)
    np.testing.assert_array_equal(state.best, folded.parameters)
    assert (state.best != state.network.parameters).any()


@pytest.mark.usefixtures("every_step")
def test_a_checkpoint_within_the_first_epoch_has_regularisers_folded_in(data: Path) -> None:
    *_, progress = itertools.islice(train(make(data, batch_norm=True)), 3)
    state = progress.state
    assert not state.history
    saved = state.checkpoint().network.parameters
    np.testing.assert_array_equal(saved, state.current_network().parameters)
    assert (saved != state.network.parameters).any()


def test_each_step_has_its_own_learning_rate_factor(data: Path) -> None:
    state = begin(make(data, epochs=2, schedule={"name": "cosine", "final": 0}))
    angle = math.pi / (2 * STEPS)
    assert state.rates(1, 0, 2) == pytest.approx([1, (1 + math.cos(angle)) / 2])
    assert state.rates(2, STEPS - 1, 1) == pytest.approx([(1 - math.cos(angle)) / 2])


def test_synthetic_non_digits_are_training_images_only(data: Path) -> None:
    state = begin(make(data, background=0.5))
    assert len(state.train_indices) == N - HELD_OUT + round((N - HELD_OUT) / 2)
    assert (state.examples.labels[state.train_indices] == NON_DIGIT).sum() == 42
    assert (state.examples.labels[state.validation_indices] != NON_DIGIT).all()
    plain = begin(make(data))
    np.testing.assert_array_equal(state.validation_indices, plain.validation_indices)
    np.testing.assert_array_equal(state.train_indices[: N - HELD_OUT], plain.train_indices)


def test_synthetic_digits_are_training_images_only(data: Path) -> None:
    state = begin(make(data, drawn=0.5, background=0.25))
    synthetic = state.train_indices[N - HELD_OUT :]
    assert (state.examples.labels[synthetic] >= 0).sum() == round((N - HELD_OUT) / 2)
    assert (state.examples.labels[synthetic] == NON_DIGIT).sum() == round((N - HELD_OUT) / 4)
    assert state.validation_indices.max() < N
    other = begin(msgspec.structs.replace(make(data, drawn=0.5), seed=2))
    assert (other.examples.images[N:] != state.examples.images[N : len(other.examples)]).any()


def test_synthetic_digits_are_refused_for_other_classes(tmp_path: Path) -> None:
    for number, digit in enumerate(read_mnist("train", 6)[0]):
        folder = tmp_path / "ab"[number % 2]
        folder.mkdir(exist_ok=True)
        Image.fromarray(digit).save(folder / f"{number}.png")
    config = make(tmp_path, drawn=0.5, layer_sizes=[784, 2], validation=0)
    with pytest.raises(ConfigError, match=r"training\.drawn: expected 0 for other classes"):
        begin(config)


def test_an_entry_listed_twice_trains_twice_and_validates_once(data: Path) -> None:
    config = make(data)
    paths = str(data), str(data)
    state = begin(msgspec.structs.replace(config, data=DataSection(path=paths, validation=10)))
    assert len(state.examples) == N
    assert np.bincount(state.train_indices, minlength=N).max() == 2
    assert not set(state.train_indices) & set(state.validation_indices)
    assert sorted({*state.train_indices, *state.validation_indices}) == list(range(N))


@pytest.mark.parametrize("size", [N - 20, N - 10, N + 1, 2 * N - 21, 2 * N, 10_000])
def test_every_repeated_example_is_used_for_any_minibatch_size(
    data: Path, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    spy = Spy(monkeypatch)
    config = make(data, epochs=1, minibatch_size=size, threads=1)
    paths = str(data), str(data)
    config = msgspec.structs.replace(config, data=DataSection(path=paths, validation=10))
    state = last(train(config))
    count = 2 * (N - 10)
    assert len(spy.steps) == math.ceil(count / size)
    assert len(spy.steps[0][0]) == min(size, count)
    assert len(spy.images()) == count
    costs = [cost for _, _, cost in spy.steps]
    assert state.history[0].training.cost == pytest.approx(sum(costs) / count, rel=1e-5)


def test_training_stops_when_patience_runs_out(data: Path) -> None:
    config = make(data, epochs=50, patience=3, optimizer=NO_PROGRESS)
    state = last(train(config))
    assert len(state.history) == 4  # the first epoch stays the best
    assert state.best_record == state.history[0]
    more = resume(make(data, epochs=50, patience=5, optimizer=NO_PROGRESS), state.checkpoint())
    assert len(last(train(config, more)).history) == 6


def test_patience_needs_validation_images(data: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        begin(make(data, patience=3, validation=0))
    assert caught.value.key == "training.patience"


@pytest.mark.parametrize("schedule", [COSINE["schedule"], {"warmup": 0.2}])
def test_more_epochs_are_refused_with_a_schedule(data: Path, schedule: dict[str, Any]) -> None:
    short = last(train(make(data, epochs=1, schedule=schedule)))
    with pytest.raises(ConfigError) as caught:
        resume(make(data, epochs=2, schedule=schedule), short.checkpoint())
    assert caught.value.key == "training.epochs"


def test_images_are_distorted_anew_in_each_epoch_for_any_number_of_threads(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    for threads in (1, 2):
        spy = Spy(monkeypatch)
        last(train(make(data, **ELASTIC, epochs=2, threads=threads)))
        monkeypatch.undo()
        seen.append(spy.images())
    one, two = seen
    assert set(one) == set(two)
    assert len(set(one)) == 2 * (N - HELD_OUT)


def test_distortions_fade(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With final 0, the images of the last epoch are not distorted."""
    spy = Spy(monkeypatch)
    last(train(make(data, augment=ELASTIC["augment"] | {"final": 0}, epochs=3)))
    monkeypatch.undo()
    images, n = spy.images(), N - HELD_OUT
    undistorted = Spy(monkeypatch)
    last(train(make(data, epochs=1)))
    originals = set(undistorted.images())
    for epoch, known in enumerate((0, 0, n)):
        assert len(originals & set(images[epoch * n : (epoch + 1) * n])) == known


def test_final_has_no_effect_without_distortions(data: Path) -> None:
    config = make(data, epochs=1, augment={"final": 0.3})
    longer = make(data, epochs=2, augment={"final": 0.3})
    assert len(last(train(longer, resume(longer, last(train(config)).checkpoint()))).history) == 2


def test_more_epochs_are_refused_if_distortions_fade(data: Path) -> None:
    short = last(train(make(data, epochs=1, **FADING)))
    with pytest.raises(ConfigError) as caught:
        resume(make(data, epochs=2, **FADING), short.checkpoint())
    assert caught.value.key == "training.epochs"


def test_a_schedule_makes_the_last_steps_small(data: Path) -> None:
    """If the factor falls to 0, the last epoch changes the parameters less than the first."""
    changes = []
    states = train(make(data, epochs=6, schedule={"name": "cosine", "final": 0.0}))
    before = next(states).state.network.parameters.copy()
    for progress in states:
        if progress.record:
            after = progress.state.network.parameters
            changes.append(np.abs(after - before).max())
            before = after.copy()
    assert changes[-1] < 0.3 * changes[0]


def test_a_finished_training_can_resume_with_more_epochs(data: Path) -> None:
    short = last(train(make(data, epochs=2)))
    longer = resume(make(data, epochs=4), short.checkpoint())
    assert_same(last(train(make(data, epochs=4), longer)), last(train(make(data, epochs=4))))


def test_a_finished_training_yields_once_and_changes_nothing(data: Path) -> None:
    config = make(data, epochs=1)
    state = resume(config, last(train(config)).checkpoint())
    before = state.network.parameters.copy()
    assert len(list(train(config, state))) == 1
    assert (state.network.parameters == before).all()


def test_the_checkpoint_holds_the_best_and_the_last_parameters(data: Path) -> None:
    state = last(train(make(data, optimizer={"name": "sgd", "learning_rate": 5.0}, epochs=6)))
    checkpoint = state.checkpoint()
    assert (checkpoint.network.parameters == state.best).all()
    assert (checkpoint.state["parameters"] == state.network.parameters).all()
    assert (state.best != state.network.parameters).any()


def test_a_checkpoint_within_the_first_epoch_holds_the_current_parameters(data: Path) -> None:
    state = next(train(make(data))).state
    assert (state.checkpoint().network.parameters == state.network.parameters).all()


CHANGES = [
    ("seed", {"seed": 2}),
    ("cost", {"cost": "quadratic"}),
    ("data.validation", {"validation": 30}),
    ("network.layer_sizes", {"layer_sizes": [784, 9, 10]}),
    ("network.activation", {"activation": "tanh"}),
    ("network.output", {"output": "sigmoid"}),
    ("training.minibatch_size", {"minibatch_size": 20}),
    ("training.l2", {"l2": 0.1}),
    ("training.schedule.name", {"schedule": {"name": "cosine"}}),
    ("augment.rotation", {"augment": {"rotation": 5}}),
    ("training.optimizer.learning_rate", {"optimizer": PLAIN | {"learning_rate": 0.2}}),
    ("training.optimizer.momentum", {"optimizer": PLAIN | {"momentum": 0.5}}),
    ("training.optimizer.nesterov", {"optimizer": NESTEROV}),
]


@pytest.mark.parametrize(("key", "change"), CHANGES, ids=[key for key, _ in CHANGES])
def test_a_changed_key_is_refused_by_name(data: Path, key: str, change: dict[str, Any]) -> None:
    started = MOMENTUM if key == "training.optimizer.nesterov" else PLAIN
    checkpoint = begin(make(data, optimizer=started)).checkpoint()
    with pytest.raises(ConfigError, match="as in the checkpoint to resume") as caught:
        resume(make(data, **{"optimizer": started} | change), checkpoint)
    assert caught.value.key == key


def test_threads_and_the_path_of_the_model_may_change(data: Path) -> None:
    checkpoint = begin(make(data)).checkpoint()
    config = make(data, threads=2, model="/elsewhere.npz")
    assert resume(config, checkpoint).config.model == "/elsewhere.npz"


def test_checkpoint_seconds_and_max_minutes_may_change(data: Path) -> None:
    checkpoint = begin(make(data)).checkpoint()
    config = make(data, checkpoint_seconds=3.0, max_minutes=2.0)
    assert resume(config, checkpoint).config.training.max_minutes == 2


def test_auto_keeps_the_number_of_threads_of_a_resumed_training(data: Path) -> None:
    checkpoint = begin(make(data, threads=3)).checkpoint()
    assert resume(make(data, threads="auto"), checkpoint).config.training.threads == 3
    assert resume(make(data, threads=2), checkpoint).config.training.threads == 2


@pytest.mark.parametrize(("shards", "threads"), [(1, 4), (2, 1)])
def test_auto_is_one_thread_with_several_shards(
    data: Path, monkeypatch: pytest.MonkeyPatch, shards: int, threads: int
) -> None:
    monkeypatch.setattr("digitnet.config.threads.environment_threads", lambda: 4)
    config = make(data, minibatch_size=100_000, shards=shards, threads="auto")
    assert begin(config).config.training.threads == threads


def test_more_threads_than_examples_in_a_minibatch_are_allowed(data: Path) -> None:
    state = last(train(make(data, threads=50, minibatch_size=4, epochs=1)))
    assert len(state.history) == 1


def test_a_fraction_may_replace_the_same_count(data: Path) -> None:
    checkpoint = begin(make(data, validation=30)).checkpoint()
    assert len(resume(make(data, validation=0.25), checkpoint).validation_indices) == 30


def test_a_training_that_used_validation_images_is_refused(tmp_path: Path) -> None:
    images, labels = read_mnist("train", 60)
    write_idx(tmp_path / "train-images-idx3-ubyte", np.concatenate([images, images]))
    write_idx(tmp_path / "train-labels-idx1-ubyte", np.concatenate([labels, labels]))
    config = make(tmp_path)
    checkpoint = next(train(config)).state.checkpoint()
    assert resume(config, checkpoint)
    with pytest.raises(
        CheckpointError,
        match="of an earlier digitnet that mixed them; train",
    ):
        resume(config, replace(checkpoint, data_sources=()))


def test_the_data_may_have_moved(data: Path, tmp_path: Path) -> None:
    checkpoint = begin(make(data)).checkpoint()
    moved = Path(shutil.copytree(data, tmp_path / "moved"))
    assert resume(make(moved), checkpoint).config.data.path == str(moved)


@pytest.mark.parametrize("name", ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"])
def test_other_data_are_refused(data: Path, tmp_path: Path, name: str) -> None:
    checkpoint = begin(make(data)).checkpoint()
    other = Path(shutil.copytree(data, tmp_path / "other"))
    contents = bytearray((other / name).read_bytes())
    contents[-400 if "images" in name else -1] ^= 1
    (other / name).write_bytes(contents)
    with pytest.raises(ConfigError, match="found other pictures or labels") as caught:
        resume(make(other), checkpoint)
    assert caught.value.key == "data.path"


# Invalid states

BAD_STATES: dict[str, dict[str, Any]] = {
    "no state": {"parameters": None, "place": None},
    "no parameters": {"parameters": None},
    "no velocity": {"velocity": None},
    "short parameters": {"parameters": np.zeros(3, np.float32)},
    "float64 parameters": {"parameters": lambda array: array.astype(np.float64)},
    "parameters that are not finite": {"parameters": lambda array: array * np.float32(np.nan)},
    "velocity that is not finite": {"velocity": lambda array: array + np.float32(np.inf)},
    "no place": {"place": None},
    "a place that is not JSON": {"place": np.array("here")},
    "a place that is a list": {"place": np.array("[1, 2]")},
    "a place that is a number": {"place": np.float64(3)},
    "a place beyond the epoch": {"place": np.array('{"epoch": 1, "step": 9}')},
    "a place at the end of an epoch that took no time": {
        "place": np.array(f'{{"epoch": 1, "step": {STEPS}}}')
    },
    "a place before the epoch": {"place": np.array('{"epoch": 1, "step": -1}')},
    "a place in an epoch without history": {"place": np.array('{"epoch": 2, "step": 0}')},
    "a place before the first epoch": {"place": np.array('{"epoch": 0, "step": 0}')},
    "a place with an infinite cost": {"place": np.array('{"cost_sum": 1e999}')},
    "no sketches": {"sketches": lambda array: array[1:]},
    "measures that are not finite": {"measures": lambda array: array + np.float32(np.nan)},
    "no snapshot": {"snapshot_0": None},
    "a place with a lone surrogate": {"place": np.array('"\ud800"')},
    "a place with an invalid code point": {"place": np.frombuffer(b"\xff" * 4, "<U1").reshape(())},
}


@pytest.mark.parametrize("kind", BAD_STATES)
def test_a_state_that_does_not_fit_is_refused(data: Path, tmp_path: Path, kind: str) -> None:
    config = make(data, optimizer=MOMENTUM)
    checkpoint = begin(config).checkpoint()
    state = dict(checkpoint.state)
    for name, value in BAD_STATES[kind].items():
        state[name] = value(state[name]) if callable(value) else value
    state = {name: array for name, array in state.items() if array is not None}
    path = str(tmp_path / "m.npz")
    save_checkpoint(path, replace(checkpoint, state=state))
    with pytest.raises(CheckpointError, match="state_"):
        resume(config, load_checkpoint(path, with_state=True))


@pytest.mark.parametrize(
    "records", [[5], ["x"], [{}], [{"epoch": "one"}], [None], [{"epoch": 1, "training": {}}]]
)
def test_an_invalid_history_is_refused(data: Path, records: list[Any]) -> None:
    checkpoint = replace(begin(make(data)).checkpoint(), history=records)
    with pytest.raises(CheckpointError):
        resume(make(data), checkpoint)


@pytest.mark.parametrize("values", [{}, {"training": 5}, {"data": {"validation": "all"}}])
def test_an_invalid_config_is_refused(data: Path, values: dict[str, Any]) -> None:
    checkpoint = replace(begin(make(data)).checkpoint(), config=values)
    with pytest.raises(DigitnetError):
        resume(make(data), checkpoint)


# The landscape


def test_a_finished_training_has_a_landscape(data: Path) -> None:
    *before, end = train(make(data))
    assert before[0].state.landscape is not None  # the state is the same
    landscape = end.state.landscape
    assert landscape is not None
    assert landscape.epochs.tolist() == landscape.snapshot_epochs.tolist() == [0, 1, 2, 3]
    assert landscape.costs[0] > landscape.costs[-1]
    assert landscape.accuracies[0] < landscape.accuracies[-1]
    first, final = begin(make(data)).network.parameters, end.state.network.parameters
    np.testing.assert_array_equal(landscape.snapshots[0], first.astype(np.float16))
    np.testing.assert_array_equal(landscape.snapshots[-1], final.astype(np.float16))


@pytest.mark.parametrize("settings", [{}, *REGULARISED[2:4]], ids="-".join)
def test_the_landscape_changes_no_other_bit(data: Path, settings: dict[str, Any]) -> None:
    one, other = (last(train(make(data, landscape=kept, **settings))) for kept in (True, False))
    assert other.landscape is other.trail is None
    assert (one.network.parameters == other.network.parameters).all()
    assert (one.best == other.best).all()
    assert history(one) == history(other)


@pytest.mark.parametrize("limit", [50_000, 100], ids=["small", "large"])
@pytest.mark.parametrize("settings", [{}, {"dropout": 0.3, "batch_norm": True}], ids="-".join)
@pytest.mark.usefixtures("every_step")
def test_a_training_stopped_at_its_end_makes_the_same_landscape(
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    limit: int,
    settings: dict[str, Any],
) -> None:
    monkeypatch.setattr("digitnet.training.trail.MAX_WHOLE", limit)
    config = make(data, **settings)
    *progress, end = train(config)
    assert end.state.landscape is not None
    assert (len(end.state.landscape.snapshots) == 0) is (limit == 100)
    for stop in (len(progress) - 60, len(progress) - 1):
        ended = train_with_stops(config, [2 * STEPS, stop - 2 * STEPS], tmp_path / "m.npz")
        assert_same(ended, end.state)


@pytest.mark.parametrize("limit", [50_000, 100], ids=["small", "large"])
def test_more_epochs_make_the_landscape_anew(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    monkeypatch.setattr("digitnet.training.trail.MAX_WHOLE", limit)
    path = str(tmp_path / "m.npz")
    save_checkpoint(path, last(train(make(data, epochs=3))).checkpoint())
    finished = resume(make(data, epochs=3), load_checkpoint(path, with_state=True))
    assert finished.landscape is not None
    more = resume(make(data, epochs=7), load_checkpoint(path, with_state=True))
    assert more.landscape is None
    assert_same(last(train(make(data, epochs=7), more)), last(train(make(data, epochs=7))))


def test_the_landscape_of_a_training_from_a_model_starts_there(data: Path, tmp_path: Path) -> None:
    path = str(tmp_path / "start.npz")
    start = last(train(make(data))).checkpoint()
    save_checkpoint(path, start)
    values = {"data": {"path": str(data), "validation": HELD_OUT}, "start": path}
    config = to_config(values | {"model": "/unused.npz", "training": {"epochs": 2}})
    found = last(train(config)).landscape
    assert found is not None
    np.testing.assert_array_equal(found.snapshots[0], start.network.parameters.astype(np.float16))


def test_a_training_of_an_older_digitnet_goes_on_without_a_landscape(data: Path) -> None:
    checkpoint = last(train(make(data, epochs=1))).checkpoint()
    state = {name: checkpoint.state[name] for name in ("place", "parameters")}
    older = replace(checkpoint, state=state, landscape=None)
    state = last(train(make(data), resume(make(data), older)))
    assert state.landscape is state.trail is None
    assert len(state.history) == 3


def test_an_epoch_is_too_short_a_path_for_a_landscape(data: Path) -> None:
    assert last(train(make(data, epochs=1))).landscape is None


# Figures


def test_training_yields_before_the_first_step(data: Path) -> None:
    progress = next(train(make(data)))
    assert (progress.state.position.epoch, progress.state.position.step) == (1, 0)
    assert progress.cost is None
    assert progress.record is None


@pytest.mark.usefixtures("every_step")
def test_each_epoch_ends_with_one_record(data: Path) -> None:
    progress = list(train(make(data, landscape=False)))
    records = [p.record for p in progress if p.record]
    assert [record.epoch for record in records] == [1, 2, 3]
    assert records == progress[-1].state.history
    assert len(progress) == 1 + 3 * (STEPS + 1)  # each epoch yields once more while validating


@pytest.mark.usefixtures("every_step")
def test_the_state_is_complete_at_every_yield(data: Path) -> None:
    positions, grid = [], 0
    for p in train(make(data, epochs=2)):
        positions.append((p.state.position.epoch, p.state.position.step))
        grid = p.state.landscape.grid.size if p.state.landscape else 0
    expected = [(epoch, step) for epoch in (1, 2) for step in range(STEPS + 1)]
    landscape = [(2, STEPS)] * (2 + grid + 1)
    assert positions == [*expected, *landscape, (3, 0)]


def test_every_example_is_used_once_in_each_epoch(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spy = Spy(monkeypatch)
    state = last(train(make(data, epochs=2)))
    expected = sorted(state.data.training.images[i].tobytes() for i in state.train_indices)
    assert len(spy.steps) == 2 * STEPS
    first, second = spy.images(slice(STEPS)), spy.images(slice(STEPS, None))
    assert sorted(first) == sorted(second) == expected
    assert first != second


def test_every_example_has_its_own_label(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spy = Spy(monkeypatch)
    training = last(train(make(data, epochs=1))).data.training
    labels = {image.tobytes(): label for image, label in zip(training.images, training.labels)}
    given_labels = np.concatenate([y for _, y, _ in spy.steps])
    assert (given_labels.sum(axis=1) == 1).all()
    assert [labels[image] for image in spy.images()] == given_labels.argmax(axis=1).tolist()


def test_validation_examples_are_never_used_for_training(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spy = Spy(monkeypatch)
    state = last(train(make(data)))
    held_out = {state.data.training.images[i].tobytes() for i in state.validation_indices}
    assert len(held_out) == HELD_OUT
    assert held_out.isdisjoint(spy.images())


def test_the_last_minibatch_may_be_shorter(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spy = Spy(monkeypatch)
    last(train(make(data, epochs=1)))
    assert [len(x) for x, _, _ in spy.steps] == [10] * 8 + [3]


def test_the_training_cost_is_the_mean_over_the_examples(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spy = Spy(monkeypatch)
    state = last(train(make(data, epochs=2)))
    for epoch, record in enumerate(state.history):
        costs = [cost for _, _, cost in spy.steps[epoch * STEPS : (epoch + 1) * STEPS]]
        assert record.training.cost == pytest.approx(sum(costs) / (N - HELD_OUT), rel=1e-5)


@pytest.mark.usefixtures("every_step")
def test_the_cost_so_far_is_the_mean_so_far(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spy = Spy(monkeypatch)
    progress = next(itertools.islice(train(make(data)), 3, None))
    assert progress.cost == pytest.approx(sum(c for _, _, c in spy.steps) / 30, rel=1e-5)


def test_the_validation_figures_agree_with_the_networks_outputs(data: Path) -> None:
    state = last(train(make(data)))
    training = state.data.training
    outputs = state.network(training.images[state.validation_indices])
    labels = training.labels[state.validation_indices]
    record = state.history[-1]
    assert record.validation is not None
    assert record.validation.accuracy == (outputs.argmax(axis=1) == labels).mean()
    cost = -np.log(outputs[np.arange(HELD_OUT), labels]).mean()
    assert record.validation.cost == pytest.approx(cost, rel=1e-4)


def test_training_lowers_the_cost(data: Path) -> None:
    costs = [record.training.cost for record in last(train(make(data, epochs=5))).history]
    assert costs == sorted(costs, reverse=True)


def test_l2_makes_the_weights_smaller(data: Path) -> None:
    plain, decayed = (last(train(make(data, l2=l2))) for l2 in (0, 0.1))
    norms = [np.linalg.norm(state.network.weights[0]) for state in (plain, decayed)]
    assert norms[1] < norms[0]


# The best epoch


def record(epoch: int, accuracy: float | None, cost: float = 1.0) -> Record:
    validation = None if accuracy is None else ValidationMeasure(cost, accuracy)
    return Record(epoch, TrainingMeasure(1.0), validation, 1.0, 1.0)


@pytest.mark.parametrize(
    ("records", "best"),
    [
        ([record(1, 0.5), record(2, 0.9), record(3, 0.7)], 2),
        ([record(1, 0.9, 0.5), record(2, 0.9, 0.3), record(3, 0.9, 0.4)], 2),
        ([record(1, 0.8, 0.1), record(2, 0.9, 9.0)], 2),
        ([record(1, 0.9, 0.5), record(2, 0.9, 0.5)], 1),
        ([record(1, None), record(2, None)], 2),
    ],
)
def test_the_best_is_chosen_by_accuracy_then_cost(
    data: Path, records: list[Record], best: int
) -> None:
    state = begin(make(data))
    state.history = records
    assert state.best_record is records[best - 1]


def test_the_best_epochs_parameters_are_kept(data: Path) -> None:
    config = make(data, epochs=8, optimizer={"name": "sgd", "learning_rate": 4.0})
    by_epoch = {
        p.record.epoch: p.state.network.parameters.copy() for p in train(config) if p.record
    }
    state = last(train(config))
    assert state.best_record is not None
    assert (state.best == by_epoch[state.best_record.epoch]).all()
    accuracies = [r.validation.accuracy for r in state.history if r.validation]
    assert state.best_record.validation is not None
    assert state.best_record.validation.accuracy == max(accuracies)


def test_the_saved_model_has_the_figures_of_its_record(data: Path) -> None:
    state = last(train(make(data, optimizer={"name": "sgd", "learning_rate": 4.0})))
    examples = Minibatches(state.data.training, 1000)(state.validation_indices)
    result = evaluate_network(state.checkpoint().network, examples)
    assert state.best_record is not None
    assert state.best_record.validation == ValidationMeasure(result.cost, result.accuracy)


# The temperature


def temperature_of(state: TrainingState, parameters: np.ndarray) -> float:
    """Return the temperature of a network with these parameters, fitted on validation."""
    network = make_network(state.config)
    network.parameters[:] = parameters
    held_out = state.validation_indices
    images, labels = state.data.training.images, state.data.training.labels
    return fit_temperature(network(images[held_out]), labels[held_out])


def test_the_best_epochs_temperature_is_kept(data: Path) -> None:
    state = last(train(make(data, epochs=6, optimizer={"name": "sgd", "learning_rate": 5.0})))
    assert (state.best != state.network.parameters).any()
    temperature = state.calibration.temperature
    assert temperature == pytest.approx(temperature_of(state, state.best), rel=1e-4)
    assert temperature != pytest.approx(temperature_of(state, state.network.parameters), rel=1e-3)
    assert state.checkpoint().calibration == state.calibration
    assert min(state.calibration) > 0


def test_before_the_first_epoch_ends_there_is_no_temperature(data: Path) -> None:
    state = next(train(make(data))).state
    assert state.calibration == state.checkpoint().calibration == (1, 0, 0)


def test_without_validation_there_is_no_temperature(data: Path) -> None:
    assert last(train(make(data, validation=0))).calibration == (1, 0, 0)


# Splits


def test_without_validation_all_examples_train_and_the_last_epoch_is_kept(data: Path) -> None:
    state = last(train(make(data, validation=0)))
    assert (state.train_indices == np.arange(N)).all()
    assert len(state.validation_indices) == 0
    assert all(record.validation is None for record in state.history)
    assert (state.best == state.network.parameters).all()


@pytest.mark.parametrize(
    ("validation", "count"), [(None, 12), (30, 30), (0.25, 30), (0.1, 12), (N - 1, N - 1)]
)
def test_validation_is_a_count_or_a_fraction(
    data: Path, validation: float | None, count: int
) -> None:
    state = begin(make(data, validation=validation))
    assert len(state.validation_indices) == count
    assert sorted([*state.train_indices, *state.validation_indices]) == list(range(N))
    assert state.config.data.validation == count


@pytest.mark.parametrize("validation", [N, N + 1, 10**9, 0.999])
def test_validation_must_leave_training_examples(data: Path, validation: float) -> None:
    with pytest.raises(ConfigError, match="expected fewer than the 120 examples") as caught:
        begin(make(data, validation=validation))
    assert caught.value.key == "data.validation"


@pytest.mark.parametrize("outputs", [9, 11, 1])
def test_the_number_of_outputs_must_be_the_number_of_classes(data: Path, outputs: int) -> None:
    with pytest.raises(ConfigError, match=f"expected 10 last.*found {outputs}") as caught:
        begin(make(data, layer_sizes=[784, outputs]))
    assert caught.value.key == "network.layer_sizes"


def test_missing_data_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere"):
        begin(make(tmp_path / "nowhere"))


@pytest.mark.parametrize("size", [83, 84, 1000])
def test_a_minibatch_may_be_as_large_as_the_data_or_larger(data: Path, size: int) -> None:
    whole = last(train(make(data, minibatch_size=83, epochs=2)))
    assert_same(last(train(make(data, minibatch_size=size, epochs=2))), whole)


def test_a_minibatch_of_one_example_is_allowed(data: Path) -> None:
    state = last(train(make(data, minibatch_size=1, epochs=1)))
    assert state.steps == N - HELD_OUT
    assert math.isfinite(state.history[0].training.cost)


# Divergence


@pytest.mark.parametrize(
    ("output", "cost"),
    [("softmax", "cross_entropy"), ("sigmoid", "quadratic"), ("sigmoid", "cross_entropy")],
)
def test_numbers_that_are_not_finite_end_the_training(data: Path, output: str, cost: str) -> None:
    config = make(
        data,
        activation="relu",
        output=output,
        cost=cost,
        layer_sizes=[784, 8, 8, 10],
        l2=1.0,
        epochs=50,
        optimizer={"name": "sgd", "learning_rate": 1e30},
    )
    with pytest.raises(
        TrainingError, match=r"epoch \d+, minibatch \d+: .* no longer finite"
    ) as caught:
        last(train(config))
    assert "1e+30" in str(caught.value)


@pytest.mark.usefixtures("every_step")
def test_parameters_that_are_not_finite_are_never_yielded(data: Path) -> None:
    config = make(data, activation="relu", optimizer={"name": "sgd", "learning_rate": 1e30})
    finite: list[bool] = []
    parameters = (progress.state.network.parameters for progress in train(config))
    with pytest.raises(TrainingError):
        finite.extend(bool(np.isfinite(vector).all()) for vector in parameters)
    assert finite
    assert all(finite)


@pytest.mark.usefixtures("every_step")
@pytest.mark.parametrize("name", ["squares", "parameters"])
def test_a_state_that_is_not_finite_is_never_yielded(data: Path, name: str) -> None:
    training = train(make(data, optimizer={"name": "adam", "learning_rate": 1e-30}))
    state = next(training).state
    (state.optimizer.state | {"parameters": state.network.parameters})[name][-1] = np.inf
    with pytest.raises(TrainingError, match="no longer finite"):
        next(training)


def test_a_record_converts_to_plain_values(data: Path) -> None:
    record = last(train(make(data, epochs=1))).history[0]
    values = msgspec.to_builtins(record)
    assert values.keys() == {"epoch", "training", "validation", "seconds", "images_per_second"}
    assert values["images_per_second"] == pytest.approx((N - HELD_OUT) / values["seconds"])


def test_a_checkpoint_names_its_training_data(data: Path) -> None:
    checkpoint = begin(make(data)).checkpoint()
    assert isinstance(checkpoint, Checkpoint)
    assert checkpoint.data_path == str(data)
    assert checkpoint.class_names == tuple("0123456789")
    assert to_config(checkpoint.config).network.layer_sizes == (784, 8, 10)


def test_a_checkpoint_without_a_newer_config_key_is_resumed(data: Path) -> None:
    *_, progress = train(make(data))
    checkpoint = progress.state.checkpoint()
    del checkpoint.config["training"]["l2"]
    assert resume(make(data), checkpoint).history == progress.state.history


def test_a_validation_cost_that_is_not_finite_stops_the_training(data: Path) -> None:
    config = make(data)
    description = msgspec.structs.replace(config.network, activation="relu", output="softmax")
    state = begin(msgspec.structs.replace(config, network=description, cost="cross_entropy"))
    state.network.parameters[:] = np.float32(3e38)
    state.position = Position(step=state.steps)
    with pytest.raises(TrainingError, match="no longer finite"):
        list(train(state.config, state))


def test_a_small_fraction_holds_out_one_example(data: Path) -> None:
    config = make(data)
    section = msgspec.structs.replace(config.data, validation=1e-9)
    assert len(begin(msgspec.structs.replace(config, data=section)).validation_indices) == 1
