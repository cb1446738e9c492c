"""Test evaluation against values worked by hand, and the choice of examples."""

import math
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from conftest import REPOSITORY, read_mnist, write_idx
from PIL import Image

from digitnet.config.reader import read_config
from digitnet.dataset.definition import NON_DIGIT, Data, Dataset, Origin, ReadOptions
from digitnet.dataset.idx import read_idx
from digitnet.dataset.minibatches import Minibatches
from digitnet.dataset.reader import read_data
from digitnet.errors import DataError, DigitnetError
from digitnet.model.calibration import Calibration
from digitnet.model.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from digitnet.model.data import model_options
from digitnet.model.evaluation import (
    EVALUATION_MINIBATCH,
    Evaluation,
    Evaluator,
    evaluate_network,
    guessing,
)
from digitnet.model.examples import (
    Examples,
    choose_examples,
    evaluate_model,
    has_learned_from,
    prepared_for,
    read_labelled,
)
from digitnet.model.locations import SHIPPED
from digitnet.model.prediction import Model, load
from digitnet.network.network import Network
from digitnet.training.setup import begin

SPLITS = ("test", "validation", "train")


def evaluation_of(*rows: list[int]) -> Evaluation:
    """Return an evaluation with this confusion matrix."""
    classes = len(rows)
    pairs = np.repeat(np.arange(classes**2), np.ravel(rows))
    labels, answers = (array.astype(np.uint8) for array in divmod(pairs, classes))
    return Evaluation(0.5, labels, answers, np.ones(len(pairs), np.float32), classes)


# Metrics worked by hand

THREE = evaluation_of([5, 1, 0], [2, 6, 0], [1, 3, 2])  # 13 of 20 right


def test_the_confusion_counts_answers_per_class() -> None:
    assert THREE.confusion.tolist() == [[5, 1, 0], [2, 6, 0], [1, 3, 2]]
    assert THREE.confusion.dtype == np.int64
    assert THREE.right.sum() == 13


def test_more_than_256_classes_are_counted() -> None:
    labels, answers = np.array([0, 299, 299], np.uint16), np.array([0, 299, 0], np.uint16)
    confusion = Evaluation(0.5, labels, answers, np.ones(3, np.float32), 300).confusion
    assert (confusion[0, 0], confusion[299, 299], confusion[299, 0]) == (1, 1, 1)
    assert confusion.sum() == 3


def test_accuracy_is_the_share_of_right_answers() -> None:
    assert THREE.images == 20
    assert THREE.accuracy == 13 / 20


def test_precision_is_the_share_of_a_class_answers_that_is_right() -> None:
    assert THREE.precision == [5 / 8, 6 / 10, 2 / 2]


def test_recall_is_the_share_of_a_class_pictures_that_is_found() -> None:
    assert THREE.recall == [5 / 6, 6 / 8, 2 / 6]


def test_a_class_never_answered_has_no_precision() -> None:
    assert evaluation_of([3, 0], [2, 0]).precision == [3 / 5, None]


def test_a_class_without_pictures_has_no_recall() -> None:
    assert evaluation_of([3, 1], [0, 0]).recall == [3 / 4, None]


@pytest.mark.parametrize(
    ("right", "n", "low", "high"),
    [  # worked by hand from (p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n), z = 1.959964
        (7, 10, 0.3968, 0.8922),
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (1, 1, 0.2065, 1.0),
        (9500, 10000, 0.94555, 0.95411),
    ],
)
def test_the_interval_is_wilsons(right: int, n: int, low: float, high: float) -> None:
    interval = evaluation_of([right, n - right], [0, 0]).interval
    assert interval == pytest.approx((low, high), abs=6e-5)
    assert 0 <= interval[0] < interval[1] <= 1


# Mistakes, doubts and sources


def answered(labels: list[int], answers: list[int], **more: Any) -> Evaluation:
    """Return an evaluation with falling confidences."""
    confidences = 1 - np.arange(len(labels)) / 100
    return Evaluation(0.5, np.array(labels), np.array(answers), confidences, 3, **more)


def test_mistakes_are_the_most_confident_first() -> None:
    result = answered([0, 1, 2, 0, 1], [0, 2, 2, 1, 0])
    assert result.mistakes.tolist() == [1, 3, 4]
    assert replace(result, confidences=np.array([1, 0.5, 1, 0.5, 0.9])).mistakes.tolist() == [
        *(4, 1, 3)
    ]
    assert answered([0, 1], [0, 1]).mistakes.tolist() == []


