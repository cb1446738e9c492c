"""Test predictions from Python: pictures of all kinds, answers, and the choice of the model."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import read_mnist
from PIL import Image

import digitnet
from digitnet.errors import CheckpointError, ImageError
from digitnet.image.ink.components import connected_components
from digitnet.image.reading import read
from digitnet.model.calibration import NO_CALIBRATION, Calibration
from digitnet.model.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from digitnet.model.locations import SHIPPED
from digitnet.model.prediction import Model, Prediction, load
from digitnet.network.network import Network

READING = read(read_mnist("t10k", 1)[0][0])


@pytest.fixture(scope="module")
def trained(model: Path) -> Model:
    return load(model)


@pytest.fixture
def seven(pictures: Path) -> Path:
    return pictures / "00.png"


def checkpoint_of(network: Network, calibration: Calibration = NO_CALIBRATION) -> Checkpoint:
    return Checkpoint(network, {}, tuple("0123456789"), "", "", [], calibration=calibration)


# Pictures


def test_a_picture_is_a_path_bytes_an_image_or_an_array(trained: Model, seven: Path) -> None:
    with Image.open(seven) as image:
        array = np.asarray(image)
        kinds = [str(seven), seven, seven.read_bytes(), image, array]
        kinds += [np.stack([array] * 3, axis=-1)]
        answers = [trained.predict(kind) for kind in kinds]
    assert [answer.digit for answer in answers] == [7] * 6
    assert len({answer.probabilities.tobytes() for answer in answers}) == 1


def test_a_list_gives_a_list(trained: Model, pictures: Path) -> None:
    paths = sorted(pictures.iterdir())[:3]
    answers = trained.predict(list(paths))
    assert [answer.digit for answer in answers] == [trained.predict(p).digit for p in paths]
    assert trained.predict([]) == []


def test_most_unseen_pictures_are_read_correctly(trained: Model, pictures: Path) -> None:
    _, labels = read_mnist("t10k", 20)
    digits = [answer.digit for answer in trained.predict(sorted(pictures.iterdir()))]
    assert sum(digit == label for digit, label in zip(digits, labels)) >= 15


def test_an_unreadable_picture_is_an_image_error(trained: Model, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"none\.png: no such file"):
        trained.predict(tmp_path / "none.png")
    with pytest.raises(ImageError, match="picture: expected a digit, found no ink"):
        trained.predict(np.zeros((28, 28), np.uint8))


def test_one_bad_picture_in_a_list_is_an_image_error(trained: Model, seven: Path) -> None:
    with pytest.raises(ImageError):
        trained.predict([seven, b"no picture"])


def test_an_error_is_an_answer_among_named_pictures(trained: Model, seven: Path) -> None:
    batch = [("a", str(seven)), ("b", b"no picture"), ("c", str(seven))]
    answers = dict(answer for portion in trained.answers([batch]) for answer in portion)
    assert list(answers) == ["a", "b", "c"]
    assert isinstance(answers["b"], ImageError)
    assert str(answers["b"]).startswith("b: expected a picture")
    assert [answers[name].digit for name in "ac"] == [7, 7]  # type: ignore[union-attr]


def test_no_batch_is_requested_before_the_last_is_answered(trained: Model, seven: Path) -> None:
    requested = []

    def batches() -> Iterator[list[tuple[str, str]]]:
        for name in "ab":
            requested.append(name)
            yield [(name, str(seven))]

    answers = trained.answers(batches())
    assert [name for name, _ in next(answers)] == ["a"]
    assert requested == ["a"]


def test_an_answer_does_not_depend_on_the_other_pictures(trained: Model) -> None:
    images, _ = read_mnist("t10k", 70)
    alone = [trained.predict(image).probabilities for image in images]
    for n in (2, 31, 32, 33, 70):
        together = [answer.probabilities for answer in trained.predict(list(images[:n]))]
        assert np.array_equal(together, alone[:n])


# Answers


def test_the_digit_is_an_int(trained: Model, seven: Path) -> None:
    assert type(trained.predict(seven).digit) is int


def test_the_confidence_is_the_largest_probability(trained: Model, seven: Path) -> None:
    answer = trained.predict(seven)
    assert answer.confidence == answer.probabilities.max()
    assert type(answer.confidence) is float


@pytest.mark.parametrize("output", ["softmax", "sigmoid"])
def test_probabilities_sum_to_1(seven: Path, output: str) -> None:
    network = Network([784, 10], output=output, cost="cross_entropy")
    network.initialise(rng=np.random.default_rng(1))
    answer = Model(checkpoint_of(network)).predict(seven)
    assert answer.probabilities.shape == (10,)
    assert answer.probabilities.sum() == pytest.approx(1, abs=1e-6)
    assert (answer.probabilities >= 0).all()


@pytest.mark.parametrize("output", ["softmax", "sigmoid"])
def test_the_temperature_changes_confidence_but_no_answer(output: str) -> None:
    network = Network([784, 10], output=output, cost="cross_entropy")
    network.initialise(rng=np.random.default_rng(1))
    digits = read_mnist("t10k", 40)[0]
    images = [digit for digit in digits if len(connected_components(digit > 50)) == 1]
    cold, plain, hot = (
        Model(checkpoint_of(network, Calibration(temperature))).predict(images)
        for temperature in (0.5, 1.0, 2.0)
    )
    for three in zip(cold, plain, hot):
        assert len({answer.digit for answer in three}) == 1
        confidences = [answer.confidence for answer in three]
        assert confidences == sorted(confidences, reverse=True)
        assert confidences[0] > confidences[2]


def test_a_model_is_loaded_with_its_temperature(model: Path, tmp_path: Path, seven: Path) -> None:
    checkpoint = load_checkpoint(model)
    save_checkpoint(str(tmp_path / "m.npz"), replace(checkpoint, calibration=Calibration(1.5)))
    plain = Model(replace(checkpoint, calibration=NO_CALIBRATION))
    outputs = plain.predict(seven).probabilities
    expected = outputs ** (1 / 1.5)
    expected /= expected.sum()
    assert load(tmp_path / "m.npz").predict(seven).probabilities == pytest.approx(expected)
    assert load(model).calibration == checkpoint.calibration


def test_top_gives_the_likeliest_first() -> None:
    answer = Prediction(np.array([0.1, 0.6, 0.3]), ("0", "1", "zwei"), READING, 1.0)
    top = answer.top(3)
    assert [digit for digit, _ in top] == [1, "zwei", 0]
    assert [confidence for _, confidence in top] == pytest.approx([0.6, 0.3, 0.1])
    assert answer.top(1) == top[:1]
    assert len(answer.top(99)) == 3


def test_the_first_of_equal_probabilities_is_the_answer() -> None:
    assert Prediction(np.array([0.2, 0.4, 0.4]), ("0", "1", "2"), READING, 1.0).digit == 1


@pytest.mark.parametrize(
    ("digits", "min_confidence", "min_evidence", "digit"),
    [
        (1, 0.6, 2.0, 1),
        (1, 0.61, 2.0, None),
        (1, 0.6, 2.1, None),
        (2, 0.1, 0.0, None),
        (2, 0, 0.0, 1),
        (1, 0, 2.1, None),
    ],
)
def test_low_confidence_low_evidence_or_several_digits_give_no_digit(
    digits: int, min_confidence: float, min_evidence: float, digit: int | None
) -> None:
    reading, calibration = (
        replace(READING, digits=digits),
        Calibration(1.0, min_confidence, min_evidence),
    )
    answer = Prediction(np.array([0.4, 0.6]), ("0", "1"), reading, 2.0, calibration)
    assert answer.digit == digit
    assert answer.top(1) == [(1, 0.6)]


# The choice of the model


def test_a_model_knows_its_file(model: Path) -> None:
    assert load(model).path == str(model)
    assert load(str(model)).path == str(model)


def test_without_a_path_it_is_the_shipped_model(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(model.parent)  # where model.npz is another model
    monkeypatch.setenv("DIGITNET_MODEL", str(model))
    assert load().path == load("shipped").path == SHIPPED


def test_a_picture_as_model_is_refused(seven: Path) -> None:
    with pytest.raises(CheckpointError, match=r"00\.png: "):
        digitnet.load(seven)


def test_class_names_of_a_model_are_its_answers(model: Path, tmp_path: Path, seven: Path) -> None:
    checkpoint = load_checkpoint(model)
    names = ("zero", *"123456", "sieben", "8", "9")
    save_checkpoint(str(tmp_path / "m.npz"), replace(checkpoint, class_names=names))
    assert digitnet.load(tmp_path / "m.npz").predict(seven).digit == "sieben"


@pytest.mark.parametrize("shape", [(784,), (1, 784), (28, 784), (500, 784), (784, 784)])
def test_rows_of_flattened_pictures_are_not_read_as_one_picture(
    trained: Model, shape: tuple[int, ...]
) -> None:
    found = f"found an array of the shape {shape}: reshape(-1, 28, 28) makes pictures of rows"
    with pytest.raises(ImageError, match=re.escape(found)):
        trained.predict(np.zeros(shape, np.uint8))
    with pytest.raises(ImageError, match="no ink"):
        trained.predict(Image.new("L", (784, 500)))


@pytest.mark.parametrize("dtype", [np.int64, np.uint16, np.int32, np.float16, np.float32, float])
def test_equal_numbers_of_any_dtype_are_the_same_picture(
    trained: Model, dtype: np.dtype, seven: Path
) -> None:
    image = np.asarray(Image.open(seven)) // 2  # so that the lightest is less than white
    large = np.kron(image, np.ones((50, 50), np.uint8))
    for array in (image, large, np.stack([image] * 3, axis=-1)):
        expected = trained.predict(array).probabilities.tobytes()
        assert trained.predict(array.astype(dtype)).probabilities.tobytes() == expected
    fractions = trained.predict(image.astype(np.float32) / np.float32(255))
    assert fractions.probabilities.tobytes() == trained.predict(image).probabilities.tobytes()
    halves = trained.predict(image / 2 + 0.25)
    assert halves.probabilities == pytest.approx(trained.predict(image).probabilities, abs=0.02)


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.int64, np.float32, float])
def test_negative_numbers_in_an_array_are_refused(trained: Model, dtype: type) -> None:
    array = np.array(read_mnist("t10k", 1)[0][0], dtype) - 1
    found = f"an array of {array.dtype} from {array.min()} to {array.max()}, not from 0 to 1"
    with pytest.raises(ImageError, match=re.escape(found)):
        trained.predict(array)


def test_colours_of_another_dtype_are_refused(trained: Model) -> None:
    found = "an array of the shape (28, 28, 3) of float32, not of uint8"
    with pytest.raises(ImageError, match=re.escape(found)):
        trained.predict(np.full((28, 28, 3), 0.5, np.float32))


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
def test_an_array_that_is_not_finite_is_refused(trained: Model, value: float) -> None:
    array = read_mnist("t10k", 1)[0][0] / 255
    array[3, 4] = value
    with pytest.raises(ImageError, match="finite"):
        trained.predict(array)


@pytest.mark.parametrize("shape", [(), (783,), (28, 28, 0)])
def test_an_array_of_another_shape_is_refused(trained: Model, shape: tuple[int, ...]) -> None:
    with pytest.raises(ImageError, match=re.escape(f"an array of the shape {shape}, not (h, w)")):
        trained.predict(np.zeros(shape, np.uint8))
