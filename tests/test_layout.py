"""Folders of pictures as people have them: splits, class folders, non-digits, names with labels."""

from pathlib import Path

import numpy as np
import pytest
from conftest import Failing, read_mnist, write_idx
from PIL import Image

from digitnet.config.reader import to_config
from digitnet.dataset import folder
from digitnet.dataset.definition import DEFAULT_OPTIONS, NON_DIGIT, Data, ReadOptions
from digitnet.dataset.reader import read_data
from digitnet.dataset.splits import split_indices
from digitnet.errors import ConfigError, DataError
from digitnet.model.examples import choose_examples
from digitnet.training.loop import train
from digitnet.training.setup import begin

IMAGES, LABELS = read_mnist("train", 20)  # 5, 0, 4, 1, 9, 2, 1, 3, 1, 4, …
PATTERN = ReadOptions(label_pattern="<label>_*")


def write_picture(path: Path, number: int = 0) -> None:
    """Write one of MNIST's digits as a picture, with its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(IMAGES[number]).save(path)


def write_blank(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (28, 28), "white").save(path)


def write_classes(folder: Path, n: int = 4) -> Path:
    """Write a folder of class folders with the first n digits."""
    for number in range(n):
        write_picture(folder / str(LABELS[number]) / f"{number}.png", number)
    return folder


def refusal(path: Path, options: ReadOptions = DEFAULT_OPTIONS) -> str:
    with pytest.raises(DataError) as caught:
        read_data(path, options)
    return str(caught.value)


def sizes(data: Data) -> tuple[int, int | None, int | None]:
    """Return the numbers of pictures for training, validation and test."""
    training, validation, test = (
        None if each is None else len(each) for each in (data.training, data.validation, data.test)
    )
    assert training is not None
    return training, validation, test


# --- Splits ---


@pytest.mark.parametrize(
    ("training", "validation", "test"),
    [("train", "val", "test"), ("Training", "VALID", "Testing"), ("TRAIN", "Validation", "Test")],
)
def test_splits_are_found_by_name(
    training: str, validation: str, test: str, tmp_path: Path
) -> None:
    for name, n in ((training, 4), (validation, 3), (test, 2)):
        write_classes(tmp_path / name, n)
    data = read_data(tmp_path)
    assert sizes(data) == (4, 3, 2)
    assert not data.training.remarks
    for each in data.sets:
        assert each.class_names == ("0", "1", "4", "5")
    assert data.validation is not None
    assert data.validation.name_of(0) == str(tmp_path / validation / "0" / "1.png")


def test_class_folders_beside_a_test_folder_are_the_training_set(tmp_path: Path) -> None:
    write_classes(tmp_path, 4)
    write_classes(tmp_path / "test", 2)
    data = read_data(tmp_path)
    assert sizes(data) == (4, None, 2)
    assert data.training.class_names == ("0", "1", "4", "5")


@pytest.mark.parametrize("training", ["train", "."])
def test_a_test_folder_without_classes_is_left_out_with_a_remark(
    training: str, tmp_path: Path
) -> None:
    write_classes(tmp_path / training)
    write_picture(tmp_path / "test" / "1.png")
    (tmp_path / "val").mkdir()
    data = read_data(tmp_path)
    assert sizes(data) == (4, None, None)
    assert data.training.remarks == (
        f"{tmp_path / 'test'}: expected pictures in one subfolder per class, found none; "
        "the test set is left out",
        f"{tmp_path / 'val'}: expected pictures in one subfolder per class, found none; "
        "the validation set is left out",
    )


def test_class_folders_beside_a_training_folder_are_left_out_with_a_remark(tmp_path: Path) -> None:
    write_classes(tmp_path / "train", 3)
    write_classes(tmp_path, 4)
    (tmp_path / "empty").mkdir()
    data = read_data(tmp_path)
    assert sizes(data) == (3, None, None)
    assert data.training.remarks == (
        f"{tmp_path}: expected all classes in train, found others, which are left out: 0, 1, 4, 5",
    )


def test_a_training_folder_without_classes_never_makes_the_test_set_the_training_set(
    tmp_path: Path,
) -> None:
    write_picture(tmp_path / "train" / "1.png")
    write_classes(tmp_path / "test")
    assert f"found none for {tmp_path / 'train' / '1.png'}; put" in refusal(tmp_path)


def test_two_folders_for_one_split_are_refused(tmp_path: Path) -> None:
    write_classes(tmp_path / "train")
    write_classes(tmp_path / "val")
    write_classes(tmp_path / "valid")
    assert refusal(tmp_path) == (
        f"{tmp_path}: expected one folder for the validation set, found val and valid; "
        "put their pictures together"
    )


def test_an_empty_class_is_refused_in_the_training_set_only(tmp_path: Path) -> None:
    write_classes(tmp_path / "train")
    write_classes(tmp_path / "test", 2)
    (tmp_path / "test" / "4").mkdir()
    data = read_data(tmp_path)
    assert sizes(data) == (4, None, 2)
    (tmp_path / "train" / "7").mkdir()
    empty = tmp_path / "train" / "7"
    assert refusal(tmp_path) == f"{empty}: expected pictures of this class, found none"
    lacking = read_data(tmp_path, ReadOptions(may_lack=True)).training
    assert lacking.class_names == ("0", "1", "4", "5")
    assert lacking.remarks == (f"{empty.parent}: folders without pictures are passed over: 7",)


def test_pictures_beside_the_class_folders_are_counted(tmp_path: Path) -> None:
    write_classes(tmp_path)
    assert read_data(tmp_path).training.remarks == ()
    for number, name in enumerate(("a.png", "b.png", ".hidden.png")):
        write_picture(tmp_path / name, number)
    (tmp_path / "notes.txt").touch()
    assert read_data(tmp_path).training.remarks == (
        f"{tmp_path}: pictures beside the class folders have no label and are passed over: 2",
    )


def test_a_list_wins_over_folders_that_are_not_named_by_numbers(tmp_path: Path) -> None:
    for number, name in enumerate(("pics/a.png", "pics/b.png", "more/c.png")):
        write_picture(tmp_path / name, number)
    (tmp_path / "list.csv").write_text("filename,label\npics/a.png,5\npics/b.png,0\nc.png,4\n")
    training = read_data(tmp_path).training
    assert training.class_names == tuple("0123456789")
    assert training.labels.tolist() == [5, 0, 4]


@pytest.mark.parametrize("name", ["7", "notes"])
def test_an_empty_folder_is_no_class_with_a_start(name: str, tmp_path: Path) -> None:
    write_classes(tmp_path / "data")
    (tmp_path / "data" / name).mkdir()
    section = {"path": str(tmp_path / "data"), "validation": 0}
    state = begin(to_config({"data": section, "start": "shipped", "model": "unused.npz"}))
    assert state.examples.class_names == tuple("0123456789")
    assert len(state.train_indices) == 4


# --- Data below the named folder ---


@pytest.mark.parametrize("below", ["Images", "data/images"])
def test_the_only_data_below_a_folder_is_read_with_a_remark(below: str, tmp_path: Path) -> None:
    write_classes(tmp_path / below)
    write_picture(tmp_path / "cover.png")
    write_picture(tmp_path / "__MACOSX" / "0" / "1.png")
    write_picture(tmp_path / ".cache" / "0" / "1.png")
    (tmp_path / "notes").mkdir()
    training = read_data(tmp_path).training
    assert training.labels.tolist() == [0, 1, 2, 3]
    remark = f"{tmp_path}: expected data, found it in {tmp_path / below}, which is read"
    assert training.remarks == (remark,)
    assert training.origins[0].source == str(tmp_path)


@pytest.mark.parametrize("named", [".", "MNIST", "MNIST/raw"])
def test_torchvision_s_folder_is_read_at_any_level(named: str, tmp_path: Path) -> None:
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    (raw / "._train-images-idx3-ubyte").write_bytes(b"a Mac's resource fork")
    for split, n in (("train", 20), ("t10k", 10)):
        write_idx(raw / f"{split}-images-idx3-ubyte", IMAGES[:n])
        write_idx(raw / f"{split}-labels-idx1-ubyte", LABELS[:n])
    data = read_data(tmp_path / named)
    assert sizes(data) == (20, None, 10)
    assert len(data.training.remarks) == (named != "MNIST/raw")
    turned = read_data(tmp_path / named, ReadOptions(transposed=True)).training
    np.testing.assert_array_equal(turned.images, IMAGES.transpose(0, 2, 1))


def test_several_data_sets_below_a_folder_are_refused(tmp_path: Path) -> None:
    write_classes(tmp_path / "anna")
    write_classes(tmp_path / "ben")
    assert refusal(tmp_path) == (
        f"{tmp_path}: expected one data set, found several: anna, ben; "
        "name one of them, or list several in data.path"
    )


def test_a_data_set_beside_class_folders_is_left_out_with_a_remark(tmp_path: Path) -> None:
    write_classes(tmp_path)
    write_classes(tmp_path / "old")
    training = read_data(tmp_path).training
    assert training.class_names == ("0", "1", "4", "5")
    assert training.remarks == (
        f"{tmp_path}: expected class folders, found others, which are left out: old",
    )


@pytest.mark.parametrize("below", [".", "photos"])
def test_a_folder_that_cannot_be_read_is_listed(
    below: str, tmp_path: Path, failing: Failing
) -> None:
    write_classes(tmp_path / below)
    write_picture(tmp_path / below / "0" / "shut" / "1.png")
    failing("scandir", tmp_path / below / "0" / "shut")
    failing("scandir", tmp_path / below / "shut")
    (tmp_path / below / "shut").mkdir()
    training = read_data(tmp_path, ReadOptions(may_lack=True)).training
    assert [str(each) for each in training.unreadable] == [
        f"{tmp_path / below / name}: expected a readable picture, found: Input/output error"
        for name in ("shut", "0/shut")
    ]


def test_data_three_levels_below_is_not_looked_for(tmp_path: Path) -> None:
    write_classes(tmp_path / "a" / "b" / "c")
    assert refusal(tmp_path).startswith(f"{tmp_path}: expected")


@pytest.mark.parametrize("classes", ["01", "xy"])
def test_pictures_in_folders_below_a_class_folder_are_read(classes: str, tmp_path: Path) -> None:
    for number, name in enumerate(classes):
        for below in ("scan1", "scan2/page1"):
            write_picture(tmp_path / name / below / "1.png", number)
    write_picture(tmp_path / classes[0] / ".hidden" / "1.png")
    training = read_data(tmp_path).training
    assert training.class_names == tuple(classes)
    assert training.labels.tolist() == [0, 0, 1, 1]
    assert training.name_of(1) == str(tmp_path / classes[0] / "scan2" / "page1" / "1.png")


# --- Non-digits ---


@pytest.mark.parametrize("name", ["none", "Nothing", "NaN"])
def test_a_folder_of_non_digits_is_no_class(name: str, tmp_path: Path) -> None:
    write_classes(tmp_path)
    write_picture(tmp_path / name / "scribble.png", 9)
    write_blank(tmp_path / name / "blank.png")
    (tmp_path / name / "broken.png").write_bytes(b"no picture")
    training = read_data(tmp_path).training
    assert training.class_names == ("0", "1", "4", "5")
    assert training.labels.tolist() == [0, 1, 2, 3, NON_DIGIT]
    assert [each.picture for each in training.unreadable] == [str(tmp_path / name / "broken.png")]
    assert training.remarks == (
        f"{tmp_path}: blank pictures of no class are left out: 1",
        f"{tmp_path}: 1 of 5 pictures show no class; "
        "a network learns to give them equal probabilities",
    )


def test_a_blank_picture_of_a_class_is_unreadable(tmp_path: Path) -> None:
    write_classes(tmp_path)
    write_blank(tmp_path / "0" / "blank.png")
    write_blank(tmp_path / "none" / "blank.png")
    training = read_data(tmp_path).training
    assert [each.picture for each in training.unreadable] == [str(tmp_path / "0" / "blank.png")]
    assert refusal(tmp_path, ReadOptions(strict=True)).startswith(str(tmp_path / "0"))


def test_names_of_folders_of_non_digits_can_be_chosen(tmp_path: Path) -> None:
    write_classes(tmp_path)
    write_picture(tmp_path / "none" / "1.png")
    write_picture(tmp_path / "Empty" / "1.png")
    training = read_data(tmp_path, ReadOptions(non_digits=("empty",))).training
    assert training.class_names == ("none", "0", "1", "4", "5")
    assert training.labels.tolist() == [0, 1, 2, 3, 4, NON_DIGIT]
    training = read_data(tmp_path, ReadOptions(non_digits=())).training
    assert training.class_names == ("Empty", "none", "0", "1", "4", "5")


def test_non_digits_are_never_held_out(tmp_path: Path) -> None:
    write_classes(tmp_path, 10)
    for number in range(10, 16):
        write_picture(tmp_path / "none" / f"{number}.png", number)
    training = read_data(tmp_path).training
    for seed in range(10):
        learned, held_out = split_indices(training, 4, seed=seed)
        assert len(held_out) == 4
        assert (training.labels[held_out] != NON_DIGIT).all()
        assert (training.labels[learned] == NON_DIGIT).sum() == 6


def test_a_network_learns_from_a_folder_with_non_digits(tmp_path: Path) -> None:
    write_classes(tmp_path / "data", 10)
    for number in range(10, 15):
        write_picture(tmp_path / "data" / "Blank" / f"{number}.png", number)
    classes = len(set(LABELS[:10]))
    values = {
        "data": {"path": str(tmp_path / "data"), "validation": 0.2, "non_digits": ["blank"]},
        "network": {"layer_sizes": [784, 8, classes]},
        "training": {"epochs": 1},
        "model": str(tmp_path / "model.npz"),
    }
    *_, progress = train(to_config(values))
    state = progress.state
    assert (len(state.train_indices), len(state.validation_indices)) == (13, 2)


# --- Labels in the names of pictures ---


def test_labels_are_read_from_names(tmp_path: Path) -> None:
    for number in range(4):
        write_picture(tmp_path / f"{LABELS[number]}_{number:03}.png", number)
    write_picture(tmp_path / "cover.png")
    (tmp_path / "7_notes.txt").touch()
    training = read_data(tmp_path, PATTERN).training
    assert training.class_names == tuple("0123456789")
    assert training.labels.tolist() == [0, 1, 4, 5]
    assert [str(each) for each in training.unreadable] == [
        f"{tmp_path / 'cover.png'}: expected a name like <label>_* (data.label_pattern), "
        "found another"
    ]
    assert refusal(tmp_path, ReadOptions(label_pattern="<label>_*", strict=True)).startswith(
        str(tmp_path / "cover.png")
    )


def test_labels_in_names_may_be_text_or_non_digits(tmp_path: Path) -> None:
    for name in ("plus-1", "b-2", "07-1", "7-2", "none-1"):
        write_picture(tmp_path / f"{name}.png")
    training = read_data(tmp_path, ReadOptions(label_pattern="<label>-*")).training
    assert training.class_names == ("b", "plus", "7")
    names = [Path(training.name_of(index)).stem for index in range(5)]
    assert dict(zip(names, training.labels.tolist())) == {
        "07-1": 2,
        "7-2": 2,
        "b-2": 0,
        "none-1": NON_DIGIT,
        "plus-1": 1,
    }


def test_a_model_finds_its_own_pictures_by_the_pattern_of_its_config(tmp_path: Path) -> None:
    for number in range(4):
        write_picture(tmp_path / f"{LABELS[number]}_{number:03}.png", number)
    values = {
        "data": {"path": str(tmp_path), "validation": 0, "label_pattern": "<label>_*"},
        "network": {"layer_sizes": [784, 8, 10]},
        "training": {"epochs": 1},
        "model": str(tmp_path / "model.npz"),
    }
    *_, progress = train(to_config(values))
    examples = choose_examples(progress.state.checkpoint())
    assert examples.dataset.labels.tolist() == [0, 1, 4, 5]


def test_labels_in_names_work_in_splits_and_below_the_named_folder(tmp_path: Path) -> None:
    write_picture(tmp_path / "photos" / "train" / "5_1.png")
    write_picture(tmp_path / "photos" / "test" / "0_1.png", 1)
    data = read_data(tmp_path, PATTERN)
    assert sizes(data) == (1, None, 1)
    assert data.test is not None
    assert data.test.labels.tolist() == [0]


def test_tables_in_a_folder_are_named(tmp_path: Path) -> None:
    for name in ("sample.csv", "test.csv", "train.csv"):
        (tmp_path / name).write_text("pixel0,pixel1\n0,0\n")
    assert refusal(tmp_path).endswith(f"; to read a file, name it, such as {tmp_path}/train.csv")


def test_pictures_without_labels_are_refused_with_the_key_that_helps(tmp_path: Path) -> None:
    write_picture(tmp_path / "7_1.png")
    assert refusal(tmp_path) == (
        f"{tmp_path}: expected pictures with labels, found none for {tmp_path / '7_1.png'}; "
        "put the pictures of each class in a subfolder, list file names and labels in a CSV, "
        "or set data.label_pattern"
    )
    assert "like x<label>.png (" in refusal(tmp_path, ReadOptions(label_pattern="x<label>.png"))


@pytest.mark.parametrize(
    ("pattern", "name", "label"),
    [
        ("<label>_*", "7_003.png", "7"),
        ("*_<label>.png", "scan_01_7.png", "7"),
        ("*-<label>-*", "a-b-seven-1.png", "b"),
        ("digit(<label>)*", "digit(4).png", "4"),
        ("<label>.png", "a.b.png", None),
        ("<label>_*", "_1.png", None),
    ],
)
def test_a_pattern_finds_the_label(pattern: str, name: str, label: str | None) -> None:
    match = folder._compiled(pattern).fullmatch(name)
    assert (match and match[1]) == label


@pytest.mark.usefixtures("impatient")
def test_a_long_name_is_matched_in_little_time() -> None:
    assert not folder._compiled("*_*_*_<label>=x").fullmatch("_" * 255)


@pytest.mark.parametrize("pattern", ["", "digits", "<label>_<label>", "*<label>*_*_*"])
def test_a_wrong_pattern_is_a_mistake_in_the_config(pattern: str) -> None:
    values = {"data": {"path": "x", "label_pattern": pattern}, "network": {"layer_sizes": [784, 9]}}
    with pytest.raises(ConfigError) as caught:
        to_config(values)
    assert str(caught.value).startswith("data.label_pattern: expected <label> once and at most 3 *")
