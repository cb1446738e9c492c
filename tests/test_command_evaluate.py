"""The installed `digitnet evaluate`."""

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from conftest import Run, read_mnist, train_model
from PIL import Image

from digitnet.config.reader import to_config
from digitnet.dataset.classes import DIGITS
from digitnet.model.calibration import Calibration
from digitnet.model.checkpoint import Checkpoint, save_checkpoint
from digitnet.model.locations import SHIPPED
from digitnet.network.network import Network

KEYS = {
    *("model", "data", "images", "accuracy", "interval", "cost", "confusion", "digits"),
    *("temperature", "calibration_error", "reliability", "coverage"),
    *("doubtful", "sure_accuracy", "unreadable"),
}


def evaluated(run: Run, *arguments: str | Path, **options: Any) -> dict[str, Any]:
    """Run `evaluate --format json`, check that stderr is empty, and return the object."""
    done = run("evaluate", *arguments, "--format", "json", **options)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.count(b"\n") == 1
    value = json.loads(done.stdout)
    assert isinstance(value, dict)
    return value


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory, small_mnist: Path, run: Run) -> Path:
    """A model that is less accurate than `model`, trained for one epoch."""
    return train_model(
        tmp_path_factory.mktemp("hasty"),
        run,
        f"data: {{path: {small_mnist}, validation: 500}}\n"
        "network: {layer_sizes: [784, 10]}\n"
        "training: {epochs: 1}\n"
        "seed: 2\n",
    )


@pytest.fixture
def copied(model: Path, tmp_path: Path) -> Path:
    """A copy of `model` that a test may change."""
    return Path(shutil.copy(model, tmp_path / "copied.npz"))


def rewrite(path: Path, **changes: Any) -> None:
    with np.load(path) as file:
        arrays = dict(file) | changes
    np.savez(path, **arrays)


# Results


def test_json_has_the_documented_keys(run: Run, model: Path, small_mnist: Path) -> None:
    result = evaluated(run, "-m", model)
    assert result.keys() >= KEYS
    assert (result["model"], result["data"]) == (str(model), str(small_mnist))
    assert result["images"] == 500


def test_json_figures_are_consistent(run: Run, model: Path) -> None:
    result = evaluated(run, "-m", model)
    confusion = np.array(result["confusion"])
    assert confusion.shape == (10, 10)
    assert confusion.sum() == 500
    assert result["accuracy"] == np.trace(confusion) / 500
    low, high = result["interval"]
    assert low < result["accuracy"] < high
    for digit, figures in enumerate(result["digits"]):
        assert figures["digit"] == digit
        assert figures["recall"] == confusion[digit, digit] / confusion[digit].sum()
        assert figures["precision"] == confusion[digit, digit] / confusion[:, digit].sum()


def test_a_confusion_row_is_a_true_class(run: Run, model: Path) -> None:
    _, labels = read_mnist("t10k", 500)
    rows = np.array(evaluated(run, "-m", model)["confusion"]).sum(axis=1)
    assert rows.tolist() == np.bincount(labels).tolist()


def test_text_and_json_have_the_same_figures(run: Run, model: Path) -> None:
    result = evaluated(run, "-m", model)
    done = run("evaluate", "-m", model)
    assert (done.returncode, done.stderr) == (0, b"")
    text = done.stdout.decode()
    assert f"accuracy {result['accuracy']:.2%}" in text
    assert f"{result['digits'][0]['recall']:.2%}" in text
    assert text.startswith(f"{model} on ")
    assert "confusion" in text


def test_verbose_names_the_model_on_stderr(run: Run, model: Path) -> None:
    done = run("evaluate", "-m", model, "-v")
    assert done.stderr == f"model {model}\n".encode()
    assert done.stdout == run("evaluate", "-m", model).stdout


def test_the_first_lines_of_text_keep_their_order(run: Run, model: Path) -> None:
    result = evaluated(run, "-m", model)
    lines = run("evaluate", "-m", model).stdout.decode().splitlines()
    assert lines[0].startswith(f"{model} on ")
    assert lines[1].startswith(f"accuracy {result['accuracy']:.2%}, 95 % interval ")
    assert lines[2] == f"cost {result['cost']:.4f}"
    error, temperature = result["calibration_error"], result["temperature"]
    assert lines[3] == f"calibration error {error:.2%}, temperature {temperature:.3f}"


