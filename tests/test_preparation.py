"""Ranks that prepare the pictures of a training together. Ranks are threads here."""

import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from conftest import REPOSITORY, read_mnist
from PIL import Image

from digitnet.config.definition import Config
from digitnet.config.reader import to_config
from digitnet.dataset import preparation
from digitnet.dataset.classes import DIGITS
from digitnet.dataset.definition import Data, Dataset, ReadOptions, Report
from digitnet.dataset.folder import prepare_pictures
from digitnet.dataset.reader import read_data
from digitnet.errors import DataError, DigitnetError, Elsewhere
from digitnet.fleet import work
from digitnet.fleet.fleet import ALONE, Fleet
from digitnet.image.workers import NamedPicture, Prepared, Workers
from digitnet.model.prediction import load
from digitnet.training.rehearsal import Rehearsal, read_rehearsal
from digitnet.training.setup import begin, read_options
from tests.thread_fleet import run_ranks

IMAGES, LABELS = read_mnist("train", 24)


@pytest.fixture(autouse=True)
def few_rows_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "ROWS_AT_ONCE", 3)


@pytest.fixture
def classes(tmp_path: Path) -> Path:
    """A folder of 24 digits, a number and 3 scrawls; 3 pictures cannot be used, one in `none`."""
    folder = tmp_path / "classes"
    for number, (image, label) in enumerate(zip(IMAGES, LABELS)):
        path = folder / f"{label}" / f"{number:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)
    (folder / "none").mkdir()
    Image.fromarray(np.hstack([IMAGES[3], IMAGES[4]])).save(folder / "1" / "number.png")
    for angle in (30, 60, 90):
        Image.fromarray(IMAGES[3]).rotate(angle).save(folder / "none" / f"scrawl-{angle}.png")
    Image.new("L", (28, 28), "white").save(folder / "none" / "blank.png")
    Image.new("L", (28, 28), "white").save(folder / "1" / "99.png")
    (folder / "4" / "00.png").write_bytes(b"not a picture")
    return folder


def read(path: Path | Sequence[Path], **options: object) -> Callable[[Fleet], Data]:
    paths = str(path) if isinstance(path, Path) else tuple(map(str, path))
    return lambda fleet: read_data(paths, ReadOptions(fleet=fleet, **options))  # type: ignore[arg-type]


def contents(dataset: Dataset | None) -> list[object]:
    """Return all fields of a data set, comparable."""
    if dataset is None:
        return []
    values = [getattr(dataset, field.name) for field in fields(dataset)]
    return [
        (value.dtype, value.tolist()) if isinstance(value, np.ndarray) else value
        for value in values
    ]


def refusals(size: int, work: Callable[[Fleet], object]) -> list[tuple[type, str]]:
    """Return the type and message of each rank's error."""

    def start(fleet: Fleet) -> tuple[type, str]:
        with pytest.raises(DigitnetError) as caught:
            fleet.attempt(lambda: work(fleet))
        assert fleet.is_over
        return caught.type, str(caught.value)

    return run_ranks(size, start)


def message(size: int, work: Callable[[Fleet], object]) -> str:
    """Return the message of rank 0's error; the other ranks end without one."""
    (_, text), *others = refusals(size, work)
    assert others == [(Elsewhere, str(Elsewhere()))] * (size - 1)
    return text


@pytest.mark.parametrize("size", [2, 4])
def test_all_ranks_get_the_data_set_of_one_process(classes: Path, size: int) -> None:
    (classes / "train").mkdir()
    for path in classes.iterdir():
        if path.name != "train":
            path.rename(classes / "train" / path.name)
    for label in (5, 0):
        path = classes / "test" / str(label) / "0.png"
        path.parent.mkdir(parents=True)
        Image.fromarray(IMAGES[[*LABELS].index(label)]).save(path)
    alone = read_data(classes)
    assert len(alone.training) == 28
    assert alone.training.digits is not None
    assert alone.training.priors is not None
    assert alone.training.digits.max() == 2
    assert alone.training.priors.any()
    assert [len(each.unreadable) for each in alone.sets] == [2, 0]
    assert "left out: 1" in alone.training.remarks[0]
    for data in run_ranks(size, read(classes)):
        assert contents(data.training) == contents(alone.training)
        assert contents(data.test) == contents(alone.test)
        assert data.fingerprint == alone.fingerprint


