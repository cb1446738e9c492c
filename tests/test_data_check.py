"""Test how the data check of a dry run is printed: comments of a valid config, JSON, drawings."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from conftest import REPOSITORY, read_mnist
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from digitnet.cli import data_check
from digitnet.cli.data_check import as_json, comment_lines, drawn_lines, inspect_data, splits_of
from digitnet.config.reader import to_config
from digitnet.dataset.definition import Dataset, Origin
from digitnet.model.inspection import Inspection, Split, inspect
from digitnet.training.setup import begin
from digitnet.training.state import TrainingState

IMAGES, LABELS = read_mnist("t10k", 200)
DIGITS = [IMAGES[label == LABELS] for label in range(10)]


def write(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Pictures of 3, 7 and 8: four copies, a wrong label, a damaged file, few 8s."""
    for number in range(8):
        write(tmp_path / f"train/3/{number}.png", DIGITS[3][number])
        write(tmp_path / f"train/7/{number}.png", DIGITS[7][number])
    write(tmp_path / "train/3/copy.png", DIGITS[3][0])
    write(tmp_path / "train/8/wrong.png", DIGITS[7][9])
    write(tmp_path / "train/8/right.png", DIGITS[8][0])
    write(tmp_path / "test/3/copy.png", DIGITS[3][1])
    write(tmp_path / "test/7/new.png", DIGITS[7][8])
    (tmp_path / "train/7/bad.png").write_bytes(b"none")
    return tmp_path


def training(path: Path, *, start: bool = False, **data: object) -> TrainingState:
    network = {} if start else {"network": {"layer_sizes": [784, 3]}}
    values = {"data": {"path": str(path), "validation": 0, **data}, **network}
    return begin(to_config(values | ({"start": "shipped"} if start else {})))


def test_splits_hold_each_picture_once_whatever_repeats_it(folder: Path) -> None:
    state = training(folder, validation=6, pictures_per_epoch=90, balance=True)
    splits = {split.name: split for split in splits_of(state)}
    assert list(splits)[:3] == ["train", "validation", "test"]
    numbers = np.concatenate([s.indices for name, s in splits.items() if name != "test"])
    assert sorted(numbers.tolist()) == list(range(19))
    assert len(splits["validation"].indices) == 6
    assert splits["test"].dataset.class_names == ("3", "7", "8")


def test_copies_of_validation_pictures_are_left_out(tmp_path: Path) -> None:
    for number in range(6):
        write(tmp_path / f"{number % 3}/{number}.png", DIGITS[5][number % 3])
    splits = {split.name: split for split in splits_of(training(tmp_path, validation=1))}
    assert len(splits["left out"].indices) == 1
    assert len(splits["train"].indices) == 4


def test_an_own_validation_set_is_a_split(folder: Path) -> None:
    state = training(folder)
    data = replace(state.data, validation=state.data.test, test=None)
    state = replace(state, data=data, validation_indices=np.arange(1))
    train, validation = splits_of(state)
    assert (train.name, train.indices.tolist()) == ("train", list(range(19)))
    assert (validation.name, validation.indices.tolist()) == ("validation", [0, 1])
    assert validation.dataset is state.data.validation


def test_the_check_of_a_folder_as_comments(folder: Path) -> None:
    lines = list(comment_lines(inspect_data(training(folder)), balanced=False))
    assert lines[1:7] == [
        "# pictures  train  test",
        "# 3             9     1",
        "# 7             8     1",
        "# 8             2     0",
        "# all          19     2",
        "#",
    ]
    found = "\n".join(lines[7:])
    assert f"# unreadable: {folder}/train/7/bad.png: expected a picture, found " in found
    one, two = (f"{folder}/train/3/{name}.png (3, train)" for name in "01")
    assert (
        "# several digits: none\n"
        f"# the same picture: {two} and {folder}/test/3/copy.png (3, test)\n"
        f"# the same picture: {one} and {folder}/train/3/copy.png (3, train)\n"
        "# perhaps the same: none\n"
        f"# perhaps wrong: {folder}/train/8/wrong.png is labelled 8, the shipped model answers 7 ("
    ) in found
    assert "# few pictures: 8 (2); the most frequent class has 9; set data.balance" in found