def test_the_accuracy_without_doubtful_answers() -> None:
    result = answered([0, 1, 2, 0], [0, 2, 2, 1])
    assert result.doubtful.tolist() == [False] * 4
    assert result.sure_accuracy == result.accuracy == 1 / 2
    doubts = {1: "too little evidence", 0: "two digits"}
    doubtful = replace(result, doubts=doubts)
    assert doubtful.doubtful.tolist() == [True, True, False, False]
    assert doubtful.sure_accuracy == doubtful.accuracy == 1 / 2
    assert replace(result, doubts={1: "x", 3: "x"}).sure_accuracy == 1
    assert replace(result, doubts=dict.fromkeys(range(4), "x")).sure_accuracy is None


def test_names_and_sources_are_those_of_the_evaluated_pictures() -> None:
    origins = (
        Origin("mnist", 3, "mnist/images"),
        Origin("scans", 2, "scans", ["scans/7/a.png", "scans/1/b.png"]),
        Origin("mnist", 1, "more.csv", np.array([12])),
        Origin("unused", 1, "unused.npz"),
    )
    indices = np.array([5, 4, 0, 2])
    result = answered([0, 1, 2, 0], [0, 2, 2, 1], origins=origins, indices=indices)
    names = [result.name_of(position) for position in range(4)]
    assert names == ["more.csv:12", "scans/1/b.png", "mnist/images#0", "mnist/images#2"]
    assert result.sources == [("mnist", 3, 2 / 3), ("scans", 1, 0.0)]
    everything = answered([0] * 7, [0] * 7, origins=origins)
    assert everything.name_of(3) == "scans/7/a.png"
    assert [source.images for source in everything.sources] == [4, 2, 1]


def test_unknown_origins_have_no_names_and_no_sources() -> None:
    assert THREE.sources == []
    with pytest.raises(IndexError):
        THREE.name_of(0)


# A network on labelled pictures


def brightest(n: int) -> Network:
    """Return a network that answers which of the first n pixels is brightest."""
    network = Network([784, n], output="softmax", cost="cross_entropy")
    network.weights[0][:, :n] = 10 * np.eye(n)
    return network


def pictures(answers: list[int], labels: list[int], classes: int) -> Dataset:
    """Return pictures to which `brightest` gives these answers, with these labels."""
    images = np.zeros((len(answers), 784), np.uint8)
    images[np.arange(len(answers)), answers] = 255
    names = tuple(map(str, range(classes)))
    return Dataset(images.reshape(-1, 28, 28), np.array(labels, np.int64), names)


def test_a_row_of_the_confusion_is_a_true_class() -> None:
    data = pictures(answers=[0, 1, 1, 2, 2, 2], labels=[0, 0, 1, 0, 0, 2], classes=3)
    result = evaluate_network(brightest(3), Minibatches(data, EVALUATION_MINIBATCH)(np.arange(6)))
    assert result.confusion.tolist() == [[1, 1, 2], [0, 1, 0], [0, 0, 1]]
    assert result.confusion.dtype == np.int64


def test_answers_are_kept_in_order() -> None:
    data = pictures(answers=[0, 1, 1, 2, 2, 2], labels=[0, 0, 1, 0, 0, 2], classes=3)
    order = np.array([5, 0, 3, 1])
    result = evaluate_network(brightest(3), Minibatches(data, 3)(order))
    assert result.answers.tolist() == [2, 0, 2, 1]
    assert result.labels.tolist() == [2, 0, 0, 0]
    sure = math.exp(10) / (math.exp(10) + 2)
    assert result.confidences == pytest.approx(np.full(4, sure), rel=1e-6)
    kept = (result.answers, result.labels, result.confidences)
    assert [array.dtype for array in kept] == [np.uint8, np.uint8, np.float64]


def test_the_temperature_applies_to_confidence_and_not_to_cost() -> None:
    data = pictures(answers=[0, 1, 0], labels=[0, 0, 0], classes=2)
    plain, hot = (
        evaluate_network(
            brightest(2), Minibatches(data, EVALUATION_MINIBATCH)(np.arange(3)), temperature
        )
        for temperature in (1.0, 5.0)
    )
    sure = math.exp(10 / 5) / (math.exp(10 / 5) + 1)
    assert hot.confidences == pytest.approx(np.full(3, sure), rel=1e-5)
    assert (hot.cost, hot.accuracy) == (plain.cost, plain.accuracy)
    assert (hot.temperature, plain.temperature) == (5, 1)
    (answers,) = hot.reliability
    assert answers == pytest.approx((13 / 15, 14 / 15, 3, sure, 2 / 3), rel=1e-5)
    assert hot.calibration_error == pytest.approx(sure - 2 / 3, rel=1e-5)
    assert hot.coverages == [(1, 2 / 3, math.floor(sure * 10_000) / 10_000)]