def test_json_names_the_hash_of_the_model(run: Run, model: Path) -> None:
    digest = hashlib.sha256(model.read_bytes()).hexdigest()
    assert evaluated(run, "-m", model)["model_sha256"] == digest


# Calibration


def test_the_temperature_is_that_of_the_model(run: Run, model: Path, copied: Path) -> None:
    result = evaluated(run, "-m", model)
    with np.load(model) as file:
        assert result["temperature"] == float(file["temperature"]) != 1
    rewrite(copied, temperature=np.float64(9))
    hot = evaluated(run, "-m", copied)
    assert hot["temperature"] == 9
    assert hot["calibration_error"] > result["calibration_error"] + 0.1
    for key in ("accuracy", "cost", "confusion"):
        assert hot[key] == result[key]


def test_a_model_without_a_temperature_has_1(run: Run, copied: Path) -> None:
    with np.load(copied) as file:
        kept = {name: array for name, array in file.items() if name != "temperature"}
    np.savez(copied, **kept)
    assert evaluated(run, "-m", copied)["temperature"] == 1


def test_reliability_is_consistent_with_the_other_figures(run: Run, model: Path) -> None:
    result = evaluated(run, "-m", model)
    bins = result["reliability"]
    assert sum(bin["images"] for bin in bins) == 500
    right = sum(bin["images"] * bin["accuracy"] for bin in bins)
    assert right / 500 == pytest.approx(result["accuracy"])
    error = sum(bin["images"] * abs(bin["accuracy"] - bin["confidence"]) for bin in bins) / 500
    assert error == pytest.approx(result["calibration_error"])
    for bin in bins:
        assert bin["from"] < bin["confidence"] <= bin["to"]
        assert bin["to"] - bin["from"] == pytest.approx(1 / 15)


def test_coverage_falls_as_the_threshold_rises(run: Run, model: Path) -> None:
    result = evaluated(run, "-m", model)
    rows = result["coverage"]
    assert (rows[0]["coverage"], rows[0]["accuracy"]) == (1, result["accuracy"])
    assert [row["coverage"] for row in rows] == pytest.approx(
        [1, 0.99, 0.98, 0.95, 0.9, 0.8, 0.5], abs=0.01
    )
    thresholds = [row["min_confidence"] for row in rows]
    assert thresholds == sorted(thresholds)
    assert rows[-1]["accuracy"] > result["accuracy"]


def test_text_shows_only_bins_with_pictures(run: Run, model: Path) -> None:
    result = evaluated(run, "-m", model)
    text = run("evaluate", "-m", model).stdout.decode()
    shown = [
        line.split() for line in text.splitlines() if " to " in line and "interval" not in line
    ]
    assert [int(line[-1]) for line in shown] == [bin["images"] for bin in result["reliability"]]
    last = result["coverage"][-1]
    row = f"{last['min_confidence']:.4f}  {last['coverage']:>8.2%}  {last['accuracy']:>8.2%}"
    assert row in text


# The whole text


def bright_digits(folder: Path, labels: list[int], answers: list[int], name: str = "data") -> Path:
    """Write pictures to an .npz file and return its path: pixel i is bright to be answered i."""
    images = np.zeros((len(answers), 784), np.uint8)
    images[np.arange(len(answers)), answers] = 255
    np.savez(folder / f"{name}.npz", images=images.reshape(-1, 28, 28), labels=np.array(labels))
    return folder / f"{name}.npz"


def brightest(folder: Path, data_path: str | tuple[str, ...] = "none", **options: Any) -> Path:
    """Write a model that answers which of the first ten pixels is brightest; return its path."""
    network = Network([784, 10], output="softmax", cost="cross_entropy")
    network.weights[0][:, :10] = 4 * np.eye(10)
    section = {"layer_sizes": [784, 10], "output": "softmax"}
    values = {"network": section, "cost": "cross_entropy", "data": {"path": "data"}}
    config = msgspec.to_builtins(to_config(values))
    checkpoint = Checkpoint(network, config, DIGITS, data_path, "x", [], **options)
    save_checkpoint(str(folder / "bright.npz"), checkpoint)
    return folder / "bright.npz"


