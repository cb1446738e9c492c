"""The Python API: its names, what its functions return, and a fast import."""

import importlib
import importlib.metadata
import io
import math
import os
import re
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from conftest import REPOSITORY, Run, read_mnist
from PIL import Image

import digitnet
from digitnet.config.definition import DataSection
from digitnet.config.reader import resolve_config

PICTURES = REPOSITORY / "data" / "pictures"
SEVEN = PICTURES / "seven.png"


def test_import_loads_neither_numpy_nor_click() -> None:
    code = "import sys, digitnet; print({'numpy', 'click', 'msgspec', 'yaml'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout == b"set()\n"


@pytest.mark.parametrize("name", digitnet.__all__)
def test_each_public_name_exists(name: str) -> None:
    module = importlib.import_module(f"digitnet.{digitnet._HOMES[name]}")
    assert getattr(digitnet, name) is getattr(module, name)


def test_every_lazy_name_is_public() -> None:
    assert set(digitnet.__all__) == set(digitnet._HOMES)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'digitnet' has no attribute 'trian'"):
        digitnet.trian  # noqa: B018


def test_the_version_is_the_installed_version() -> None:
    assert digitnet.__version__ == importlib.metadata.version("digitnet")


def test_digitnet_runs_as_a_module(run: Run) -> None:
    command = [sys.executable, "-m", "digitnet", "--version"]
    done = subprocess.run(command, capture_output=True, check=True)
    assert done.stdout == run("--version").stdout
    assert digitnet.__version__.encode() in done.stdout


def test_the_package_contains_py_typed() -> None:
    assert (Path(digitnet.__file__).parent / "py.typed").is_file()


# Models, evaluation and training


@pytest.fixture(scope="module")
def shipped() -> digitnet.Model:
    return digitnet.load()


def test_one_picture_in_any_form_gives_one_prediction(shipped: digitnet.Model) -> None:
    array = np.asarray(Image.open(SEVEN).convert("L"))
    for picture in (str(SEVEN), SEVEN, SEVEN.read_bytes(), Image.open(SEVEN), array):
        assert shipped.predict(picture).digit == 7
    assert shipped.predict(array[:, :, np.newaxis]).digit == 7


def test_several_pictures_in_any_form_give_a_list(shipped: digitnet.Model) -> None:
    images, labels = read_mnist("t10k", 4)
    expected = labels.tolist()
    for pictures in (images, list(images), tuple(images), iter(images), images / 255):
        assert [answer.digit for answer in shipped.predict(pictures)] == expected
    assert [answer.digit for answer in shipped.predict(images[..., np.newaxis])] == expected
    assert [answer.digit for answer in shipped.predict(PICTURES.glob("seven.*"))] == [7]
    assert shipped.predict([]) == []
    assert shipped.predict(images[:0]) == []


def test_errors_can_be_returned_instead_of_predictions(shipped: digitnet.Model) -> None:
    blank = np.full((28, 28), 255, np.uint8)
    first, error, last, unread = shipped.predict([SEVEN, "no.png", SEVEN, blank], errors="return")
    assert isinstance(first, digitnet.Prediction)
    assert isinstance(last, digitnet.Prediction)
    assert (first.digit, last.digit) == (7, 7)
    assert str(error) == "no.png: no such file"
    assert isinstance(unread, digitnet.ImageError)
    assert str(unread).startswith("picture 3: expected a digit, found no ink")
    assert isinstance(shipped.predict("no.png", errors="return"), digitnet.ImageError)
    with pytest.raises(digitnet.ImageError, match=r"no\.png"):
        shipped.predict([SEVEN, "no.png"])
    with pytest.raises(ValueError, match="errors: expected 'raise' or 'return', found 'ignore'"):
        shipped.predict(SEVEN, errors="ignore")  # type: ignore[call-overload]