def test_outputs_are_stored_on_request() -> None:
    rng = np.random.default_rng(1)
    data = pictures(rng.integers(0, 3, 40).tolist(), rng.integers(0, 3, 40).tolist(), classes=3)
    order = rng.permutation(40)
    outputs = np.zeros((40, 3), np.float32)
    evaluator = Evaluator(brightest(3), outputs=outputs)
    for x, y in Minibatches(data, 7)(order):
        evaluator.read(x, y)
    assert outputs == pytest.approx(brightest(3)(data.images[order]), abs=1e-6)


def test_huge_weights_give_answers_and_confidences() -> None:
    network = brightest(3)
    network.weights[0][0, :] = 3e38
    network.weights[0][1, :] = -3e38
    data = pictures(answers=[0, 1, 2], labels=[0, 1, 2], classes=3)
    data.images[1:] = 255
    result = evaluate_network(network, Minibatches(data, EVALUATION_MINIBATCH)(np.arange(3)), 2.0)
    assert ((result.confidences >= 1 / 3 - 1e-6) & (result.confidences <= 1)).all()
    assert result.confusion.sum() == 3
    assert 0 <= result.calibration_error <= 1


def test_the_cost_is_averaged_over_the_pictures() -> None:
    data = pictures(answers=[0, 1, 0], labels=[0, 0, 0], classes=2)
    result = evaluate_network(brightest(2), Minibatches(data, EVALUATION_MINIBATCH)(np.arange(3)))
    right, wrong = math.log(1 + math.exp(-10)), math.log(1 + math.exp(10))
    assert result.cost == pytest.approx((2 * right + wrong) / 3, rel=1e-5)


def test_the_size_of_a_minibatch_makes_no_difference() -> None:
    rng = np.random.default_rng(1)
    n = 2 * EVALUATION_MINIBATCH + 7
    answers, labels = rng.integers(0, 4, n), rng.integers(0, 4, n)
    data = pictures(answers.tolist(), labels.tolist(), classes=4)
    whole = evaluate_network(brightest(4), Minibatches(data, EVALUATION_MINIBATCH)(np.arange(n)))
    parts = evaluate_network(brightest(4), Minibatches(data, 13)(np.arange(n)))
    assert whole.images == n
    assert whole.accuracy == (answers == labels).mean()
    assert (whole.confusion == parts.confusion).all()
    assert whole.cost == pytest.approx(parts.cost, rel=1e-5)


def test_only_the_given_indices_are_evaluated() -> None:
    data = pictures(answers=[0, 1, 1], labels=[0, 0, 1], classes=2)
    result = evaluate_network(
        brightest(2), Minibatches(data, EVALUATION_MINIBATCH)(np.array([2, 1]))
    )
    assert result.confusion.tolist() == [[0, 1], [0, 1]]


# The choice of examples


@pytest.fixture(scope="module")
def trained(model: Path) -> Checkpoint:
    return load_checkpoint(model)


@pytest.fixture
def copied(small_mnist: Path, tmp_path: Path) -> Path:
    """A copy of the model's own data under another path."""
    return Path(shutil.copytree(small_mnist, tmp_path / "copied"))


def test_the_models_own_test_split_comes_first(trained: Checkpoint, small_mnist: Path) -> None:
    examples = choose_examples(trained)
    assert (examples.path, examples.split) == (str(small_mnist), "test")
    assert not has_learned_from(trained, examples)
    assert len(examples.indices) == 500
    assert (examples.dataset.images[:500] == read_mnist("t10k", 500)[0]).all()


def test_several_sources_are_evaluated_together(
    trained: Checkpoint, small_mnist: Path, copied: Path
) -> None:
    paths = str(small_mnist), str(copied)
    examples = choose_examples(trained, paths)
    assert (examples.path, examples.split) == (paths, "test")
    assert len(examples.indices) == 500  # the same pictures under two names
    with pytest.raises(DataError, match=re.escape(f"{paths[0]}, {paths[1]}: expected the data")):
        choose_examples(trained, paths, "validation")


def test_a_missing_source_among_several_is_named(
    trained: Checkpoint, small_mnist: Path, tmp_path: Path
) -> None:
    lost = replace(trained, data_path=(str(small_mnist), str(tmp_path / "lost")))
    with pytest.raises(DataError, match="lost: expected the model's own data"):
        choose_examples(lost)


def test_the_model_reaches_the_expected_accuracy(trained: Checkpoint) -> None:
    assert evaluate_network(trained.network, choose_examples(trained).minibatches()).accuracy > 0.85


def test_the_splits_are_disjoint_and_complete(trained: Checkpoint) -> None:
    validation = choose_examples(trained, split="validation")
    training = choose_examples(trained, split="train")
    assert (len(validation.indices), len(training.indices)) == (500, 1500)
    assert sorted([*validation.indices, *training.indices]) == list(range(2000))
    assert has_learned_from(trained, training)
    assert not has_learned_from(trained, validation)