def test_a_list_and_names_with_labels_are_shared_too(tmp_path: Path) -> None:
    for number, (image, label) in enumerate(zip(IMAGES[:7], LABELS)):
        Image.fromarray(image).save(tmp_path / f"{label}_{number}.png")
    pattern = {"label_pattern": "<label>_*"}
    alone = read_data(tmp_path, ReadOptions(label_pattern="<label>_*"))
    for data in run_ranks(2, read(tmp_path, **pattern)):
        assert contents(data.training) == contents(alone.training)
    lines = [f"{path.name},{path.name[0]}\n" for path in tmp_path.iterdir()]
    table = tmp_path / "labels.csv"
    table.write_text("".join(["filename,label\n", *lines, "lost.png,3\n", "0_1.png,\n"]))
    alone = read_data(table)
    assert len(alone.training.unreadable) == 2
    for data in run_ranks(2, read(table)):
        assert contents(data.training) == contents(alone.training)


def test_several_sources_are_shared(classes: Path, tmp_path: Path) -> None:
    more = tmp_path / "more" / "7" / "a.png"
    more.parent.mkdir(parents=True)
    Image.fromarray(IMAGES[15]).save(more)
    sources = classes, tmp_path / "more", classes
    alone = read_data(tuple(map(str, sources)))
    for data in run_ranks(2, read(sources)):
        assert contents(data.training) == contents(alone.training)