def test_the_check_of_a_folder_in_json(folder: Path) -> None:
    found = json.loads(json.dumps(as_json(inspect_data(training(folder)))))
    assert found["classes"] == [
        {"digit": 3, "train": 9, "test": 1},
        {"digit": 7, "train": 8, "test": 1},
        {"digit": 8, "train": 2, "test": 0},
    ]
    assert [each["picture"] for each in found["unreadable"]] == [f"{folder}/train/7/bad.png"]
    copies = [[each["picture"] for each in pair["pictures"]] for pair in found["same"]]
    assert [f"{folder}/train/3/1.png", f"{folder}/test/3/copy.png"] in copies
    (wrong,) = found["perhaps_wrong"]
    assert 0.9 < wrong.pop("confidence") <= 1
    picture = f"{folder}/train/8/wrong.png"
    assert wrong == {"picture": picture, "split": "train", "digit": 8, "answer": 7}
    assert (found["perhaps_same"], found["several_digits"]) == ([], [])
    assert (found["empty"], found["rare"]) == ([], [8])


def test_a_start_has_classes_without_pictures(folder: Path) -> None:
    found = inspect_data(training(folder, start=True))
    assert as_json(found)["empty"] == [0, 1, 2, 4, 5, 6, 9]
    lines = list(comment_lines(found, balanced=True))
    assert "# no pictures to learn from: 0, 1, 2, 4, 5, 6, 9" in lines
    assert lines[-1] == "# few pictures: 8 (2); the most frequent class has 9"


def inspected(names: list[str], labels: list[int], class_names: tuple[str, ...]) -> Inspection:
    """Return the inspection of equal pictures at paths."""
    images = np.repeat(IMAGES[:1], len(names), axis=0)
    origins = (Origin("own", len(names), "own", names),)
    dataset = Dataset(images, np.array(labels), class_names, origins=origins)
    return inspect([Split("train", dataset, np.arange(len(names)))], None)


NAMES = st.text(st.characters(), min_size=1, max_size=8)


@given(NAMES, NAMES, NAMES)
def test_names_of_any_characters_are_comments_of_one_line(one: str, two: str, cls: str) -> None:
    found = inspected([one, two], [0, 0], (cls, f"{cls}2"))
    lines = [*comment_lines(found, balanced=False)]
    assert all(line == "#" or line.startswith("# ") for line in lines)
    text = "\n".join(["key: value", *lines])
    assert yaml.safe_load(text) == {"key": "value"}
    assert len(text.encode().decode().splitlines()) == 1 + len(lines)
    json.dumps(as_json(found))


def test_many_findings_are_counted() -> None:
    lines = list(comment_lines(inspected(list("a" * 30), [0] * 30, ("3",)), balanced=False))
    same = [line for line in lines if line.startswith("# the same picture: ")]
    assert len(same) == 21
    assert same[-1] == "# the same picture: … and 9 more"


def test_checks_that_were_left_out_are_named_and_null_in_json() -> None:
    found = inspected(["a", "b"], [-1, 0], ("3",))
    lines = list(comment_lines(found, balanced=False))
    assert "# perhaps wrong: not checked: the shipped model cannot be read" in lines
    assert "# the same picture: a (no digit, train) and b (3, train)" in lines
    assert "# no digit      1" in lines
    assert as_json(found)["perhaps_wrong"] is None
    assert as_json(found)["classes"] == [{"digit": 3, "train": 1}, {"digit": None, "train": 1}]


@pytest.mark.parametrize(("width", "columns"), [(0, 2), (20, 1), (62, 2), (92, 3)])
def test_up_to_three_pictures_a_class_are_drawn_side_by_side(
    folder: Path, monkeypatch: pytest.MonkeyPatch, width: int, columns: int
) -> None:
    monkeypatch.setattr(data_check, "terminal_width", lambda _: width)
    lines = list(drawn_lines(training(folder)))
    assert len(lines) == 1 + 15 * -(-8 // columns)
    assert all(line.startswith("#") and len(line) <= max(width or 80, 30) for line in lines)
    captions = " ".join(lines[1::15]).replace("#", " ").split("  ")
    shown = [caption.strip() for caption in captions if caption.strip()]
    assert shown[:3] == ["3: 0.png", "3: 4.png", "3: copy.png"]
    assert shown[6:] == ["8: right.png", "8: wrong.png"]


def test_a_long_caption_keeps_start_and_end() -> None:
    path = REPOSITORY / "data" / "fonts"
    state = begin(to_config({"data": {"path": str(path)}, "network": {"layer_sizes": [784, 10]}}))
    caption = list(drawn_lines(state))[1]
    assert caption.startswith("# 0: train-…")
    assert "#" in caption[2:30]
