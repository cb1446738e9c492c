"""Starting from a trained model: its network, parameters, classes and calibration."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import read_mnist, write_idx
from PIL import Image

from digitnet.arrays import FloatArray
from digitnet.cli.train_text import _guessing_warning
from digitnet.config.definition import Config
from digitnet.config.reader import to_config
from digitnet.dataset.definition import Data, ReadOptions
from digitnet.dataset.reader import read_data
from digitnet.errors import CheckpointError, ConfigError, DataError
from digitnet.model.calibration import NO_CALIBRATION, Calibration
from digitnet.model.checkpoint import load_checkpoint, save_checkpoint
from digitnet.model.evaluation import Guessing
from digitnet.model.examples import choose_examples, has_learned_from
from digitnet.training import setup
from digitnet.training.loop import train
from digitnet.training.resumption import resume
from digitnet.training.setup import begin, prepare, read_options
from digitnet.training.state import TrainingState

IMAGES, LABELS = read_mnist("train", 300)
CALIBRATION = Calibration(1.5, 0.25, 0.5)
COSINE = {"schedule": {"name": "cosine"}, "optimizer": {"learning_rate": 0.1, "momentum": 0.9}}


def write_set(folder: Path, pictures: slice, split: str = "train") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    write_idx(folder / f"{split}-images-idx3-ubyte", IMAGES[pictures])
    write_idx(folder / f"{split}-labels-idx1-ubyte", LABELS[pictures])
    return folder


def write_classes(folder: Path, names: dict[int, str]) -> Path:
    """Write two MNIST pictures of each digit in `names` to a folder of its name."""
    for digit, name in names.items():
        (folder / name).mkdir(parents=True)
        for index in np.flatnonzero(digit == LABELS)[:2]:
            Image.fromarray(IMAGES[index]).save(folder / name / f"{index}.png")
    return folder


def finished(config: Config) -> TrainingState:
    *_, progress = train(config)
    return progress.state


@pytest.fixture(scope="module")
def old_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_set(tmp_path_factory.mktemp("old"), slice(0, 100))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, old_data: Path) -> Path:
    """A model 784-12-8-10, trained on 90 digits, with CALIBRATION."""
    values = {
        "data": {"path": str(old_data), "validation": 10},
        "network": {"layer_sizes": [784, 12, 8, 10], "activation": "relu", "output": "softmax"},
        "cost": "cross_entropy",
        "training": {"epochs": 2},
        "model": "/unused.npz",
    }
    path = tmp_path_factory.mktemp("model") / "start.npz"
    checkpoint = finished(to_config(values)).checkpoint()
    save_checkpoint(str(path), replace(checkpoint, calibration=CALIBRATION))
    return path


@pytest.fixture(scope="module")
def new_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_set(tmp_path_factory.mktemp("new"), slice(100, 160))


def make(model: Path, pictures: Path, **settings: Any) -> Config:
    """Return the config of a training that starts from a model; most settings are `training`'s."""
    section = {"path": str(pictures), "validation": 0} | settings.pop("data", {})
    others = {key: settings.pop(key) for key in ("network", "cost") if key in settings}
    training = {"epochs": 2, "minibatch_size": 8} | settings
    values = {"start": str(model), "data": section, "training": training, "model": "/unused.npz"}
    return to_config(values | others)


def parameters(path: Path) -> FloatArray:
    return load_checkpoint(path).network.parameters


def test_a_training_begins_with_the_network_of_the_start(model: Path, new_data: Path) -> None:
    state = begin(make(model, new_data))
    network = state.network
    assert network.layer_sizes == (784, 12, 8, 10)
    assert network.names == ("relu", "softmax")
    assert state.config.cost == "cross_entropy"
    assert (network.parameters == parameters(model)).all()
    assert (state.best == network.parameters).all()


def test_the_start_is_recorded_with_its_hash(model: Path, new_data: Path) -> None:
    sha256 = hashlib.sha256(model.read_bytes()).hexdigest()
    start = begin(make(model, new_data)).checkpoint().start
    assert start is not None
    assert (start["path"], start["sha256"], start["keeps_output"]) == (str(model), sha256, True)


@pytest.mark.parametrize(
    ("given", "key", "problem"),
    [
        (
            {"network": {"layer_sizes": [784, 12, 9, 10]}},
            "network.layer_sizes",
            r"expected \[784, 12, 8, 10\], as in the start, or nothing, found",
        ),
        (
            {"network": {"activation": "tanh"}},
            "network.activation",
            "expected relu, as in the start, or nothing, found tanh",
        ),
        ({"cost": "quadratic"}, "cost", "expected cross_entropy, as in the start, or nothing"),
        ({"freeze": 3}, "training.freeze", "expected at most 2, all layers but the last, found 3"),
    ],
)
def test_another_network_than_the_start_is_refused(
    given: dict[str, Any], key: str, problem: str, model: Path, new_data: Path
) -> None:
    with pytest.raises(ConfigError, match=problem) as error:
        begin(make(model, new_data, **given))
    assert error.value.key == key


