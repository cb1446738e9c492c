"""The pictures of files of arrays are read and answered without labels."""

import csv
import gzip
import io
import json
import os
import re
import subprocess
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import MNIST, REPOSITORY, Run, write_idx
from PIL import Image
from test_dataset import HEADER, IMAGES, LABELS, csv_rows, write_csv
from test_shapes import resized

from digitnet.dataset.formats import array_format
from digitnet.dataset.unlabelled import read_images
from digitnet.errors import DataError
from digitnet.model.array_files import answer_array_file
from digitnet.model.prediction import load

ROWS = [pixels for _, *pixels in csv_rows(20)]
PIXEL_NAMES = ",".join(f"pixel{i}" for i in range(784))


def write_kaggle_csv(path: Path) -> None:
    write_csv(path, ROWS, PIXEL_NAMES)


def write_labelled_csv(path: Path) -> None:
    write_csv(path, csv_rows(20), HEADER)


def write_zip(path: Path) -> None:
    write_labelled_csv(path)
    content = path.read_text()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("digits.csv", content)


def write_gzipped_csv(path: Path) -> None:
    write_kaggle_csv(path)
    path.write_bytes(gzip.compress(path.read_bytes()))


def write_gzipped_idx(path: Path) -> None:
    path.write_bytes(gzip.compress(write_idx(path, IMAGES).read_bytes()))