def test_returned_errors_hold_no_pixels(shipped: digitnet.Model) -> None:
    blank = [np.full((500, 500), 255, np.uint8) for _ in range(3)]
    for error in shipped.predict(blank, errors="return"):
        assert isinstance(error, digitnet.ImageError)
        assert error.__traceback__ is None
        assert error.__context__ is None


def test_the_last_axis_tells_colours_from_several_pictures(shipped: digitnet.Model) -> None:
    image = np.asarray(Image.open(SEVEN).convert("L"))
    colours = np.stack([image] * 3, axis=-1)
    assert shipped.predict(colours).digit == 7
    assert [answer.digit for answer in shipped.predict(colours[np.newaxis])] == [7]
    several = np.stack([image] * 5)
    assert [answer.digit for answer in shipped.predict(several)] == [7] * 5
    found = shipped.predict(np.zeros((28, 28, 5), np.uint8), errors="return")
    assert len(found) == 28
    paths = np.array([str(SEVEN), str(SEVEN)])
    assert [answer.digit for answer in shipped.predict(paths)] == [7, 7]


@pytest.mark.parametrize("value", [5, None, bytearray(b"x"), io.BytesIO(b"x")])
def test_a_value_of_another_type_is_an_image_error(shipped: digitnet.Model, value: object) -> None:
    with pytest.raises(digitnet.ImageError, match=type(value).__name__):
        shipped.predict(value)  # type: ignore[call-overload]


def test_probabilities_and_score_agree(shipped: digitnet.Model) -> None:
    images, labels = read_mnist("t10k", 300)
    probabilities = shipped.probabilities(images)
    assert probabilities.shape == (300, 10)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    np.testing.assert_allclose(shipped.probabilities(images / 255), probabilities, atol=1e-5)
    flat = images.reshape(300, 784)
    np.testing.assert_array_equal(shipped.probabilities(flat), probabilities)
    right = (probabilities.argmax(axis=1) == labels).mean()
    assert shipped.score(images, labels) == right > 0.9
    for labelled in ([10] * 300, labels.astype(str)):
        with pytest.raises(ValueError, match="labels: expected 0, 1, 2, 3"):
            shipped.score(images, labelled)
    with pytest.raises(ValueError, match="expected 300 labels"):
        shipped.score(images, labels[:5])
    with pytest.raises(ValueError, match="expected at least one image"):
        shipped.score(images[:0], labels[:0])
    with pytest.raises(ValueError, match=r"found shape \(28, 28\)"):
        shipped.probabilities(images[0])


def test_score_compares_class_names(shipped: digitnet.Model) -> None:
    images, labels = read_mnist("t10k", 50)
    names = tuple("abcdefghij")
    model = digitnet.Model(replace(shipped.checkpoint, class_names=names))
    mixed = digitnet.Model(replace(shipped.checkpoint, class_names=(*map(str, range(9)), "nine")))
    labelled = ["nine" if label == 9 else int(label) for label in labels]
    assert mixed.score(images, labelled) == shipped.score(images, labels)
    assert model.score(images, [names[label] for label in labels]) == shipped.score(images, labels)


def test_a_saved_model_gives_the_same_answers(shipped: digitnet.Model, tmp_path: Path) -> None:
    shipped.with_thresholds(0.5, 0.0).save(tmp_path / "my.npz")
    model = digitnet.load(tmp_path / "my.npz")
    answer, expected = model.predict(SEVEN), shipped.predict(SEVEN)
    np.testing.assert_array_equal(answer.probabilities, expected.probabilities)
    assert answer.calibration[1:] == (0.5, 0.0)
    with pytest.raises(digitnet.OutputError, match="cannot be written"):
        model.save(tmp_path / "no" / "my.npz")
    for path in (f"{tmp_path}/new/", "a\0b"):
        with pytest.raises(digitnet.OutputError):
            model.save(path)