def test_the_same_network_may_be_given(model: Path, new_data: Path) -> None:
    given = {"layer_sizes": [784, 12, 8, 10], "activation": "relu", "output": "softmax"}
    begin(make(model, new_data, network=given, cost="cross_entropy"))


def test_a_missing_start_is_one_line(new_data: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=f"^start: {tmp_path}/no.npz: no such file"):
        begin(make(tmp_path / "no.npz", new_data))


def test_shipped_is_the_model_that_ships(new_data: Path) -> None:
    state = begin(make(Path("shipped"), new_data))
    assert state.network.layer_sizes == (784, 400, 100, 10)
    assert state.start is not None
    assert state.start.path == "shipped"


def test_some_of_the_classes_keep_the_output_layer(model: Path, tmp_path: Path) -> None:
    few = write_classes(tmp_path / "few", {7: "07", 1: "1"})
    state = begin(make(model, few))
    assert state.examples.class_names == tuple("0123456789")
    assert state.examples.labels[state.train_indices].tolist() == [1, 1, 7, 7]
    assert (state.network.parameters == parameters(model)).all()
    assert state.calibration == CALIBRATION
    assert finished(make(model, few)).checkpoint().calibration == CALIBRATION


def test_other_classes_get_a_new_output_layer(model: Path, tmp_path: Path) -> None:
    letters = write_classes(tmp_path / "letters", {0: "O", 1: "I", 5: "S"})
    state = begin(make(model, letters))
    assert state.network.layer_sizes == (784, 12, 8, 3)
    before = load_checkpoint(model).network
    for l in range(2):
        assert (state.network.matrices[l] == before.matrices[l]).all()
    assert state.network.weights[2].std() > 0
    assert state.calibration == NO_CALIBRATION
    assert any("a new output layer learns I, O, S" in remark for remark in state.remarks)
    assert any("the model will never answer ?" in remark for remark in state.remarks)
    assert not any("training.background" in remark for remark in state.remarks)


def test_made_up_letters_beside_classes_that_may_be_letters_are_said(
    model: Path, new_data: Path, tmp_path: Path
) -> None:
    letters = write_classes(tmp_path / "letters", {0: "O", 1: "I"})
    said = [
        any("training.background: its made-up pictures" in remark for remark in state.remarks)
        for state in (begin(make(model, path, background=0.5)) for path in (letters, new_data))
    ]
    assert said == [True, False]


