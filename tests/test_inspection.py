"""Test the inspection of labelled pictures: counts, copies, similar pictures, wrong labels."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import read_mnist
from hypothesis import given
from hypothesis import strategies as st

from digitnet.dataset.definition import NON_DIGIT, Dataset, Origin, Unreadable
from digitnet.model import checkpoint, inspection
from digitnet.model.inspection import Inspection, Split, inspect, load_judge

IMAGES, LABELS = read_mnist("t10k", 300)
JUDGE = load_judge()
NOISE = np.random.default_rng(1).integers(0, 256, (20, 28, 28)).astype(np.uint8)


def dataset(images: np.ndarray, labels: np.ndarray, **more: object) -> Dataset:
    origins = (Origin("own", len(labels), "own.npz"),)
    return replace(Dataset(images, labels.astype(np.int64), origins=origins), **more)


def split(name: str, images: np.ndarray, labels: np.ndarray, **more: object) -> Split:
    return Split(name, dataset(images, labels, **more), np.arange(len(labels)))


def digits(n: int = 300, **more: object) -> Split:
    return split("train", IMAGES[:n].copy(), LABELS[:n].copy(), **more)


def noise(n: int, label: int = 0) -> Split:
    """Different pictures of no digit, all with the same label."""
    return split("train", NOISE[:n].copy(), np.full(n, label))


def names_of(found: Inspection) -> list[tuple[str, str]]:
    return [(pair.first.name, pair.second.name) for pair in found.same]


def test_pictures_are_counted_per_split_and_class() -> None:
    labels = np.array([0, 0, 3, NON_DIGIT])
    both = dataset(NOISE[:4], labels)
    splits = Split("train", both, np.array([0, 3])), Split("validation", both, np.array([1, 2]))
    counts = inspect(splits, None).counts
    assert counts["train"].tolist() == [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]
    assert counts["validation"].tolist() == [1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]


def test_rare_and_empty_classes_are_those_of_one_split() -> None:
    names = "a", "b", "c", "d"
    labels = np.repeat([0, 1, 2], [9, 3, 2])
    splits = (
        split("train", NOISE[:14], labels, class_names=names),
        split("test", NOISE[:1], np.array([3]), class_names=names),
    )
    found = inspect(splits, None)
    assert found.rare_classes("train") == {"c": 2}
    assert found.empty_classes("train") == ["d"]
    assert found.empty_classes("test") == ["a", "b", "c"]


def test_unreadable_pictures_of_a_data_set_are_listed_once() -> None:
    bad = Unreadable("bad.png", "truncated")
    both = dataset(NOISE[:4], np.zeros(4), unreadable=(bad,))
    splits = Split("train", both, np.array([0, 1])), Split("validation", both, np.array([2]))
    assert inspect(splits, None).unreadable == (bad,)


def test_pictures_of_several_digits_are_named() -> None:
    train = digits(3, digits=np.array([1, 2, 2]))
    train.dataset.labels[2] = NON_DIGIT
    found = inspect([train], None)
    assert [picture.name for picture in found.several] == ["own.npz#1"]


def test_copies_are_named_with_the_first_of_them() -> None:
    train, test = noise(8), split("test", NOISE[[9, 5, 10]].copy(), np.array([0, 0, 0]))
    train.dataset.images[[4, 6]] = train.dataset.images[2]
    found = inspect([train, test], None)
    assert names_of(found) == [
        ("own.npz#5", "own.npz#1"),  # across splits: first
        ("own.npz#2", "own.npz#4"),
        ("own.npz#2", "own.npz#6"),
    ]
    first = found.same[0]
    assert (first.first.split, first.second.split) == ("train", "test")


def test_copies_with_different_labels_come_first() -> None:
    train = noise(8)
    train.dataset.images[[3, 7]] = train.dataset.images[[0, 1]]
    train.dataset.labels[[7, 3]] = NON_DIGIT, 0
    pair, other = inspect([train], None).same
    assert (pair.first.label, pair.second.label) == ("0", None)
    assert (other.first.label, other.second.label) == ("0", "0")


@given(st.lists(st.integers(0, 3), min_size=1, max_size=12), st.integers(1, 3))
def test_all_copies_are_found_and_no_others(kinds: list[int], chunk: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inspection, "CHUNK", chunk)
        images = NOISE[kinds]
        found = inspect([split("train", images, np.zeros(len(images)))], None)
    expected = {(f"own.npz#{kinds.index(k)}", f"own.npz#{i}") for i, k in enumerate(kinds)}
    assert set(names_of(found)) == {(a, b) for a, b in expected if a != b}
    assert found.perhaps_same == ()


def changed(image: np.ndarray) -> np.ndarray:
    """Return an image with a few pixels changed: the same picture, compressed again."""
    other = image.copy()
    other[10, 10:14] ^= 8
    return other


@pytest.mark.parametrize("chunk", [2, 5, 1000])
def test_similar_pictures_are_perhaps_the_same(monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    monkeypatch.setattr(inspection, "CHUNK", chunk)
    train = noise(12)
    train.dataset.images[9] = changed(train.dataset.images[3])
    train.dataset.images[10] = train.dataset.images[3]  # the same, not perhaps
    found = inspect([train], None)
    assert names_of(found) == [("own.npz#3", "own.npz#10")]
    assert found.perhaps_same is not None
    (pair,) = found.perhaps_same
    assert (pair.first.name, pair.second.name) == ("own.npz#3", "own.npz#9")
    assert 0.985 <= pair.similarity < 1


def test_different_digits_are_not_perhaps_the_same() -> None:
    assert inspect([digits()], JUDGE).perhaps_same == ()


def test_ones_are_never_perhaps_the_same() -> None:
    train = digits()
    one, seven = np.flatnonzero(LABELS == 1)[0], np.flatnonzero(LABELS == 7)[0]
    train.dataset.images[298] = changed(IMAGES[one])  # answered 1
    train.dataset.labels[298] = 4
    train.dataset.images[299] = changed(IMAGES[seven])  # labelled 1
    train.dataset.labels[299] = 1
    assert inspect([train], JUDGE).perhaps_same == ()


def test_blank_pictures_are_compared_without_a_warning() -> None:
    train = noise(3)
    train.dataset.images[:2] = 0
    found = inspect([train], JUDGE)
    assert len(found.same) == 1
    assert found.perhaps_same == ()


def test_many_pictures_are_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspection, "MAX_COMPARED", 7)
    assert inspect([noise(7)], None).perhaps_same is not None
    found = inspect([noise(8)], None)
    assert found.perhaps_same is None
    assert found.unchecked["perhaps_same"] == "more than 7 pictures"


def with_wrong_labels(train: Split) -> list[str]:
    """Give three pictures wrong labels; return their names."""
    train.dataset.labels[[5, 50, 120]] = (train.dataset.labels[[5, 50, 120]] + 3) % 10
    return ["own.npz#120", "own.npz#5", "own.npz#50"]


def test_wrong_labels_are_found_surest_first() -> None:
    train = digits()
    wrong = with_wrong_labels(train)
    suspects = inspect([train], JUDGE).perhaps_wrong
    assert suspects is not None
    names = [suspect.picture.name for suspect in suspects]
    assert set(wrong) <= set(names)
    assert len(names) <= 5
    confidences = [suspect.confidence for suspect in suspects]
    assert confidences == sorted(confidences, reverse=True)
    by_name = {suspect.picture.name: suspect for suspect in suspects}
    assert by_name["own.npz#5"].answer == str(LABELS[5])
    assert by_name["own.npz#5"].picture.label == str((LABELS[5] + 3) % 10)


@pytest.mark.parametrize(
    "unsure",
    [
        {"digits": np.full(300, 2)},  # several digits
        {"priors": np.full(300, 50.0)},  # a part of something larger
    ],
    ids=["several digits", "prior"],
)
def test_pictures_answered_with_a_question_mark_are_not_suspected(
    unsure: dict[str, np.ndarray],
) -> None:
    train = digits(**unsure)
    with_wrong_labels(train)
    assert inspect([train], JUDGE).perhaps_wrong == ()


def test_noise_and_non_digits_are_not_suspected() -> None:
    train = digits(20)
    train.dataset.labels[:] = NON_DIGIT
    assert inspect([train], JUDGE).perhaps_wrong == ()
    assert inspect([noise(20)], JUDGE).perhaps_wrong == ()


def test_some_digits_under_other_names_are_judged() -> None:
    chosen = np.isin(LABELS, [3, 8])
    labels = (LABELS[chosen] == 8).astype(np.int64)
    labels[0] = 1 - labels[0]
    train = split("train", IMAGES[chosen], labels, class_names=("03", "8"))
    suspects = inspect([train], JUDGE).perhaps_wrong
    assert suspects is not None
    assert "own.npz#0" in [suspect.picture.name for suspect in suspects]


def test_other_classes_are_not_judged() -> None:
    found = inspect([digits(class_names=tuple("abcdefghij"))], JUDGE)
    assert found.perhaps_wrong is None
    assert "other classes" in found.unchecked["perhaps_wrong"]


def test_without_the_shipped_model_labels_are_not_judged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(checkpoint, "PREPARATION", "another")
    found = inspect([digits(30)], load_judge())
    assert found.perhaps_wrong is None
    assert "cannot be read" in found.unchecked["perhaps_wrong"]


def test_labels_of_transposed_pictures_are_not_judged() -> None:
    found = inspect([digits(30)], JUDGE, is_turned=True)
    assert found.perhaps_wrong is None
    assert found.unchecked["perhaps_wrong"] == "rows and columns seem to be exchanged"
