"""The installed `digitnet predict --digits`."""

import json
from pathlib import Path

import numpy as np
import pytest
from conftest import Run, read_mnist
from PIL import Image

from digitnet.model.locations import SHIPPED

IMAGES, LABELS = read_mnist("t10k", 400)


def write_number(path: Path, text: str) -> Path:
    """Write a picture of MNIST digits side by side, enlarged, dark on light; return its path."""
    digits = [IMAGES[np.flatnonzero(int(digit) == LABELS)[3]] for digit in text]
    picture = Image.fromarray(255 - np.pad(np.hstack(digits), 14))
    picture.resize((picture.width * 3, picture.height * 3)).save(path)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("numbers")
    for text in ("90210", "0412", "73"):
        write_number(folder / f"{text}.png", text)
    Image.new("L", (80, 80), 255).save(folder / "blank.png")
    return folder


def test_each_picture_is_one_line_of_name_numbers_and_confidence(run: Run, folder: Path) -> None:
    names = ["90210.png", "0412.png", "73.png"]
    done = run("predict", "-m", SHIPPED, "--digits", "any", *names, cwd=folder)
    assert (done.returncode, done.stderr) == (0, b"")
    lines = [line.split("\t") for line in done.stdout.decode().splitlines()]
    assert [line[:2] for line in lines] == [[name, name.removesuffix(".png")] for name in names]
    assert all(0.5 < float(line[2]) <= 1 for line in lines)


def test_a_picture_with_too_few_digits_is_reported_and_others_are_answered(
    run: Run, folder: Path
) -> None:
    names = "90210.png", "blank.png", "73.png"
    done = run("predict", "-m", SHIPPED, "--digits", "5", *names, cwd=folder)
    assert done.returncode == 1
    assert [line.split("\t")[1] for line in done.stdout.decode().splitlines()] == ["90210", "?"]
    blank, short = done.stderr.decode().splitlines()
    assert blank.startswith("blank.png: expected a digit, found no ink")
    assert short == "73.png: expected a number of 5 digits, found none"


def test_json_has_the_documented_keys(run: Run, folder: Path) -> None:
    arguments = "predict", "-m", SHIPPED, "--digits", "4", "--format", "json"
    done = run(*arguments, "0412.png", cwd=folder)
    value = json.loads(done.stdout)
    assert value.keys() == {"path", "numbers", "doubt", "model", "model_sha256"}
    (number,) = value["numbers"]
    assert number.keys() == {"text", "confidence", "row", "box", "digits"}
    assert (number["text"], number["row"], value["doubt"]) == ("0412", 0, None)
    assert [digit["digit"] for digit in number["digits"]] == [0, 4, 1, 2]
    for digit in number["digits"]:
        assert digit.keys() == {"digit", "confidence", "evidence", "probabilities", "box"}
        assert len(digit["probabilities"]) == 10
        assert digit["box"].keys() == {"top", "left", "bottom", "right"}


def test_json_without_a_number_gives_the_reason(run: Run, folder: Path) -> None:
    done = run("predict", "-m", SHIPPED, "--digits", "9", "--format", "json", "73.png", cwd=folder)
    value = json.loads(done.stdout)
    assert (done.returncode, value["numbers"]) == (0, [])
    assert value["doubt"] == "expected a number of 9 digits, found none"


def test_digits_1_is_the_default(run: Run, folder: Path) -> None:
    with_it, without = (
        run("predict", "-m", SHIPPED, *option, "73.png", "--format", "json", cwd=folder)
        for option in (("--digits", "1"), ())
    )
    assert with_it.stdout == without.stdout
    assert b'"digit": ' in without.stdout
    assert without.stderr.endswith(b"; to read numbers, use --digits any\n")


@pytest.mark.parametrize("value", ["0", "-1", "1001", "many", "", "9" * 5000])
def test_other_values_are_a_usage_error(run: Run, value: str) -> None:
    done = run("predict", "--digits", value, "x.png")
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (2, b"", 1)
    assert b"expected a number from 1 to 1000 or any, found" in done.stderr


def test_top_requires_digits_1(run: Run) -> None:
    done = run("predict", "--digits", "any", "--top", "2", "x.png")
    assert (done.returncode, done.stderr.count(b"\n")) == (2, 1)


def test_digits_are_drawn_side_by_side(run: Run, folder: Path) -> None:
    done = run("predict", "-m", SHIPPED, "--digits", "2", "--show", "73.png", cwd=folder)
    first, captions, *drawing = done.stdout.decode().splitlines()
    assert first.startswith("73.png\t73\t")
    assert captions.startswith("7 ")
    assert "  3 " in captions
    assert len(drawing) == 14
    assert any("█" in line[:28] and "█" in line[30:] for line in drawing)


def test_several_processes_give_the_same_answers_as_one(run: Run, folder: Path) -> None:
    names = ["90210.png", "0412.png", "73.png"] * 8
    arguments = "predict", "-m", SHIPPED, "--digits", "any", "--format", "json"
    alone = run(*arguments, *names[:3], cwd=folder).stdout.splitlines()
    listed = "\n".join(names).encode()
    together = run(*arguments, "--files-from", "-", input=listed, cwd=folder).stdout.splitlines()
    assert together == alone * 8