def test_calibration_is_fitted_anew_with_many_held_out(
    model: Path, new_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = make(model, new_data, data={"validation": 20})
    assert finished(config).calibration == CALIBRATION
    monkeypatch.setattr("digitnet.training.state.MIN_REFIT", 20)
    assert finished(config).calibration != CALIBRATION


def test_frozen_layers_keep_their_bits(model: Path, new_data: Path) -> None:
    before = load_checkpoint(model).network
    for threads in (1, 2):
        after = finished(make(model, new_data, freeze=1, l2=0.01, threads=threads)).network
        assert (after.matrices[0] == before.matrices[0]).all()
        assert (after.matrices[1] != before.matrices[1]).any()
        assert (after.matrices[2] != before.matrices[2]).any()


def test_a_resumed_training_equals_an_uninterrupted_one(
    model: Path, new_data: Path, old_data: Path, tmp_path: Path
) -> None:
    start = tmp_path / "start.npz"
    start.write_bytes(model.read_bytes())
    rehearsal = {"path": [str(old_data)], "pictures": 20}
    config = make(
        start, new_data, data={"rehearsal": rehearsal, "pictures_per_epoch": 120}, **COSINE
    )
    whole = finished(config).checkpoint()
    for progress in train(config):
        if progress.record:
            save_checkpoint(str(tmp_path / "half.npz"), progress.state.checkpoint())
            break
    start.unlink()
    state = resume(config, load_checkpoint(tmp_path / "half.npz", with_state=True))
    *_, progress = train(config, state)
    resumed = progress.state.checkpoint()
    assert (resumed.network.parameters == whole.network.parameters).all()
    for name in whole.state.keys() - {"place"}:
        np.testing.assert_array_equal(resumed.state[name], whole.state[name])
    assert resumed.start == whole.start
    assert resumed.data_sources == whole.data_sources
    assert resumed.calibration == whole.calibration


def test_resuming_with_other_pictures_for_rehearsal_is_refused(
    model: Path, new_data: Path, old_data: Path, tmp_path: Path
) -> None:
    config = make(model, new_data, data={"rehearsal": {"path": str(old_data)}})
    save_checkpoint(str(tmp_path / "half.npz"), begin(config).checkpoint())
    other = make(model, new_data, data={"rehearsal": {"path": str(tmp_path / "gone")}})
    with pytest.raises(ConfigError) as error:
        resume(other, load_checkpoint(tmp_path / "half.npz", with_state=True))
    assert error.value.key == "data.rehearsal.path"


def test_without_pictures_for_rehearsal_the_learning_rate_is_another(
    model: Path, new_data: Path, old_data: Path, tmp_path: Path
) -> None:
    def rate(path: Path) -> float:
        rehearsal = {"path": str(path), "rate_without": 0.001}
        state = begin(make(model, new_data, data={"rehearsal": rehearsal}, **COSINE))
        assert state.config.training.optimizer.learning_rate == state.optimizer.learning_rate
        return float(state.optimizer.learning_rate)

    assert (rate(old_data), rate(tmp_path / "gone")) == (0.1, 0.001)


def test_more_epochs_of_a_cosine_are_refused_with_advice(
    model: Path, new_data: Path, tmp_path: Path
) -> None:
    save_checkpoint(str(tmp_path / "end.npz"), begin(make(model, new_data, **COSINE)).checkpoint())
    longer = make(model, new_data, epochs=5, **COSINE)
    with pytest.raises(ConfigError, match=r"use its path as `start` of a new training$"):
        resume(longer, load_checkpoint(tmp_path / "end.npz", with_state=True))


def test_the_data_of_the_start_and_of_rehearsal_count_as_learned_from(
    model: Path, new_data: Path, old_data: Path, tmp_path: Path
) -> None:
    rehearsed = write_set(tmp_path / "rehearsed", slice(160, 180))
    unseen = write_set(tmp_path / "unseen", slice(180, 200))
    config = make(model, new_data, data={"rehearsal": {"path": str(rehearsed)}})
    checkpoint = begin(config).checkpoint()
    seen = [
        has_learned_from(checkpoint, choose_examples(checkpoint, str(path)))
        for path in (new_data, old_data, rehearsed, unseen)
    ]
    assert seen == [True, True, True, False]


@pytest.mark.parametrize("has_own", [False, True])
def test_validation_pictures_are_not_rehearsed(
    has_own: bool,
    model: Path,
    new_data: Path,
    old_data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if has_own:
        monkeypatch.setattr(setup, "read_data", lambda *_: with_validation(new_data, own))
    own = write_set(tmp_path / "own", slice(0, 30))
    rehearsal = {"path": [str(old_data), str(new_data)]}
    state = begin(make(model, new_data, data={"validation": 20, "rehearsal": rehearsal}))
    held_out = {state.validation.images[i].tobytes() for i in state.validation_indices}
    learned = {state.examples.images[i].tobytes() for i in state.train_indices}
    assert len(held_out) == (30 if has_own else 20)
    assert len(learned) == (130 if has_own else 140)
    assert held_out.isdisjoint(learned)


def test_a_warning_names_a_class_that_only_the_start_knows_by_its_index(
    model: Path, tmp_path: Path
) -> None:
    state = begin(make(model, write_classes(tmp_path, {3: "3", 7: "7"})))
    assert "always answering 7, " in _guessing_warning(state, Guessing(7, 0.5, 4), 0.5)


def test_a_chain_of_trainings_does_not_grow(
    model: Path, new_data: Path, old_data: Path, tmp_path: Path
) -> None:
    path = tmp_path / "nightly.npz"
    path.write_bytes(model.read_bytes())
    numbers = []
    for _ in range(3):
        config = make(path, new_data, data={"rehearsal": {"path": str(old_data)}})
        save_checkpoint(str(path), begin(config).checkpoint())
        numbers.append(len(load_checkpoint(path).data_sources))
    assert numbers == [3, 4, 4]


def test_a_model_can_start_from_itself(model: Path, new_data: Path) -> None:
    assert read_options(make(model, new_data), strict=False, parallel=False, report=None).score


def with_validation(data: Path, own: Path) -> Data:
    return replace(read_data(data), validation=read_data(own).training)


def test_an_own_validation_set_is_used_instead_of_holding_out(
    model: Path, new_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = write_set(tmp_path / "own", slice(155, 175))  # five of them are training pictures
    monkeypatch.setattr(setup, "read_data", lambda *_: with_validation(new_data, own))
    state = begin(make(model, new_data, data={"validation": 30}))
    assert state.config.data.validation == 0
    assert len(state.validation_indices) == 20
    assert state.validation.images[state.validation_indices].tobytes() == IMAGES[155:175].tobytes()
    assert state.train_indices.tolist() == list(range(55))
    expected = f"{new_data}: 20 pictures of its own for validation; no training picture is held out"
    assert expected in state.remarks
    *_, progress = train(state.config, state)
    assert progress.state.history[-1].validation is not None


def test_a_validation_set_equal_to_the_training_set_is_refused(model: Path, new_data: Path) -> None:
    config, data = make(model, new_data), with_validation(new_data, new_data)
    values = {"layer_sizes": [784, 12, 8, 10]}
    config = to_config({"data": {"path": str(new_data)}, "network": values, "model": config.model})
    with pytest.raises(DataError, match="found none; which are the same pictures"):
        prepare(config, data, data.training.class_names, ReadOptions())