def npz(**arrays: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


KINDS = {
    "test.csv": ("csv", write_kaggle_csv),
    "train.CSV": ("csv", write_labelled_csv),
    "train.zip": ("csv", write_zip),
    "test.csv.gz": ("csv", write_gzipped_csv),
    "any-name": ("idx", lambda path: write_idx(path, IMAGES)),
    "t10k-images-idx3-ubyte.gz": ("idx", write_gzipped_idx),
    "digits.npy": ("npy", lambda path: np.save(path, IMAGES)),
    "labelled.npz": ("npz", lambda path: np.savez(path, x_train=IMAGES, y_train=LABELS)),
    "unlabelled.npz": ("npz", lambda path: np.savez(path, IMAGES.reshape(20, 784))),
}


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_file_is_recognised_and_read(name: str, tmp_path: Path) -> None:
    kind, write = KINDS[name]
    write(tmp_path / name)
    assert array_format(tmp_path / name) == kind
    images, remarks = read_images(tmp_path / name)
    np.testing.assert_array_equal(images, IMAGES)
    assert remarks == ()


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tiff", ".webp", ".gif", ".ico", ".tga", ""])
def test_pictures_are_not_taken_for_arrays(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"picture{suffix}"
    Image.fromarray(IMAGES[0]).save(path, format=None if suffix else "PNG")
    assert array_format(path) is None


@pytest.mark.usefixtures("impatient")
def test_nothing_is_read_from_pipes_and_missing_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    for path in (tmp_path / "pipe.csv", tmp_path / "no.csv", tmp_path, "a\0b"):
        assert array_format(path) is None


def test_range_paper_and_side_are_mended_with_remarks(tmp_path: Path) -> None:
    np.save(tmp_path / "digits.npy", 1 - resized(16) / 255)
    images, remarks = read_images(tmp_path / "digits.npy")
    assert images.shape == (20, 28, 28)
    assert [re.search("multiplies|inverts|draws", each)[0] for each in remarks] == [  # type: ignore[index]
        "multiplies",
        "inverts",
        "draws",
    ]


@pytest.mark.parametrize(
    ("write", "problem"),
    [
        (lambda path: path.write_text("5,6\n"), "line 1: expected 785 columns"),
        (lambda path: path.write_bytes(npz(a=IMAGES, b=IMAGES)), "expected one array"),
        (lambda path: path.write_bytes(npz(a=IMAGES * np.nan)), "picture 1: .*found NaN"),
        (lambda path: write_idx(path, LABELS), "byte 0: expected the magic number"),
        (lambda path: path.write_bytes(gzip.compress(b"GIF89a")), "expected the magic number"),
    ],
)
def test_other_contents_are_refused(write: Any, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    write(path)
    with pytest.raises(DataError, match=problem) as caught:
        read_images(path)
    assert str(caught.value).startswith(f"{path}: ")


def test_answers_are_those_of_the_network_to_the_same_images(tmp_path: Path) -> None:
    model = load()
    np.save(tmp_path / "a.npy", np.tile(IMAGES, (60, 1, 1)))
    remarks, lists = answer_array_file(model, str(tmp_path / "a.npy"))
    answers = [answer for each in lists for answer in each]
    assert remarks == ()
    assert [name for name, _ in answers] == [f"{tmp_path / 'a.npy'}#{i}" for i in range(1200)]
    expected = model.probabilities(IMAGES)
    for i, (_, prediction) in enumerate(answers):
        np.testing.assert_array_equal(prediction.probabilities, expected[i % 20])
        assert prediction.is_prepared


def test_a_mapped_file_is_answered_piece_by_piece_without_a_copy(tmp_path: Path) -> None:
    model, n = load(), 100_000
    with (tmp_path / "a").open("wb") as file:  # sparse: zeros that take no space on disk
        file.write(bytes([0, 0, 8, 3]) + b"".join(k.to_bytes(4, "big") for k in (n, 28, 28)))
        file.truncate(16 + n * 784)
    tracemalloc.start()
    _, lists = answer_array_file(model, str(tmp_path / "a"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < n * 784 / 4
    assert len(next(lists)) == 1000


# --- The command ---


def test_each_picture_of_an_array_file_is_a_line(run: Run, tmp_path: Path) -> None:
    write_kaggle_csv(tmp_path / "test.csv")
    Image.fromarray(IMAGES[0]).save(tmp_path / "five.png")
    arguments = ("five.png", "test.csv", "five.png")
    done = run("predict", "-m", "shipped", "--min-confidence", "0", *arguments, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    first, *lines, last = [line.split("\t") for line in done.stdout.decode().splitlines()]
    assert first == last
    assert [line[0] for line in lines] == [f"test.csv#{i}" for i in range(20)]
    assert sum(line[1] == str(label) for line, label in zip(lines, LABELS)) >= 19


def test_json_of_an_array_file_has_no_box_and_no_decisions(run: Run, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", IMAGES[:2] / 255)
    done = run("predict", "-m", "shipped", "--format", "json", "--top", "2", "a.npy", cwd=tmp_path)
    values = [json.loads(line) for line in done.stdout.splitlines()]
    assert [value["path"] for value in values] == ["a.npy#0", "a.npy#1"]
    assert [value["digit"] for value in values] == LABELS[:2].tolist()
    for value in values:
        assert value["box"] is value["decisions"] is value["doubt"] is None
        assert len(value["probabilities"]) == 10
        assert value["top"][0]["digit"] == value["digit"]
    assert b"a.npy: expected pixels from 0 to 255, found 0 to 1; digitnet multiplies" in done.stderr


def test_min_confidence_and_show_work_on_array_files(run: Run, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", IMAGES[:1])
    arguments = ("-m", "shipped", "--min-confidence", "1", "--show", "-v", "a.npy")
    done = run("predict", *arguments, cwd=tmp_path)
    name, digit, _ = done.stdout.splitlines()[0].split(b"\t")
    assert (name, digit) == (b"a.npy#0", b"?")
    assert b"not prepared" in done.stdout
    assert b"a.npy#0: expected a confidence of 1.0000 or more" in done.stderr


@pytest.mark.parametrize("digits", ["5", "any"])
def test_numbers_are_not_read_in_array_files(run: Run, digits: str, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", IMAGES)
    done = run("predict", "-m", "shipped", "--digits", digits, "a.npy", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr == (
        b"a.npy: expected a picture of numbers, found a file of arrays, each a single digit; "
        b"leave out --digits\n"
    )


def test_a_wrong_array_file_is_an_error_and_the_others_are_answered(
    run: Run, tmp_path: Path
) -> None:
    (tmp_path / "no.csv").write_text("5,6\n")
    np.save(tmp_path / "a.npy", IMAGES[:1])
    arguments = ("-m", "shipped", "--format", "json", "no.csv", "a.npy")
    done = run("predict", *arguments, cwd=tmp_path)
    assert done.returncode == 1
    error, answer = map(json.loads, done.stdout.splitlines())
    assert error["path"] == "no.csv"
    assert error["error"].startswith("line 1: expected 785 columns")
    assert done.stderr.decode() == f"no.csv: {error['error']}\n"
    assert answer["path"] == "a.npy#0"


def test_the_documented_awk_line_makes_kaggles_submission(run: Run, tmp_path: Path) -> None:
    write_kaggle_csv(tmp_path / "test.csv")
    text = (REPOSITORY / "data" / "README.md").read_text()
    found = re.search(r"digitnet predict (.*) test\.csv \|\n? *(awk .*) > submission\.csv", text)
    assert found
    done = run("predict", "-m", "shipped", *found[1].split(), "test.csv", cwd=tmp_path)
    made = subprocess.run(
        ["sh", "-c", found[2]], input=done.stdout, capture_output=True, check=True
    )
    rows = list(csv.DictReader(io.StringIO(made.stdout.decode())))
    assert [row["ImageId"] for row in rows] == [str(i) for i in range(1, 21)]
    assert sum(row["Label"] == str(label) for row, label in zip(rows, LABELS)) >= 19


def test_mnist_itself_is_answered(run: Run) -> None:
    path = MNIST / "t10k-images-idx3-ubyte.gz"
    done = run("predict", "-m", "shipped", path)
    assert done.returncode == 0
    lines = done.stdout.decode().splitlines()
    assert len(lines) == 10_000
    assert lines[0].startswith(f"{path}#0\t7\t")