@pytest.mark.parametrize("thresholds", [(2, 0), (-0.1, 0), (0, -1), (0, 1e300), (np.nan, 0)])
def test_thresholds_that_no_model_file_may_hold_are_refused(
    shipped: digitnet.Model, thresholds: tuple[float, float]
) -> None:
    with pytest.raises(ValueError, match="expected thresholds of 0 to 1 and 0 to"):
        shipped.with_thresholds(*thresholds)


def test_concurrent_saves_leave_a_complete_model(shipped: digitnet.Model, tmp_path: Path) -> None:
    def save() -> None:
        for _ in range(20):
            shipped.save(tmp_path / "my.npz")

    with ThreadPoolExecutor(3) as pool:
        writers = [pool.submit(save) for _ in range(3)]
        while not all(writer.done() for writer in writers):
            if (tmp_path / "my.npz").exists():
                digitnet.load(tmp_path / "my.npz")
        assert [writer.result() for writer in writers] == [None] * 3
    assert os.listdir(tmp_path) == ["my.npz"]


def test_evaluate_agrees_with_the_command(shipped: digitnet.Model, run: Run) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = digitnet.evaluate(shipped, REPOSITORY / "data" / "mnist")
    done = run("evaluate", "-m", shipped.path, "--data", "data/mnist", cwd=REPOSITORY)
    assert f"accuracy {result.accuracy:.2%}".encode() in done.stdout
    assert result.confusion.sum() == result.images == 10_000
    with pytest.raises(digitnet.DataError, match="no such"):
        digitnet.evaluate(shipped, "nowhere")
    with pytest.raises(ValueError, match="split: expected 'test'"):
        digitnet.evaluate(shipped, "nowhere", split="tests")  # type: ignore[arg-type]


def test_evaluate_warns_if_the_model_was_trained_on_the_data(shipped: digitnet.Model) -> None:
    with pytest.warns(UserWarning, match="the model was trained on these pictures"):
        digitnet.evaluate(shipped, REPOSITORY / "data" / "optdigits")


def test_the_network_is_a_function_of_pixels(shipped: digitnet.Model) -> None:
    images, _ = read_mnist("t10k", 5)
    assert shipped.network(images.reshape(5, 784) / 255).shape == (5, 10)


def test_training_is_a_loop_over_its_progress(config_file: Path) -> None:
    config = digitnet.read_config(config_file, ["training.epochs=2"])
    records = [progress.record for progress in digitnet.train(config) if progress.record]
    assert [record.epoch for record in records] == [1, 2]
    assert records[1].validation is not None
    assert 0.5 < records[1].validation.accuracy <= 1


def test_a_config_is_a_path_a_dict_or_a_config(
    config_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = digitnet.read_config(config_file, ["training.epochs=1"])
    values = msgspec.to_builtins(config)
    monkeypatch.chdir(Path(config.data.path).parent)
    values["data"]["path"] = Path(Path(config.data.path).name)
    results = []
    for form in (config, values, config_file):
        for progress in digitnet.train(form):
            if progress.record:
                break
        results.append(progress.state.current_network().parameters)
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0], results[2])


def test_mistakes_in_a_dict_name_their_key() -> None:
    values: dict[str, Any] = {"data": {"path": "x"}, "network": {"layer_sizes": [784, 10]}}
    for section, key, value in (
        ("training", "epochs", 0),
        ("training", "epochs", np.float64(1.5)),
        ("training", "epoch", 3),
        ("network", "activation", sum),
        ("network", "layer_sizes", (784, "a", 10)),
        ("training", "l2", math.inf),
        ("training", "epochs", 2**80),
    ):
        invalid = values | {section: values.get(section, {}) | {key: value}}
        with pytest.raises(digitnet.ConfigError, match=f"^{section}.{key}: expected "):
            next(digitnet.train(invalid))
    for invalid in (values | {1: 2}, values | {"training": {1: 2}}):
        with pytest.raises(digitnet.ConfigError, match="expected a key, found 1"):
            next(digitnet.train(invalid))
    with pytest.raises(digitnet.DataError, match="x: no such file"):
        next(digitnet.train(values))