TEXT = """\
bright.npz on data.npz (5 pictures)
accuracy 60.00%, 95 % interval 23.07% to 88.24%
cost 1.7526
calibration error 25.85%, temperature 1.000
answered ?: 0 (0.00%)

confidence    on average  accuracy  pictures
0.80 to 0.87      85.85%    60.00%         5

--min-confidence  answered  accuracy
          0.8584   100.00%    60.00%

digit  precision  recall  pictures
    0    100.00%  50.00%         2
    1     50.00%  50.00%         2
    2          –       –         0
    3          –       –         0
    4          –       –         0
    5          –       –         0
    6          –       –         0
    7     50.00%  100.00%         1
    8          –       –         0
    9          –       –         0

confusion matrix: rows are true digits, columns are answers
         0    1    2    3    4    5    6    7    8    9
    0    1    1    ·    ·    ·    ·    ·    ·    ·    ·
    1    ·    1    ·    ·    ·    ·    ·    1    ·    ·
    2    ·    ·    ·    ·    ·    ·    ·    ·    ·    ·
    3    ·    ·    ·    ·    ·    ·    ·    ·    ·    ·
    4    ·    ·    ·    ·    ·    ·    ·    ·    ·    ·
    5    ·    ·    ·    ·    ·    ·    ·    ·    ·    ·
    6    ·    ·    ·    ·    ·    ·    ·    ·    ·    ·
    7    ·    ·    ·    ·    ·    ·    ·    1    ·    ·
    8    ·    ·    ·    ·    ·    ·    ·    ·    ·    ·
    9    ·    ·    ·    ·    ·    ·    ·    ·    ·    ·
"""