def test_validation_is_what_training_measured(trained: Checkpoint) -> None:
    result = evaluate_network(
        trained.network, choose_examples(trained, split="validation").minibatches()
    )
    measured = [record["validation"] for record in trained.history]
    best = max(measured, key=lambda validation: (validation["accuracy"], -validation["cost"]))
    assert result.accuracy == best["accuracy"]
    assert result.cost == pytest.approx(best["cost"], rel=1e-6)


@pytest.mark.parametrize("split", ["validation", "train"])
def test_own_data_is_recognised_under_any_path(
    trained: Checkpoint, copied: Path, split: str
) -> None:
    here, there = (choose_examples(trained, path, split) for path in (None, str(copied)))
    assert there.path == str(copied)
    assert (here.indices == there.indices).all()


@pytest.mark.parametrize("split", ["validation", "train"])
def test_other_data_has_no_validation_or_train_split(
    trained: Checkpoint, copied: Path, split: str
) -> None:
    labels = copied / "train-labels-idx1-ubyte"
    contents = bytearray(labels.read_bytes())
    contents[-1] ^= 1
    labels.write_bytes(contents)
    with pytest.raises(DataError, match="expected the data that the model was trained on"):
        choose_examples(trained, str(copied), split)


def test_learned_examples_are_recognised(trained: Checkpoint, small_mnist: Path) -> None:
    parts = {split: choose_examples(trained, split=split) for split in SPLITS}
    assert [has_learned_from(trained, parts[split]) for split in SPLITS] == [False, False, True]
    reseeded = replace(trained, config=trained.config | {"seed": 2})
    assert [has_learned_from(reseeded, parts[split]) for split in SPLITS] == [False, True, True]
    damaged = replace(trained, config={})
    assert [has_learned_from(damaged, parts[split]) for split in SPLITS] == [False, True, True]
    unrelated = replace(trained, data_hash="x", data_sources=("y",))
    assert not any(has_learned_from(unrelated, examples) for examples in parts.values())
    multi_source = replace(trained, data_hash="x")  # a model of several sources
    assert [has_learned_from(multi_source, parts[split]) for split in SPLITS] == [False, True, True]


def test_learned_examples_of_one_of_several_sources_are_recognised(
    small_mnist: Path, tmp_path: Path
) -> None:
    other, third = without_test(tmp_path / "other", 100, 2000), tmp_path / "third"
    config = read_config(REPOSITORY / "configs" / "3blue1brown.yaml")
    data = msgspec.structs.replace(config.data, path=(str(small_mnist), str(other)))
    checkpoint = begin(msgspec.structs.replace(config, data=data)).checkpoint()
    assert has_learned_from(checkpoint, choose_examples(checkpoint, str(other)))
    assert not has_learned_from(checkpoint, choose_examples(checkpoint, str(small_mnist)))
    pictures = class_folders(third, {"0": 4, "9": 5})  # other classes, and other pictures
    assert not has_learned_from(checkpoint, choose_examples(checkpoint, str(pictures)))


def test_no_validation_split_is_reported(trained: Checkpoint) -> None:
    config = trained.config | {"data": trained.config["data"] | {"validation": 0}}
    with pytest.raises(DataError, match="expected a validation split, found none"):
        choose_examples(replace(trained, config=config), split="validation")


def test_missing_data_is_reported(trained: Checkpoint, tmp_path: Path) -> None:
    lost = replace(trained, data_path=str(tmp_path / "lost"))
    with pytest.raises(DataError, match=r"lost: expected the model's own data, found none"):
        choose_examples(lost)


def changed_mnist(folder: Path, small_mnist: Path, change: str) -> Path:
    """Write the small MNIST, transposed or dark on light, to a new folder and return the folder."""
    folder.mkdir()
    for split in ("train", "t10k"):
        name = f"{split}-images-idx3-ubyte"
        images = read_idx(small_mnist / name, 3)
        write_idx(folder / name, images.transpose(0, 2, 1) if change == "turned" else 255 - images)
        name = name.replace("images", "labels").replace("idx3", "idx1")
        shutil.copy(small_mnist / name, folder / name)
    return folder


@pytest.mark.parametrize("change", ["turned", "inverted"])
def test_transposed_and_inverted_data_is_corrected(
    trained: Checkpoint, small_mnist: Path, tmp_path: Path, change: str
) -> None:
    examples = choose_examples(trained, str(changed_mnist(tmp_path / "o", small_mnist, change)))
    expected = choose_examples(trained)
    assert (examples.dataset.images == expected.dataset.images).all()
    (remark,) = examples.dataset.remarks
    assert remark.startswith(str(tmp_path / "o"))