def test_each_picture_is_prepared_once(classes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepared: list[tuple[int, str]] = []

    class Watched(Workers):
        def prepare(self, pictures: Sequence[NamedPicture]) -> Iterator[list[Prepared]]:
            prepared.extend((threading.get_ident(), name) for name, _ in pictures)
            return super().prepare(pictures)

    monkeypatch.setattr(preparation, "Workers", Watched)
    run_ranks(4, read(classes))
    assert len(prepared) == len({name for _, name in prepared}) == 31
    assert len({thread for thread, _ in prepared}) == 4


@pytest.mark.parametrize("size", [2, 4])
def test_strict_names_the_first_picture_in_order(classes: Path, size: int) -> None:
    with pytest.raises(DataError) as caught:
        read(classes, strict=True)(ALONE)
    assert str(caught.value).startswith(str(classes / "1" / "99.png"))
    assert message(size, read(classes, strict=True)) == str(caught.value)


def test_strict_leaves_out_blank_pictures_of_no_class(classes: Path) -> None:
    for name in ("1/99.png", "4/00.png"):
        (classes / name).unlink()
    alone = read(classes, strict=True)(ALONE)
    assert len(alone.training) == 28
    for data in run_ranks(2, read(classes, strict=True)):
        assert contents(data.training) == contents(alone.training)


def test_a_folder_of_unreadable_pictures_is_refused_as_by_one_process(tmp_path: Path) -> None:
    (tmp_path / "0").mkdir()
    for name in "abc":
        (tmp_path / "0" / f"{name}.png").write_bytes(b"not a picture")
    with pytest.raises(DataError) as caught:
        read_data(tmp_path)
    assert message(2, read(tmp_path)) == str(caught.value)


def test_a_rank_without_the_folder_ends_all(classes: Path, tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    text = message(4, lambda fleet: read(missing if fleet.rank == 2 else classes)(fleet))
    assert text == f"rank 2: {missing}: no such file or folder"


def test_a_rank_with_fewer_sources_ends_all(classes: Path, tmp_path: Path) -> None:
    more = tmp_path / "more" / "7" / "a.png"
    more.parent.mkdir(parents=True)
    Image.fromarray(IMAGES[15]).save(more)
    sources = (classes, tmp_path / "more")
    text = message(2, lambda fleet: read(sources[: 2 - fleet.rank])(fleet))
    expected = f"expected the pictures in {tmp_path / 'more'}, as in rank 0"
    found = "found nothing to prepare; give all ranks the same files"
    assert text == f"rank 1: {expected}, {found}"


@pytest.mark.parametrize(
    ("paths", "labels", "found"),
    [
        (
            "ab",
            [3, 4],
            "3 in rank 0 and 2 in rank 1; the first that differ are c (class 4, ? bytes) and none",
        ),
        (
            "abd",
            [3, 4, 4],
            "3 in rank 0 and 3 in rank 1; the first that differ are c (class 4, ? bytes) and d",
        ),
        ("abc", [3, -1, 4], "b (class 4, ? bytes) and b (no class, ? bytes)"),
    ],
)
def test_copies_that_differ_are_refused(paths: str, labels: list[int], found: str) -> None:
    def prepare(fleet: Fleet) -> Dataset:
        own = (list("abc"), [3, 4, 4]) if fleet.rank != 1 else (list(paths), labels)
        options = ReadOptions(fleet=fleet)
        return prepare_pictures("digits", own[0], np.array(own[1]), DIGITS, options)

    text = message(4, prepare)
    start = "digits: expected the same pictures and labels in all ranks, found "
    assert text.startswith(start)
    assert found in text


def test_drawing_is_shared(tmp_path: Path) -> None:
    squares = np.random.default_rng(1).integers(0, 17, (10, 8, 8), np.uint8)
    path = tmp_path / "eight.npz"
    np.savez(path, images=squares, labels=np.arange(10))
    alone = read_data(path).training
    for data in run_ranks(4, read(path)):
        assert contents(data.training) == contents(alone)


def test_arrays_of_other_lengths_are_refused(tmp_path: Path) -> None:
    paths = tmp_path / "10.npz", tmp_path / "9.npz"
    for path, n in zip(paths, (10, 9)):
        np.savez(path, images=np.eye(8, dtype=np.uint8)[None].repeat(n, 0), labels=np.arange(n))
    text = message(2, lambda fleet: read(paths[fleet.rank])(fleet))
    assert text.startswith("rank 1: expected 10 pictures to draw, as in rank 0, found 9 pictures")


# --- A training's start ---


def training_on(folder: Path, rehearsal: object = None) -> Config:
    data = {"path": str(folder), "validation": 3, "rehearsal": {"path": rehearsal, "pictures": 9}}
    return to_config({"data": data, "start": "shipped", "model": "/unused.npz"})


def test_a_training_begins_alike_in_all_ranks(classes: Path) -> None:
    config = training_on(classes, str(classes))
    alone = begin(config)
    reports: list[list[tuple[int, int]]] = [[], []]

    def start(fleet: Fleet) -> tuple[object, ...]:
        def report(done: int, of: int) -> None:
            reports[fleet.rank].append((done, of))

        state = begin(config, parallel=True, report=report, fleet=fleet)
        arrays = state.examples.images, state.network.parameters, state.train_indices
        return *(array.tobytes() for array in arrays), state.data.fingerprint

    arrays = alone.examples.images, alone.network.parameters, alone.train_indices
    expected = *(array.tobytes() for array in arrays), alone.data.fingerprint
    assert run_ranks(2, start) == [expected] * 2
    assert reports[0][-1] == (31, 31)
    assert not reports[1]


@pytest.mark.parametrize(("names", "judged"), [(["0", "9"], True), (["o", "g"], False)])
def test_without_a_start_the_shipped_model_chooses_in_pictures_of_digits(
    tmp_path: Path, names: list[str], judged: bool
) -> None:
    """In both scans, the prior alone takes specks of dust for the digit."""
    for name, scan in zip(names, ("0/0011-226.png", "9/0001-116.png")):
        (tmp_path / name).mkdir()
        shutil.copy(REPOSITORY / "data/scans/train" / scan, tmp_path / name)
    config = to_config({"data": {"path": str(tmp_path)}, "network": {"layer_sizes": [784, 2]}})
    options = read_options(config, strict=True, parallel=False, report=None)
    dataset = read_data(str(tmp_path), options).training
    answers = load("shipped").probabilities(dataset.images).argmax(axis=1).tolist()
    assert (answers == [int(name) for name in names]) if judged else 0 not in answers
    by_prior = read_data(str(tmp_path)).training.images
    assert (dataset.images == by_prior).all() == (not judged)


def test_ranks_do_not_fork(classes: Path) -> None:
    report: Report = print

    def options(fleet: Fleet) -> ReadOptions:
        config = training_on(classes)
        return read_options(config, strict=False, parallel=True, report=report, fleet=fleet)

    assert options(ALONE).parallel
    assert [each.parallel for each in run_ranks(2, options)] == [False] * 2


def test_a_rehearsal_that_only_some_ranks_have_is_refused(classes: Path, tmp_path: Path) -> None:
    paths = classes, tmp_path / "missing"
    validation = Dataset(IMAGES, LABELS.astype(np.int64))

    def rehearse(fleet: Fleet) -> Rehearsal:
        config = training_on(classes, str(paths[fleet.rank]))
        options = ReadOptions(fleet=fleet)
        return read_rehearsal(config, DIGITS, options, validation, np.arange(0))

    text = message(2, rehearse)
    assert text.startswith(f"rank 1: expected {classes} to rehearse, as in rank 0, found nothing")
