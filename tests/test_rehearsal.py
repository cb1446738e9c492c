"""Rehearsal: pictures that the start has learned from."""

from pathlib import Path

import numpy as np
import pytest
from conftest import read_mnist
from PIL import Image

from digitnet.config.definition import Config
from digitnet.config.reader import to_config
from digitnet.dataset.classes import DIGITS
from digitnet.dataset.definition import DEFAULT_OPTIONS, Dataset, ReadOptions
from digitnet.errors import DataError
from digitnet.image.evidence import Judgement
from digitnet.model.prediction import load
from digitnet.training import rehearsal
from digitnet.training.rehearsal import Rehearsal, hardest, read_rehearsal

IMAGES, LABELS = read_mnist("train", 50)


def make(path: object, pictures: int = 20, seed: int = 1) -> Config:
    section = {"path": path, "pictures": pictures}
    data = {"path": "/unused", "rehearsal": section}
    return to_config({"data": data, "start": "shipped", "seed": seed, "model": "/unused.npz"})


def rehearse(
    config: Config,
    names: tuple[str, ...] = DIGITS,
    held_out: int = 0,
    options: ReadOptions = DEFAULT_OPTIONS,
) -> Rehearsal:
    """Return what `read_rehearsal` does; the first pictures of IMAGES are held out."""
    validation = Dataset(IMAGES, LABELS.astype(np.int64))
    return read_rehearsal(config, names, options, validation, np.arange(held_out))


@pytest.fixture
def digits(tmp_path: Path) -> Path:
    path = tmp_path / "digits.npz"
    np.savez(path, images=IMAGES, labels=LABELS)
    return path


def test_pictures_are_drawn_by_the_seed(digits: Path) -> None:
    one, same, other = (rehearse(make(str(digits), seed=seed)) for seed in (1, 1, 2))
    assert len(one.images) == len(one.labels) == 20
    assert (one.images == same.images).all()
    assert (one.images != other.images).any()
    of_picture = {image.tobytes(): label for image, label in zip(IMAGES, LABELS)}
    assert [of_picture[image.tobytes()] for image in one.images] == one.labels.tolist()
    everything = rehearse(make(str(digits), 500))
    assert len(everything.images) == 50
    assert len(everything.hashes) == 1


def test_they_are_upright_beside_transposed_data(digits: Path) -> None:
    images = rehearse(make(str(digits), 500), options=ReadOptions(transposed=True)).images
    assert {image.tobytes() for image in images} == {image.tobytes() for image in IMAGES}


def test_of_digits_the_hardest_are_rehearsed(digits: Path) -> None:
    model = load()
    chosen = rehearse(make(str(digits), 5), options=ReadOptions(score=model.judge))
    confidences = model.probabilities(IMAGES).max(axis=1)
    assert model.probabilities(chosen.images).max() == np.sort(confidences)[4]
    assert (model.probabilities(chosen.images).argmax(axis=1) == chosen.labels).all()


@pytest.mark.parametrize("chunk", [2, 100])
def test_wrong_answers_come_last(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rehearsal, "CHUNK", chunk)
    p = np.array([[0.9, 0.1], [0.4, 0.6], [0.6, 0.4], [0.5, 0.5]])
    images = np.zeros((4, 28, 28), np.uint8)
    images[:, 0, 0] = range(4)

    def score(pictures: np.ndarray) -> Judgement:
        n = len(pictures)
        return p[pictures[:, 0, 0]], np.zeros(n), np.ones(n, np.bool_)

    dataset = Dataset(images, np.zeros(4, np.int64), ("a", "b"))
    assert hardest(dataset, np.arange(4), score).tolist() == [3, 2, 0, 1]


def test_validation_pictures_are_not_rehearsed(digits: Path) -> None:
    images = rehearse(make(str(digits), 500), held_out=10).images
    rehearsed = {image.tobytes() for image in images}
    assert rehearsed == {image.tobytes() for image in IMAGES[10:]}


def test_missing_paths_are_left_out_and_said(digits: Path, tmp_path: Path) -> None:
    gone = str(tmp_path / "gone")
    images, _, hashes, remarks, is_missing = rehearse(make([str(digits), gone]))
    assert not is_missing
    assert (len(images), len(hashes)) == (20, 1)
    assert remarks == (f"data.rehearsal.path: {gone} does not exist; left out",)
    images, _, hashes, remarks, is_missing = rehearse(make(gone))
    assert is_missing
    assert (len(images), hashes) == (0, ())
    expected = "data.rehearsal.path: none of its paths exists; nothing is rehearsed"
    assert remarks == (expected,)


def test_unreadable_pictures_are_said(tmp_path: Path) -> None:
    for label in (0, 1):
        (tmp_path / str(label)).mkdir()
        Image.fromarray(IMAGES[label == LABELS][0]).save(tmp_path / str(label) / "a.png")
    bad = tmp_path / "1" / "bad.png"
    bad.write_bytes(b"nothing")
    images, _, _, (remark,), _ = rehearse(make(str(tmp_path)))
    assert len(images) == 2
    assert remark.startswith(f"data.rehearsal.path: {bad}: expected a picture")


def test_other_classes_are_left_out_and_said(digits: Path) -> None:
    images, _, hashes, (remark,), is_missing = rehearse(make(str(digits)), ("a", "b"))
    assert (len(images), hashes, is_missing) == (0, (), False)
    assert remark.endswith("7, 8, 9, not among a, b; left out")


def test_wrong_data_is_an_error_of_the_key(tmp_path: Path) -> None:
    (tmp_path / "wrong.npz").write_bytes(b"PK wrong")
    with pytest.raises(DataError) as error:
        rehearse(make(str(tmp_path / "wrong.npz")))
    assert error.value.key == "data.rehearsal.path"