def test_an_older_model_trained_on_uncorrected_pixels_is_refused(
    trained: Checkpoint, small_mnist: Path, tmp_path: Path
) -> None:
    path = str(changed_mnist(tmp_path / "o", small_mnist, "inverted"))
    older = replace(trained, data_path=path, data_hash="as it was", data_sources=())
    with pytest.raises(DataError, match="pixels that digitnet now converts to MNIST's convention"):
        choose_examples(older)


def without_test(folder: Path, n: int = 2000, skip: int = 0) -> Path:
    """Write n pictures of MNIST without splits to a new folder and return the folder."""
    images, labels = read_mnist("train", n + skip)
    folder.mkdir()
    write_idx(folder / "images-idx3-ubyte", images[skip:])
    write_idx(folder / "labels-idx1-ubyte", labels[skip:])
    return folder


def test_data_without_splits_is_used_whole(trained: Checkpoint, tmp_path: Path) -> None:
    path = str(without_test(tmp_path / "whole", n=100, skip=2000))
    examples = choose_examples(trained, path)
    assert examples.split is None
    assert examples.indices.tolist() == list(range(100))
    assert not has_learned_from(trained, examples)


def test_own_data_without_splits_is_recognised_as_learned(
    trained: Checkpoint, tmp_path: Path
) -> None:
    examples = choose_examples(trained, str(without_test(tmp_path / "whole")))
    assert len(examples.indices) == 2000
    assert has_learned_from(trained, examples)


def test_data_without_splits_has_no_test_split(trained: Checkpoint, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected a test split, found none"):
        choose_examples(trained, str(without_test(tmp_path / "whole", n=10)), "test")


def class_folders(folder: Path, classes: dict[str, int]) -> Path:
    """Write a folder per class name, with two pictures of its digit; return the parent folder."""
    images, labels = read_mnist("t10k", 100)
    for name, digit in classes.items():
        (folder / name).mkdir(parents=True)
        for number, image in enumerate(images[labels == digit][:2]):
            Image.fromarray(image).save(folder / name / f"{number}.png")
    return folder


def test_class_names_of_a_folder_are_mapped(trained: Checkpoint, tmp_path: Path) -> None:
    path = class_folders(tmp_path / "folder", {"7": 7, "1": 1, "0": 0})
    examples = choose_examples(trained, str(path))
    assert examples.dataset.class_names == tuple("0123456789")
    assert examples.dataset.labels[examples.indices].tolist() == [0, 0, 1, 1, 7, 7]
    result = evaluate_network(trained.network, examples.minibatches())
    assert result.confusion.shape == (10, 10)
    assert np.flatnonzero(result.confusion.sum(axis=1)).tolist() == [0, 1, 7]


def test_a_class_unknown_to_the_model_is_refused(trained: Checkpoint, tmp_path: Path) -> None:
    path = class_folders(tmp_path / "folder", {"7": 7, "seven": 7})
    with pytest.raises(DataError, match=r"expected classes among 0, 1, .*; found 'seven'"):
        choose_examples(trained, str(path))


def test_the_test_folder_of_a_folder_comes_first(trained: Checkpoint, tmp_path: Path) -> None:
    class_folders(tmp_path / "folder" / "train", {"7": 7, "1": 1})
    class_folders(tmp_path / "folder" / "test", {"1": 1})
    examples = choose_examples(trained, str(tmp_path / "folder"))
    assert examples.split == "test"
    assert examples.dataset.labels[examples.indices].tolist() == [1, 1]


def test_a_label_without_an_output_of_the_model_is_refused(
    trained: Checkpoint, small_mnist: Path
) -> None:
    two = replace(trained, network=brightest(2), class_names=("0", "1"))
    with pytest.raises(DataError, match="found '2'"):
        choose_examples(two, str(small_mnist))


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"seed": 1},
        {"seed": 1, "data": 5},
        {"seed": "one", "data": {"validation": 5}},
        {"seed": -1, "data": {"validation": 5}},
        {"seed": 1, "data": {"validation": "all"}},
        {"seed": 1, "data": {"validation": -5}},
        {"seed": 1, "data": {"validation": 10**9}},
        {"seed": 1, "data": {"validation": None}},
    ],
)
def test_a_config_without_a_valid_split_is_refused(
    trained: Checkpoint, config: dict[str, object], tmp_path: Path
) -> None:
    config |= {key: trained.config[key] for key in ("network", "cost")}
    path = str(tmp_path / "m.npz")
    save_checkpoint(path, replace(trained, config=config))
    with pytest.raises(DigitnetError):
        choose_examples(load_checkpoint(path), split="validation")


# Comparison with guessing