def test_a_dict_or_config_may_hold_numpy_numbers_and_paths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    network = {"layer_sizes": np.array([784, 5, 10])}
    training = {"l2": np.float64(0.1), "epochs": np.int64(3), "batch_norm": np.True_}
    values = {"data": {"path": Path("d")}, "network": network, "training": training}
    config = resolve_config(values)
    assert config.network.layer_sizes == (784, 5, 10)
    assert (config.training.l2, config.training.epochs) == (0.1, 3)
    assert (config.data.path, config.model) == (f"{tmp_path}/d", f"{tmp_path}/model.npz")
    assert type(values["data"]["path"]) is type(Path())
    by_hand = msgspec.structs.replace(
        config,
        data=DataSection(path=Path("d")),
        model="model.npz",  # type: ignore[arg-type]
    )
    assert resolve_config(by_hand) == config


def test_the_best_model_is_a_model_before_and_after_the_first_epoch(config_file: Path) -> None:
    config = digitnet.read_config(config_file, ["training.epochs=2"])
    models = [progress.state.best_model() for progress in digitnet.train(config)]
    images, labels = read_mnist("t10k", 200)
    assert models[0].score(images, labels) < 0.4
    assert models[-1].score(images, labels) > 0.5
    assert models[-1].checkpoint.state == {}


def test_each_object_has_a_repr(shipped: digitnet.Model, config_file: Path) -> None:
    assert repr(shipped.network) == "Network(784-400-100-10, relu, softmax)"
    path, classes = shipped.path, "classes 0, 1, 2, 3, 4, 5, 6, 7, 8, 9"
    network = "Network(784-400-100-10, relu, softmax)"
    assert repr(shipped) == f"Model({path!r}, {network}, {classes})"
    result = digitnet.Evaluation(0.5, np.array([1, 1]), np.array([1, 0]), np.ones(2), 2)
    assert repr(result).startswith("Evaluation(2 images, accuracy 0.5000, 95 % interval ")
    *_, progress = digitnet.train(digitnet.read_config(config_file, ["training.epochs=1"]))
    assert re.fullmatch(
        r"TrainingState\(finished after 1 epochs, "
        r"best validation accuracy 0\.\d{4} in epoch 1\)",
        repr(progress.state),
    )
    start = next(digitnet.train(digitnet.read_config(config_file, ["training.epochs=3"])))
    assert re.fullmatch(r"TrainingState\(epoch 1 of 3, step 0 of 50\)", repr(start.state))


def test_help_shows_examples_and_every_name() -> None:
    code = "import digitnet; help(digitnet)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert "digitnet.train(" in done.stdout
    for name in set(digitnet.__all__) - {"__version__"}:
        assert name in done.stdout


SCRIPT = """
import sys
from pathlib import Path

import digitnet

model = digitnet.load()
one = model.predict(sys.argv[1])
digit: int | str | None = one.digit
many: list[digitnet.Prediction] = model.predict([Path("a.png"), "b.png"])
for answer in model.predict(Path().glob("*.png"), errors="return"):
    if isinstance(answer, digitnet.ImageError):
        print(answer.problem)
    else:
        print(answer.digit, answer.confidence)
accuracy: float = digitnet.evaluate(model, "data/mnist").accuracy
for progress in digitnet.train({"data": {"path": "x"}, "network": {"layer_sizes": [784, 10]}}):
    if progress.record and progress.record.validation:
        print(progress.record.validation.accuracy)
progress.state.best_model().save("my.npz")
"""


def test_a_users_script_passes_strict_type_checks(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    cache = str(REPOSITORY / ".mypy_cache")
    check = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", cache, "script.py"]
    done = subprocess.run(check, check=False, cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout == "Success: no issues found in 1 source file\n"
