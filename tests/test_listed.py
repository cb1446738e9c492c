"""CSV files that list pictures and their labels."""

import os
from pathlib import Path

import pytest
from conftest import read_mnist
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from digitnet.dataset.classes import DIGITS, name_classes, normalise_name
from digitnet.dataset.definition import NON_DIGIT, ReadOptions
from digitnet.dataset.listed import find_list, read_list
from digitnet.dataset.reader import read_data
from digitnet.errors import DataError

IMAGES, LABELS = read_mnist("train", 4)  # 5, 0, 4, 1


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the pictures 0.png to 3.png."""
    for number, image in enumerate(IMAGES):
        Image.fromarray(image).save(tmp_path / f"{number}.png")
    return tmp_path


def write_list(folder: Path, text: str | bytes, name: str = "labels.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    "text",
    [
        "filename,label\n0.png,5\n3.png,1\n",
        "Label;Image Name\r\n5;0.png\r\n\r\n1;3.png",
        'id\tpath\tdigit\n1\t"0.png"\t5\n2\t 3.png \t01\n',
        "\ufefffile,target,remark\n./0.png,5,\n3.png,1",
    ],
    ids=["comma", "semicolon", "tab", "mark"],
)
def test_pictures_have_the_labels_of_a_list(text: str, folder: Path) -> None:
    path = write_list(folder, text)
    for named in (path, folder):
        training = read_data(named).training
        assert training.class_names == DIGITS
        assert training.labels.tolist() == [5, 1]
        assert not training.unreadable
        assert training.name_of(1) == str(folder / "3.png")
        assert training.origins[0].source == str(named)


def test_labels_may_be_text_or_non_digits(folder: Path) -> None:
    path = write_list(folder, "name,class\n0.png,plus\n1.png,10\n2.png,None\n3.png,minus\n")
    training = read_data(path).training
    assert training.class_names == ("minus", "plus", "10")
    assert training.labels.tolist() == [1, 2, NON_DIGIT, 0]
    assert "1 of 4 pictures show no class" in training.remarks[0]


def test_pictures_that_are_missing_or_without_label_are_left_out(folder: Path) -> None:
    path = write_list(folder, "file,label\n0.png,5\n\n9.png,9\n1.png,\n,3\n2.png\n")
    training = read_data(path).training
    assert training.labels.tolist() == [5]
    assert [str(each) for each in training.unreadable] == [
        f"{folder / '1.png'}: expected a label, found none ({path}: line 5)",
        f"{path}: line 6: expected the name of a file, found none",
        f"{folder / '2.png'}: expected a label, found none ({path}: line 7)",
        f"{folder / '9.png'}: no such file",
    ]
    with pytest.raises(DataError, match="expected a label, found none"):
        read_data(path, ReadOptions(strict=True))


def test_a_list_without_readable_pictures_is_refused(folder: Path) -> None:
    path = write_list(folder, "file,label\n8.png,8\n9.png,9\n")
    with pytest.raises(DataError, match=r"8\.png: no such file; nor can the other 1 be read"):
        read_data(path)
    path = write_list(folder, "file,label\n")
    with pytest.raises(DataError, match=f"^{path}: expected pictures, found none"):
        read_data(path)


def test_a_picture_may_lie_in_a_folder_below_the_list(folder: Path) -> None:
    for name in ("train/one.png", "train/two.png", "test/two.png"):
        (folder / name).parent.mkdir(exist_ok=True)
        os.rename(folder / f"{0 if 'one' in name else 1 + ('test' in name)}.png", folder / name)
    write_list(folder, "filename,label\none.png,5\ntwo.png,0\n", "train.csv")
    write_list(folder, "filename\ntwo.png\n", "test.csv")
    data = read_data(folder)
    assert data.training.name_of(0) == str(folder / "train" / "one.png")
    assert [each.picture for each in data.training.unreadable] == [str(folder / "two.png")]
    assert data.test is None
    assert [remark.split(":")[0] for remark in data.training.remarks] == [str(folder / "test")]


def test_class_folders_win_over_a_list(folder: Path) -> None:
    write_list(folder, "filename,label\n0.png,5\n")
    (folder / "7").mkdir()
    os.rename(folder / "1.png", folder / "7" / "1.png")
    assert read_data(folder).training.class_names == ("7",)


def test_a_list_wins_over_folders_without_numbers(folder: Path) -> None:
    write_list(folder, "filename,label\nimages/1.png,0\n")
    (folder / "images").mkdir()
    os.rename(folder / "1.png", folder / "images" / "1.png")
    assert read_data(folder).training.labels.tolist() == [0]


def test_two_lists_in_one_folder_are_refused(folder: Path) -> None:
    write_list(folder, "filename,label\n0.png,5\n", "a.csv")
    write_list(folder, "filename,label\n1.png,0\n", "b.csv")
    write_list(folder, "filename,label\n1.png,0\n", ".hidden.csv")
    with pytest.raises(DataError) as caught:
        read_data(folder)
    assert str(caught.value) == (
        f"{folder}: expected one CSV that lists pictures, found a.csv, b.csv; name one of them"
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("file,label\n0.png," + "x" * 70_000, "line 2: expected at most 65,536 characters"),
        ('file,label\n0.png,"' + "x" * 60_000 + "\n" + "y" * 65_000 + "\n" + "z" * 65_000, "CSV"),
    ],
)
def test_a_damaged_list_is_refused(text: str, problem: str, folder: Path) -> None:
    path = write_list(folder, text)
    with pytest.raises(DataError, match=problem) as caught:
        read_data(path)
    assert str(caught.value).startswith(f"{path}: line ")


def test_labels_that_cannot_be_class_names_are_left_out(folder: Path) -> None:
    text = b"file,label\n0.png,5\n1.png,caf\xe9\n2.png," + b"x" * 256 + b"\n"
    unreadable = read_data(write_list(folder, text)).training.unreadable
    assert [each.problem.split(" (")[0] for each in unreadable] == [
        "expected a label in UTF-8, found another encoding",
        "expected a label of at most 255 characters, found 256",
    ]


def test_a_file_name_may_have_another_encoding(folder: Path) -> None:
    os.rename(folder / "0.png", os.fsencode(folder) + b"/caf\xe9.png")
    path = write_list(folder, b"file,label\ncaf\xe9.png,5\n")
    assert read_list(path).paths == [os.fsdecode(os.fsencode(folder) + b"/caf\xe9.png")]
    assert read_data(path).training.labels.tolist() == [5]


def test_a_table_of_pixels_lists_no_pictures(tmp_path: Path) -> None:
    header = ",".join(["label", "name", *(f"pixel{i}" for i in range(783))])
    write_list(tmp_path, f"{header}\n")
    write_list(tmp_path, "label,1x1\n5,0\n", "mnist.csv")
    write_list(tmp_path, "filename,label\n0.png,5\n", "notes.txt")
    assert find_list(tmp_path) is None


@given(st.lists(st.sampled_from(["7", "07", " 7", "0", "9", "10", "a", "é", "e\u0301"])))
def test_every_label_has_exactly_one_class_name(labels: list[str]) -> None:
    names = name_classes(labels)
    answers = [normalise_name(name) for name in names]
    assert len(set(answers)) == len(answers)
    assert {normalise_name(label) for label in labels} <= {*answers}
    assert names == DIGITS or {normalise_name(label) for label in labels} == {*answers}