@pytest.mark.parametrize(
    ("n", "classes", "right", "better"),
    [
        (5000, 10, 1.0, True),
        (5000, 10, 0.11, True),
        (5000, 10, 0.1, False),
        (5000, 10, 0.05, False),
        (5000, 2, 0.51, False),
        (5000, 2, 0.52, True),
        (5000, 1, 1.0, None),  # guessing is always right
        (100, 10, 0.1, False),
        (100, 10, 0.2, True),
        (20, 10, 0.1, False),
        (20, 10, 0.2, None),  # the true accuracy may be 10 % or 40 %
        (20, 10, 0.3, True),
        (10, 10, 0.1, None),
        (10, 10, 1.0, True),
        (2, 2, 0.0, None),
        (2, 2, 1.0, None),
        (1, 1, 0.0, None),
    ],
)
def test_a_model_beats_guessing_if_the_pictures_can_decide(
    n: int, classes: int, right: float, better: bool | None
) -> None:
    assert guessing(np.arange(n) % classes).beaten_by(right) is better


def test_guessing_answers_the_most_frequent_class() -> None:
    guess = guessing(np.array([0, 3, 3, 1] * 100))
    assert (guess.label, guess.share, guess.images) == (3, 0.5, 400)


def test_a_guessing_model_is_rarely_called_better() -> None:
    rng = np.random.default_rng(1)
    labels = rng.integers(10, size=500)
    answers = rng.integers(10, size=(400, 500))
    verdicts = [guessing(labels).beaten_by(float((a == labels).mean())) for a in answers]
    assert verdicts.count(True) <= 0.05 * 400
    assert verdicts.count(None) == 0


def test_a_folder_is_evaluated_as_predict_reads_it(tmp_path: Path) -> None:
    """A larger cross stands beside each digit; only the network recognises it as a non-digit."""
    images, labels = read_mnist("t10k", 10)
    for number, (image, label) in enumerate(zip(images, labels)):
        (tmp_path / "data" / str(label)).mkdir(parents=True, exist_ok=True)
        large = np.kron(255 - image, np.ones((4, 4), np.uint8))
        page = np.pad(large, ((60, 60), (10, 190)), constant_values=255)
        rows, columns = np.mgrid[:120, :120]
        cross = np.minimum(abs(rows - columns), abs(rows + columns - 119)) < 12
        page[50:170, 140:260][cross] = 0
        Image.fromarray(page).save(tmp_path / "data" / str(label) / f"{number}.png")
    for label in set(range(10)) - set(labels.tolist()):
        (tmp_path / "data" / str(label)).mkdir()
        Image.fromarray(255 - images[0]).save(tmp_path / "data" / str(label) / "7.png")
    model, checkpoint = load(SHIPPED), load_checkpoint(SHIPPED)
    folder = str(tmp_path / "data")
    examples = choose_examples(checkpoint, folder)
    paths = sorted((tmp_path / "data").glob("*/*.png"), key=lambda p: (p.parent.name, p.name))
    predictions = [model.predict(path) for path in paths]
    assert len(examples.dataset) == len(predictions)
    assert all(
        (prediction.reading.image == image).all()
        for prediction, image in zip(predictions, examples.dataset.images)
    )
    unscored = read_data(folder).training
    assert (unscored.images != examples.dataset.images).any()
    assert unscored.fingerprint == examples.dataset.fingerprint
    prepared = prepared_for(checkpoint, replace(examples, dataset=unscored))
    assert (prepared.dataset.images == examples.dataset.images).all()


# As `predict` answers


@pytest.mark.parametrize("n", [1, 15, 16, 37, 1013])
def test_answers_are_those_of_predict_to_the_last_bit(n: int, small_mnist: Path) -> None:
    checkpoint, dataset = load_checkpoint(SHIPPED), read_data(str(small_mnist)).training
    indices = np.arange(len(dataset))[-n:][::-1]
    result = evaluate_model(checkpoint, Examples("", None, dataset, indices))
    p, evidence, is_sure = Model(checkpoint).judge(dataset.images[indices])
    assert (result.answers == p.argmax(axis=1)).all()
    assert (result.confidences == p.max(axis=1)).all()
    assert (result.evidence == evidence).all()
    assert (result.doubtful == ~is_sure).all()


def test_the_cost_is_that_of_whole_minibatches(trained: Checkpoint) -> None:
    examples = choose_examples(trained)
    expected = evaluate_network(trained.network, examples.minibatches()).cost
    assert evaluate_model(trained, examples).cost == pytest.approx(expected, rel=1e-5)