def test_the_whole_text_is_as_written_here(run: Run, tmp_path: Path) -> None:
    """The confidence is e⁴ / (e⁴ + 9); the cost its logarithm, and 4 more for two mistakes."""
    brightest(tmp_path)
    bright_digits(tmp_path, labels=[0, 0, 1, 1, 7], answers=[0, 1, 1, 7, 7])
    done = run("evaluate", "-m", "bright.npz", "--data", "data.npz", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode() == TEXT


def test_doubtful_answers_are_counted(run: Run, tmp_path: Path) -> None:
    model = brightest(tmp_path, calibration=Calibration(1.0, 0.5))
    images = np.zeros((4, 784), np.uint8)
    images[[0, 1, 2], [0, 1, 1]] = 255  # the last is blank: 0, with confidence 0.1
    np.savez(tmp_path / "data.npz", images=images, labels=np.array([0, 1, 2, 3]))
    arguments = ("-m", model, "--data", tmp_path / "data.npz")
    result = evaluated(run, *arguments)
    assert (result["doubtful"], result["sure_accuracy"]) == (1, 2 / 3)
    text = run("evaluate", *arguments).stdout.decode()
    assert "\nanswered ?: 1 (25.00%), accuracy of the others 66.67%\n" in text
    first, second = evaluated(run, *arguments, "--mistakes")["mistakes"]
    assert (first["digit"], first["answer"], first["doubt"]) == (2, 1, None)
    assert (second["digit"], second["answer"]) == (3, 0)
    assert second["doubt"] == "expected a confidence of 0.5000 or more, found 0.1000"


def test_each_of_several_sources_has_its_accuracy(run: Run, tmp_path: Path) -> None:
    one = bright_digits(tmp_path, [0, 1, 2], [0, 1, 3], "one")
    two = bright_digits(tmp_path, [4, 5], [4, 6], "two")
    model = brightest(tmp_path, (str(one), str(two)))
    result = evaluated(run, "-m", model)
    assert result["sources"] == [
        {"source": str(one), "images": 3, "accuracy": 2 / 3},
        {"source": str(two), "images": 2, "accuracy": 1 / 2},
    ]
    lines = run("evaluate", "-m", model, cwd=tmp_path).stdout.decode().splitlines()
    assert lines[5:10] == [
        "",
        "accuracy  pictures  source",
        "  66.67%         3  one.npz",
        "  50.00%         2  two.npz",
        "",
    ]
    assert "sources" not in evaluated(run, "-m", model, "--data", one)


# --mistakes


def test_mistakes_are_lines_of_picture_digit_answer_and_confidence(
    run: Run, tmp_path: Path
) -> None:
    brightest(tmp_path)
    bright_digits(tmp_path, labels=[0, 0, 1, 1, 7], answers=[0, 1, 1, 7, 7])
    words = ("evaluate", "-m", "bright.npz", "--data", "data.npz", "--mistakes")
    done = run(*words, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == b"data.npz#1\t0\t1\t0.8585\ndata.npz#3\t1\t7\t0.8585\n"
    result = json.loads(run(*words, "--format", "json", cwd=tmp_path).stdout)
    assert [(each["picture"], each["digit"], each["answer"]) for each in result["mistakes"]] == [
        ("data.npz#1", 0, 1),
        ("data.npz#3", 1, 7),
    ]
    assert result["mistakes"][0].keys() == {"picture", "digit", "answer", "confidence", "doubt"}
    assert result["accuracy"] == 3 / 5
    below = run(*words, "--min-accuracy", "0.7", cwd=tmp_path)
    assert (below.returncode, below.stdout) == (3, done.stdout)
    assert below.stderr == b"bright.npz: accuracy 0.6 is below 0.7\n"
    same = run(*words, "--baseline", "bright.npz", "--min-accuracy", "0.5", cwd=tmp_path)
    assert (same.returncode, same.stdout) == (0, done.stdout)


def test_without_mistakes_nothing_is_printed(run: Run, tmp_path: Path) -> None:
    model, data = brightest(tmp_path), bright_digits(tmp_path, [0, 7], [0, 7])
    done = run("evaluate", "-m", model, "--data", data, "--mistakes")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert evaluated(run, "-m", model, "--data", data, "--mistakes")["mistakes"] == []
    assert "mistakes" not in evaluated(run, "-m", model, "--data", data)


def test_mistakes_of_a_model_are_all_listed_with_confidence_falling(run: Run, model: Path) -> None:
    listed = evaluated(run, "-m", model, "--mistakes")
    assert len(listed["mistakes"]) == round(500 * (1 - listed["accuracy"])) > 10
    confidences = [each["confidence"] for each in listed["mistakes"]]
    assert confidences == sorted(confidences, reverse=True)
    lines = run("evaluate", "-m", model, "--mistakes").stdout.decode().splitlines()
    assert [line.split("\t")[0] for line in lines] == [
        each["picture"] for each in listed["mistakes"]
    ]


def test_names_of_mistakes_are_escaped(run: Run, pictures: Path, tmp_path: Path) -> None:
    """Of the picture of a 7, in a folder of another class."""
    (tmp_path / "3").mkdir()
    shutil.copy(pictures / "00.png", tmp_path / "3" / "a\tb\n\x1b[31m.png")
    done = run("evaluate", "-m", "shipped", "--data", tmp_path, "--mistakes")
    name = f"{tmp_path}/3/a\\tb\\n\\x1b[31m.png"
    assert done.stdout.startswith(f"{name}\t3\t7\t".encode())
    assert done.stdout.count(b"\n") == 1


# Pictures that cannot be read


@pytest.fixture(scope="module")
def damaged(tmp_path_factory: pytest.TempPathFactory, pictures: Path) -> Path:
    """A folder with one picture of a 7, and 23 files that are no pictures."""
    folder = tmp_path_factory.mktemp("damaged")
    (folder / "7").mkdir()
    shutil.copy(pictures / "00.png", folder / "7" / "good.png")
    for number in range(23):
        (folder / "7" / f"bad{number:02}.png").write_bytes(b"no picture")
    return folder


def test_unreadable_pictures_are_listed_and_counted(run: Run, damaged: Path) -> None:
    words = ("evaluate", "-m", "shipped", "--data", damaged)
    done = run(*words, "--format", "json")
    assert done.returncode == 1
    result = json.loads(done.stdout)
    assert (result["images"], result["unreadable"], result["accuracy"]) == (1, 23, 1)
    *listed, last = done.stderr.decode().splitlines()
    assert [line.split(": ")[0] for line in listed] == [
        str(damaged / "7" / f"bad{number:02}.png") for number in range(20)
    ]
    assert last == "… and 3 more pictures that cannot be read"
    text = run(*words)
    assert text.returncode == 1
    assert text.stdout.decode().splitlines()[0].endswith("(1 pictures, 23 cannot be read)")
    listing = run(*words, "--mistakes")
    assert (listing.returncode, listing.stdout, listing.stderr) == (1, b"", done.stderr)


def test_a_model_below_the_bar_exits_3_whatever_cannot_be_read(
    run: Run, damaged: Path, copied: Path
) -> None:
    rewrite(copied, biases_1=np.array([9e9, *[0.0] * 9], np.float32))  # always answers 0
    done = run("evaluate", "-m", copied, "--data", damaged, "--min-accuracy", "0.5")
    assert done.returncode == 3
    assert len(done.stderr.splitlines()) == 22


def test_strict_stops_at_the_first_unreadable_picture(run: Run, damaged: Path) -> None:
    done = run("evaluate", "-m", "shipped", "--data", damaged, "--strict")
    assert_one_line(done, f"{damaged}/7/bad00.png: ")


# A baseline


def test_a_baseline_is_compared_picture_by_picture(run: Run, model: Path, hasty: Path) -> None:
    with_baseline = evaluated(run, "-m", model, "--baseline", hasty)
    other = evaluated(run, "-m", hasty)
    compared = with_baseline.pop("baseline")
    assert with_baseline == evaluated(run, "-m", model)
    assert (compared["model"], compared["accuracy"]) == (str(hasty), other["accuracy"])
    assert compared["model_sha256"] == other["model_sha256"] != with_baseline["model_sha256"]
    difference = with_baseline["accuracy"] - other["accuracy"]
    assert compared["difference"] == pytest.approx(difference)
    only = compared["only_model_right"] - compared["only_baseline_right"]
    assert only == round(500 * difference) > 0
    low, high = compared["interval"]
    assert 0 < low < difference < high
    assert 0 < compared["p_value"] < 0.01


def test_swapping_the_models_swaps_the_comparison(run: Run, model: Path, hasty: Path) -> None:
    one = evaluated(run, "-m", model, "--baseline", hasty)["baseline"]
    other = evaluated(run, "-m", hasty, "--baseline", model)["baseline"]
    assert one["difference"] == -other["difference"]
    assert one["only_model_right"] == other["only_baseline_right"]
    assert one["p_value"] == other["p_value"]


def test_text_says_which_is_better(run: Run, model: Path, hasty: Path) -> None:
    compared = evaluated(run, "-m", model, "--baseline", hasty)["baseline"]
    points = f"{100 * compared['difference']:.2f} points"
    lines = run("evaluate", "-m", model, "--baseline", hasty).stdout.decode().splitlines()
    assert lines[4].startswith(f"better than {hasty} ({compared['accuracy']:.2%}) by {points}, ")
    only = f"only {model} is right on {compared['only_model_right']:,} pictures, only {hasty} on "
    assert lines[5].startswith(only)
    lines = run("evaluate", "-m", hasty, "--baseline", model).stdout.decode().splitlines()
    assert lines[4].startswith(f"worse than {model} (")
    assert f"by {points}, 95 % interval " in lines[4]


def test_a_model_is_no_better_than_itself(run: Run, model: Path) -> None:
    done = run("evaluate", "-m", model, "--baseline", model)
    assert done.returncode == 0
    assert f"no significant difference from {model} (" in done.stdout.decode()
    compared = evaluated(run, "-m", model, "--baseline", model)["baseline"]
    assert (compared["difference"], compared["p_value"]) == (0, 1)


def test_the_shipped_model_can_be_the_baseline(run: Run, model: Path) -> None:
    words, folder = ("-m", model, "--baseline", "shipped"), model.parent
    compared = evaluated(run, *words, cwd=folder)["baseline"]
    assert compared["model"] == SHIPPED
    assert compared["accuracy"] > 0.98
    text = run("evaluate", *words, cwd=folder).stdout.decode()
    assert f"\nworse than {SHIPPED} ({compared['accuracy']:.2%}) by " in text


def test_a_baseline_trained_on_the_pictures_is_reported(run: Run, model: Path, hasty: Path) -> None:
    validation = ("--split", "validation")
    done = run("evaluate", "-m", model, "--baseline", hasty, *validation)
    assert done.returncode == 0
    (line,) = done.stderr.decode().splitlines()
    assert "the baseline was trained on these pictures" in line
    assert run("evaluate", "-m", model, "--baseline", model, *validation).stderr == b""


def test_with_min_accuracy_a_model_worse_than_the_baseline_fails(
    run: Run, model: Path, hasty: Path
) -> None:
    bar = ("--min-accuracy", "0.1")
    assert run("evaluate", "-m", model, "--baseline", hasty, *bar).returncode == 0
    assert run("evaluate", "-m", model, "--baseline", model, *bar).returncode == 0
    assert run("evaluate", "-m", hasty, *bar).returncode == 0
    done = run("evaluate", "-m", hasty, "--baseline", model, *bar)
    assert done.returncode == 3
    assert b"worse than" in done.stdout
    assert done.stderr.startswith(f"{hasty}: worse than {model} by ".encode())
    assert len(done.stderr.splitlines()) == 1


def test_without_min_accuracy_a_better_baseline_is_no_failure(
    run: Run, model: Path, hasty: Path
) -> None:
    done = run("evaluate", "-m", hasty, "--baseline", model)
    assert (done.returncode, done.stderr) == (0, b"")


# Which model, which data


def test_the_model_of_the_environment_is_used(run: Run, model: Path, tmp_path: Path) -> None:
    result = evaluated(run, cwd=tmp_path, env={"DIGITNET_MODEL": str(model)})
    assert result["model"] == str(model)


def test_the_model_in_the_working_directory_is_used(run: Run, model: Path) -> None:
    assert evaluated(run, cwd=model.parent)["model"] == "model.npz"


def test_without_another_model_the_shipped_one_is_used(run: Run, tmp_path: Path) -> None:
    done = run("evaluate", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, b"")
    assert (
        done.stderr
        == b"data/mnist: expected the model's own data, found none; name other data with --data\n"
    )
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(("split", "images"), [("test", 500), ("validation", 500), ("train", 1500)])
def test_a_split_can_be_named(run: Run, model: Path, split: str, images: int) -> None:
    done = run("evaluate", "-m", model, "--split", split, "--format", "json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["images"] == images


def test_a_model_trained_on_the_pictures_is_reported(run: Run, model: Path) -> None:
    done = run("evaluate", "-m", model, "--split", "train")
    assert b"the model was trained on these pictures" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_data_paths_are_relative_to_the_working_directory(
    run: Run, model: Path, small_mnist: Path
) -> None:
    result = evaluated(run, "-m", model, "--data", small_mnist.name, cwd=small_mnist.parent)
    assert result["images"] == 500


def test_a_folder_of_pictures_is_data(run: Run, model: Path, tmp_path: Path) -> None:
    images, labels = read_mnist("t10k", 60)
    for digit in (7, 1):
        (tmp_path / "scans" / str(digit)).mkdir(parents=True)
        for number, image in enumerate(images[labels == digit][:3]):
            Image.fromarray(image).save(tmp_path / "scans" / str(digit) / f"{number}.png")
    result = evaluated(run, "-m", model, "--data", tmp_path / "scans")
    assert result["images"] == 6
    assert np.array(result["confusion"]).sum(axis=1).tolist() == [0, 3, 0, 0, 0, 0, 0, 3, 0, 0]
    assert result["digits"][2]["recall"] is None


def test_class_names_are_printed_unchanged(run: Run, tmp_path: Path) -> None:
    images, labels = read_mnist("t10k", 60)
    for name, digit in (("sieben", 7), ("1", 1), ("null", 0)):
        (tmp_path / "classes" / name).mkdir(parents=True)
        for number, image in enumerate(images[labels == digit][:4]):
            Image.fromarray(image).save(tmp_path / "classes" / name / f"{number}.png")
    (tmp_path / "config.yaml").write_text(
        "data: {path: classes, validation: 2}\nnetwork: {layer_sizes: [784, 3]}\n"
        "training: {epochs: 1}\n"
    )
    assert run("train", "--config", "config.yaml", "-q", cwd=tmp_path).returncode == 0
    done = run("evaluate", "--format", "json", cwd=tmp_path)
    names = [figures["digit"] for figures in json.loads(done.stdout)["digits"]]
    assert sorted(names, key=str) == [1, "null", "sieben"]
    assert b"sieben" in run("evaluate", cwd=tmp_path).stdout


# --min-accuracy


def test_above_min_accuracy_it_exits_0(run: Run, model: Path) -> None:
    done = run("evaluate", "-m", model, "--min-accuracy", "0.5")
    assert (done.returncode, done.stderr) == (0, b"")


def test_at_min_accuracy_it_exits_0(run: Run, model: Path) -> None:
    accuracy = evaluated(run, "-m", model)["accuracy"]
    assert run("evaluate", "-m", model, "--min-accuracy", repr(accuracy)).returncode == 0


def test_below_min_accuracy_it_exits_3_and_prints_the_result(run: Run, model: Path) -> None:
    done = run("evaluate", "-m", model, "--min-accuracy", "0.999", "--format", "json")
    assert done.returncode == 3
    assert json.loads(done.stdout)["images"] == 500
    assert b"is below 0.999" in done.stderr
    assert len(done.stderr.splitlines()) == 1


# Unreadable models and data


def assert_one_line(done: Any, *words: str) -> None:
    assert (done.returncode, done.stdout) == (1, b"")
    assert len(done.stderr.splitlines()) == 1
    assert b"Traceback" not in done.stderr
    assert all(word.encode() in done.stderr for word in words)


def test_a_missing_model_is_one_line(run: Run, tmp_path: Path) -> None:
    assert_one_line(run("evaluate", "-m", tmp_path / "none.npz"), "none.npz: no such file")


@pytest.mark.parametrize("data", [b"", b"hello", b"\x80\x04K\x01."])
def test_a_file_that_is_not_a_model_is_one_line(run: Run, copied: Path, data: bytes) -> None:
    copied.write_bytes(data)
    assert_one_line(run("evaluate", "-m", copied), "copied.npz: expected ")


def test_a_truncated_model_is_one_line(run: Run, copied: Path) -> None:
    copied.write_bytes(copied.read_bytes()[:-100])
    assert_one_line(run("evaluate", "-m", copied), "copied.npz: expected ")


def test_a_model_of_nan_is_one_line(run: Run, copied: Path) -> None:
    rewrite(copied, biases_1=np.full(10, np.nan, np.float32))
    assert_one_line(run("evaluate", "-m", copied), "biases_1: expected finite numbers")


def test_huge_weights_give_valid_json(run: Run, copied: Path) -> None:
    rewrite(copied, weights_1=np.full((10, 30), 3e38, np.float32))
    done = run("evaluate", "-m", copied, "--format", "json")
    assert (done.returncode, done.stderr) == (0, b"")
    constants: list[str] = []
    json.loads(done.stdout, parse_constant=constants.append)
    assert constants == []  # NaN and Infinity are not JSON


@pytest.mark.parametrize("name", ["none", "empty", "picture.png", "\x1b[31m"])
def test_a_path_without_data_is_one_line(run: Run, model: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "picture.png").write_bytes(b"\x89PNG")
    done = run("evaluate", "-m", model, "--data", tmp_path / name)
    assert_one_line(done, str(tmp_path))
    assert b"\x1b" not in done.stderr


def test_missing_training_data_are_one_line(run: Run, copied: Path) -> None:
    rewrite(copied, data=json.dumps({"path": "/gone", "hash": "x"}))
    assert_one_line(run("evaluate", "-m", copied), "/gone: ", "name other data")


@pytest.mark.parametrize("path", ["/a\0b", "/\ud800", "/\x1b[31m\n"])
def test_an_invalid_path_in_a_model_is_one_line(run: Run, copied: Path, path: str) -> None:
    rewrite(copied, data=json.dumps({"path": path, "hash": "x"}))
    assert_one_line(run("evaluate", "-m", copied))


def test_a_validation_split_of_other_data_is_one_line(
    run: Run, copied: Path, small_mnist: Path
) -> None:
    rewrite(copied, data=json.dumps({"path": str(small_mnist), "hash": "x"}))
    done = run("evaluate", "-m", copied, "--split", "validation")
    assert_one_line(done, "expected the data that the model was trained on")


@pytest.mark.parametrize("config", [{}, {"seed": "x", "data": {"validation": 5}}, {"data": 5}])
def test_a_model_without_its_config_is_one_line(
    run: Run, copied: Path, config: dict[str, Any]
) -> None:
    with np.load(copied) as file:
        kept = {key: json.loads(str(file["config"]))[key] for key in ("network", "cost")}
    rewrite(copied, config=json.dumps(kept | config))
    assert_one_line(run("evaluate", "-m", copied, "--split", "validation"))


def test_unknown_classes_are_one_line(
    run: Run, model: Path, pictures: Path, tmp_path: Path
) -> None:
    shutil.copytree(pictures, tmp_path / "scans" / "zehn")
    done = run("evaluate", "-m", model, "--data", tmp_path / "scans")
    assert_one_line(done, "expected classes among 0, 1,", "found 'zehn'")


def test_a_class_name_that_is_not_utf_8_is_one_line(
    run: Run, model: Path, pictures: Path, tmp_path: Path
) -> None:
    shutil.copytree(pictures, os.path.join(tmp_path, "scans", os.fsdecode(b"caf\xe9")))
    assert_one_line(run("evaluate", "-m", model, "--data", tmp_path / "scans"))


@pytest.mark.parametrize("temperature", [np.nan, np.inf, 0.0, -1.0])
def test_an_invalid_temperature_is_one_line(run: Run, copied: Path, temperature: float) -> None:
    rewrite(copied, temperature=np.float64(temperature))
    assert_one_line(run("evaluate", "-m", copied), "copied.npz: temperature: expected 0.05 to 20")


def test_a_missing_baseline_is_one_line(run: Run, model: Path, tmp_path: Path) -> None:
    done = run("evaluate", "-m", model, "--baseline", tmp_path / "none.npz")
    assert_one_line(done, "none.npz: no such file")


def test_a_baseline_that_is_not_a_model_is_one_line(run: Run, model: Path, copied: Path) -> None:
    copied.write_bytes(copied.read_bytes()[:-100])
    assert_one_line(run("evaluate", "-m", model, "--baseline", copied), "copied.npz: expected ")


def test_a_baseline_of_other_classes_is_one_line(run: Run, model: Path, copied: Path) -> None:
    rewrite(copied, class_names=np.array([*"012345678", "neun\x1b[31m"]))
    done = run("evaluate", "-m", model, "--baseline", copied)
    assert_one_line(done, "copied.npz: expected the model's classes, 0, 1, 2,", "neun")
    assert b"\x1b" not in done.stderr


# Usage errors


@pytest.mark.parametrize(
    "arguments",
    [
        ["--min-accuracy", "95"],
        ["--min-accuracy", "-1"],
        ["--min-accuracy", "nan"],
        ["--min-accuracy", "good"],
        ["--split", "all"],
        ["--format", "xml"],
        ["--nonsense"],
        ["an-argument"],
        ["--data"],
        ["--baseline"],
    ],
    ids=" ".join,
)
def test_a_wrong_command_is_one_line_and_status_2(
    run: Run, model: Path, arguments: list[str]
) -> None:
    done = run("evaluate", "-m", model, *arguments)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(b"digitnet")
    assert len(done.stderr.splitlines()) == 1