def test_doubts_in_a_folder_are_those_of_predict(tmp_path: Path) -> None:
    folder = class_folders(tmp_path, {str(digit): digit for digit in range(10)})
    seven = 255 - read_mnist("t10k", 1)[0][0]
    doubtful = {
        "two digits": np.tile(seven, (1, 2)),
        "lines": np.full((300, 300), 255, np.uint8),
        "cross": np.full((100, 100), 255, np.uint8),
    }
    rows, columns = np.mgrid[:100, :100]
    is_ink = np.minimum(abs(rows - columns), abs(rows + columns - 99)) < 6
    doubtful["cross"][20:80, 20:80][is_ink[20:80, 20:80]] = 0
    doubtful["lines"][:, 20:40] = 0
    for name, picture in doubtful.items():
        Image.fromarray(picture).save(folder / "7" / f"{name}.png")
    model = load()
    result = evaluate_model(model.checkpoint, choose_examples(model.checkpoint, str(folder)))
    paths = [result.name_of(position) for position in range(result.images)]
    predictions = model.predict(paths)
    assert {Path(path).stem for path in paths} >= doubtful.keys()
    assert result.confidences.tolist() == [each.confidence for each in predictions]
    reasons = [result.doubts.get(position) for position in range(result.images)]
    assert reasons == [each.doubt for each in predictions]
    assert result.doubtful.tolist() == [each.digit is None for each in predictions]
    assert sum(reason is not None for reason in reasons) >= 3
    assert sum("found 2 possible digits" in (reason or "") for reason in reasons) == 1
    assert sum("found a line" in (reason or "") for reason in reasons) == 1


# Pictures without a digit


def with_non_digits(*labels: int) -> tuple[Checkpoint, Examples]:
    """Return a model that is unsure of blank pictures, and blank and bright pictures."""
    answers = [0, 1, 2, 0, 1][: len(labels)]
    data = pictures(answers, [0] * len(labels), classes=3)
    data = replace(data, labels=np.array(labels))
    data.images[data.labels == NON_DIGIT] = 0
    calibration = Calibration(1.0, min_confidence=0.5)
    network = brightest(3)
    checkpoint = Checkpoint(network, {}, ("0", "1", "2"), "", "", [], calibration=calibration)
    return checkpoint, Examples("", None, data, np.arange(len(labels)))


def test_pictures_without_a_digit_are_counted_apart() -> None:
    checkpoint, examples = with_non_digits(0, NON_DIGIT, 0, NON_DIGIT, 1)
    examples.dataset.images[3, 0, 1] = 255
    result = evaluate_model(checkpoint, examples)
    assert result.non_digits == (2, 1)
    assert result.confusion.tolist() == [[1, 0, 1], [0, 1, 0], [0, 0, 0]]
    assert result.doubtful.tolist() == [False] * 3
    assert result.indices is not None
    assert result.indices.tolist() == [0, 2, 4]
    digits = replace(examples, indices=np.array([0, 2, 4]))
    assert evaluate_model(checkpoint, digits).cost == result.cost
    assert evaluate_model(checkpoint, digits).non_digits is None


# A validation set of the data's own


def of_sets(monkeypatch: pytest.MonkeyPatch, *answers: Data) -> list[ReadOptions]:
    """Make `read_data` return this data in turn; return the options it was called with."""
    rest, options = list(answers), []

    def read(_: object, given: ReadOptions) -> Data:
        options.append(given)
        return rest.pop(0) if len(rest) > 1 else rest[0]

    monkeypatch.setattr("digitnet.model.data.read_data", read)
    return options


def own_sets() -> Data:
    training = pictures([0, 1, 2, 0], [0, 1, 2, 1], classes=3)
    validation = replace(pictures([1, 2], [0, 1], classes=2), class_names=("1", "2"))
    return Data(training, pictures([2], [2], classes=3), validation)


def model_of(data: Data, small_mnist: Path, validation: int = 0) -> Checkpoint:
    config = {
        "data": {"path": str(small_mnist), "validation": validation},
        "network": {"layer_sizes": [784, 3]},
        "seed": 1,
    }
    sources = data.training.source_hashes
    names = ("0", "1", "2")
    path, found = str(small_mnist), data.fingerprint
    return Checkpoint(brightest(3), config, names, path, found, [], data_sources=sources)


def test_a_class_of_an_older_model_is_no_name_of_non_digits(small_mnist: Path) -> None:
    checkpoint = replace(model_of(own_sets(), small_mnist), class_names=("1", "2", "None"))
    assert model_options(checkpoint, ReadOptions()).non_digits == ("nothing", "nan")


def test_an_own_validation_set_is_evaluated(
    monkeypatch: pytest.MonkeyPatch, small_mnist: Path
) -> None:
    data = own_sets()
    checkpoint = model_of(data, small_mnist)
    of_sets(monkeypatch, data)
    for path in (None, "others"):
        examples = choose_examples(checkpoint, path, "validation")
        assert examples.dataset.labels.tolist() == [1, 2]
        assert evaluate_model(checkpoint, examples).accuracy == 1
        assert not has_learned_from(checkpoint, examples)
    learned = choose_examples(checkpoint, split="train")
    assert learned.indices.tolist() == [0, 3]  # validation holds the same pictures as 1 and 2
    assert has_learned_from(checkpoint, learned)
    other = replace(checkpoint, data_hash="x", data_sources=())
    assert len(choose_examples(other, "others", "validation").dataset) == 2
    with pytest.raises(DataError, match="only this data has a train split"):
        choose_examples(other, "others", "train")


def test_own_data_with_fewer_classes_than_the_model_keeps_its_splits(
    monkeypatch: pytest.MonkeyPatch, small_mnist: Path
) -> None:
    training = pictures([1, 2] * 4, [0, 1] * 4, classes=2)
    training.images[:, 5, 5] = np.arange(8)  # all different
    data = Data(replace(training, class_names=("1", "2")))
    checkpoint = model_of(data, small_mnist, validation=3)
    of_sets(monkeypatch, data)
    held_out = choose_examples(checkpoint, split="validation")
    assert evaluate_model(checkpoint, held_out).accuracy == 1
    assert (held_out.dataset.class_names, len(held_out.indices)) == (("0", "1", "2"), 3)
    assert not has_learned_from(checkpoint, held_out)
    assert has_learned_from(checkpoint, choose_examples(checkpoint, split="train"))


def test_data_without_digits_is_refused(monkeypatch: pytest.MonkeyPatch, small_mnist: Path) -> None:
    data = own_sets()
    data.training.labels[:] = NON_DIGIT
    of_sets(monkeypatch, Data(data.training))
    with pytest.raises(DataError, match="others: expected pictures of digits, found none"):
        choose_examples(model_of(data, small_mnist), "others")


def test_options_reach_the_reader(
    monkeypatch: pytest.MonkeyPatch, small_mnist: Path, trained: Checkpoint
) -> None:
    options = of_sets(monkeypatch, own_sets())
    given = ReadOptions(strict=True, parallel=True)
    for path in (None, "others"):
        choose_examples(model_of(own_sets(), small_mnist), path, None, given)
    assert len(options) == 2
    assert all(each.strict and each.parallel and each.score for each in options)


def test_data_are_read_once_for_several_splits(
    monkeypatch: pytest.MonkeyPatch, small_mnist: Path
) -> None:
    options = of_sets(monkeypatch, own_sets())
    labelled = read_labelled(model_of(own_sets(), small_mnist))
    found = {split: labelled.examples(split) for split in (None, *SPLITS)}
    assert [examples.split for examples in found.values()] == ["test", *SPLITS]
    assert [len(examples.indices) for examples in found.values()] == [1, 1, 2, 2]
    assert len(options) == 1


# The pictures of a baseline


def folder_of_digits(folder: Path, n: int = 62, *, turned: bool = False) -> Path:
    """Write test digits as DIGIT/NUMBER.png to a new folder and return the folder."""
    for number, (image, label) in enumerate(zip(*read_mnist("t10k", n))):
        (folder / str(label)).mkdir(parents=True, exist_ok=True)
        path = folder / str(label) / f"{number}.png"
        Image.fromarray(image.T if turned else image).save(path)
    return folder


@pytest.mark.parametrize("turned", [False, True])
def test_a_baseline_prepares_the_chosen_pictures_of_folders_anew(
    tmp_path: Path, turned: bool
) -> None:
    checkpoint = load_checkpoint(SHIPPED)
    folder = folder_of_digits(tmp_path / "folder", turned=turned)
    array = without_test(tmp_path / "array", n=40)
    if turned:
        images = read_mnist("train", 40)[0].transpose(0, 2, 1)
        write_idx(array / "images-idx3-ubyte", images)
    examples = choose_examples(checkpoint, (str(folder), str(array)))
    assert examples.turned == turned
    damaged = Path(examples.dataset.name_of(1))
    damaged.write_bytes(b"")
    blank = replace(
        examples.dataset, images=np.zeros((102, 28, 28), np.uint8), digits=None, priors=None
    )
    indices = np.delete(np.arange(102), 3)
    prepared = prepared_for(checkpoint, replace(examples, dataset=blank, indices=indices)).dataset
    is_new = np.arange(102) < 62
    is_new[[1, 3]] = False
    assert (prepared.images[is_new] == examples.dataset.images[is_new]).all()
    assert not prepared.images[~is_new].any()
    assert prepared.digits is not None
    assert prepared.priors is not None
    assert (prepared.digits[is_new] == examples.dataset.digits[is_new]).all()
    assert (prepared.priors[is_new] == examples.dataset.priors[is_new]).all()
    assert not blank.images.any()
    strict = ReadOptions(strict=True)
    with pytest.raises(DataError, match=re.escape(str(damaged))):
        prepared_for(checkpoint, examples, strict)


def test_a_baseline_does_not_prepare_arrays(trained: Checkpoint) -> None:
    examples = choose_examples(trained)
    assert prepared_for(trained, examples) is examples
