"""Inspect labelled pictures before training: how many, which twice, which labels look wrong."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from digitnet.arrays import PIXELS
from digitnet.dataset.classes import normalise_name
from digitnet.dataset.definition import NON_DIGIT, Dataset, Unreadable
from digitnet.errors import CheckpointError
from digitnet.model.calibration import evidence, probabilities
from digitnet.model.checkpoint import Checkpoint, load_checkpoint
from digitnet.model.doubt import Grounds, is_doubtful
from digitnet.model.locations import SHIPPED

MAX_COMPARED = 5000  # pictures: with more, pictures that are nearly the same are not looked for
MIN_SIMILARITY = 0.985  # cosine of the pixels: from here, two pictures are perhaps the same
UNCOMPARED = "1"  # answer: strokes of different 1s are as similar as copies of other digits
MAX_PROBABILITY = 0.01  # probability of the label: below this, the shipped model contradicts it
MIN_SHARE = 1 / 3  # share of the most frequent class: a class with fewer pictures is rare
CHUNK = 1000  # pictures scored or compared at once


class Split(NamedTuple):
    """Some pictures of a data set: those at `indices` (n,), used as `name` says."""

    name: str
    dataset: Dataset
    indices: NDArray[np.int64]


class Picture(NamedTuple):
    """A picture, its split, and the class name that is its label; None for a non-digit."""

    name: str
    split: str
    label: str | None


class Pair(NamedTuple):
    """Two pictures that are, or may be, the same. similarity: cosine of their pixels, 0 to 1."""

    first: Picture
    second: Picture
    similarity: float = 1.0

    @property
    def is_contradictory(self) -> bool:
        """True if the labels differ."""
        return self.first.label != self.second.label

    @property
    def is_across(self) -> bool:
        """True if the pictures are in different splits."""
        return self.first.split != self.second.split


class Suspect(NamedTuple):
    """A picture whose label the shipped model contradicts, with its answer and confidence."""

    picture: Picture
    answer: str
    confidence: float


@dataclass(frozen=True, eq=False)
class Inspection:
    """What was found in the pictures of all splits.

    counts: pictures of each split, (classes + 1,), in the order of `class_names`, non-digits last.
    several: pictures in which several digits were found, without non-digits. same: pairs with equal
    pixels. perhaps_same: pairs with similar pixels. perhaps_wrong: surest first. unchecked: why
    `perhaps_same` or `perhaps_wrong` is None. In `same` and `perhaps_same`, a picture is the second
    of one pair at most; pairs with different labels come first, then pairs of different splits.
    """

    class_names: tuple[str, ...]
    counts: dict[str, NDArray[np.int64]]
    unreadable: tuple[Unreadable, ...]
    several: tuple[Picture, ...]
    same: tuple[Pair, ...]
    perhaps_same: tuple[Pair, ...] | None
    perhaps_wrong: tuple[Suspect, ...] | None
    unchecked: dict[str, str]

    def rare_classes(self, split: str) -> dict[str, int]:
        """Return the classes with few pictures in a split, with their numbers of pictures.

        Few are at least 1 and less than MIN_SHARE of the most frequent class.
        """
        counts = self.counts[split][:-1].tolist()
        least = max(counts) * MIN_SHARE
        return {name: n for name, n in zip(self.class_names, counts) if 0 < n < least}

    def empty_classes(self, split: str) -> list[str]:
        """Return the classes without pictures in a split."""
        counts = self.counts[split][:-1].tolist()
        return [name for name, n in zip(self.class_names, counts) if not n]


def inspect(
    splits: Sequence[Split], shipped: Checkpoint | None, *, is_turned: bool = False
) -> Inspection:
    """Return what is found in the pictures of splits, whose data sets have the same class names.

    shipped: the model that judges labels; None leaves this check out. is_turned: whether rows and
    columns seem to be exchanged, so that labels cannot be judged. Each picture is in one split
    at most. Pixels are read in chunks: memory hardly depends on the number of pictures.
    """
    pictures = _Pictures(splits)
    class_names = splits[0].dataset.class_names
    unchecked: dict[str, str] = {}
    scores = None if shipped is None else _score(pictures, shipped)
    copies = _copies(pictures)
    perhaps_same = perhaps_wrong = None
    if len(pictures) <= MAX_COMPARED:
        is_compared = _comparable(pictures, scores)
        is_compared[[second for _, second in copies]] = False
        perhaps_same = _sorted(
            Pair(pictures[first], pictures[second], similarity)
            for first, second, similarity in _similar(pictures, np.flatnonzero(is_compared))
        )
    else:
        unchecked["perhaps_same"] = f"more than {MAX_COMPARED:,} pictures"
    if scores is None:
        unchecked["perhaps_wrong"] = "the shipped model cannot be read"
    elif is_turned:
        unchecked["perhaps_wrong"] = "rows and columns seem to be exchanged"
    elif not scores.knows_labels:
        unchecked["perhaps_wrong"] = "the shipped model knows other classes"
    else:
        suspects = np.flatnonzero(scores.contradicts)
        order = np.argsort(-scores.confidences[suspects], kind="stable")
        perhaps_wrong = tuple(
            Suspect(
                pictures[i], scores.class_names[scores.answers[i]], float(scores.confidences[i])
            )
            for i in suspects[order].tolist()
        )
    holds_several = (pictures.digits > 1) & (pictures.labels != NON_DIGIT)
    datasets = {id(split.dataset): split.dataset for split in splits}.values()
    return Inspection(
        class_names,
        {split.name: _counts(split) for split in splits},
        tuple(each for dataset in datasets for each in dataset.unreadable),
        tuple(pictures[i] for i in np.flatnonzero(holds_several).tolist()),
        _sorted(Pair(pictures[first], pictures[second]) for first, second in copies),
        perhaps_same,
        perhaps_wrong,
        unchecked,
    )


def load_judge() -> Checkpoint | None:
    """Return the shipped model; None if this digitnet cannot read it."""
    try:
        return load_checkpoint(SHIPPED)
    except CheckpointError:  # the preparation has changed, and the model is not yet trained anew
        return None


class _Pictures:
    """The pictures of all splits, numbered in the order of the splits.

    labels, digits: int64 (n,). priors: float64 (n,), nats.
    """

    def __init__(self, splits: Sequence[Split]) -> None:
        self.splits = splits
        self.starts = np.cumsum([0, *(len(split.indices) for split in splits)])
        self.labels = np.concatenate([split.dataset.labels[split.indices] for split in splits])
        self.digits = np.ones(len(self), np.int64)
        self.priors = np.zeros(len(self))
        for split, start, end in zip(splits, self.starts, self.starts[1:]):
            if split.dataset.digits is not None:
                self.digits[start:end] = split.dataset.digits[split.indices]
            if split.dataset.priors is not None:
                self.priors[start:end] = split.dataset.priors[split.indices]

    def __len__(self) -> int:
        return int(self.starts[-1])

    def __getitem__(self, number: int) -> Picture:
        split, index = self._locate(number)
        label = int(self.labels[number])
        class_name = None if label == NON_DIGIT else split.dataset.class_names[label]
        return Picture(split.dataset.name_of(index), split.name, class_name)

    def image(self, number: int) -> NDArray[np.uint8]:
        split, index = self._locate(number)
        image: NDArray[np.uint8] = split.dataset.images[index]
        return image

    def chunks(self) -> Iterator[tuple[slice, NDArray[np.uint8]]]:
        """Yield slices of at most CHUNK numbers and their images, uint8 (n, 28, 28)."""
        for split, start in zip(self.splits, self.starts.tolist()):
            for first in range(0, len(split.indices), CHUNK):
                indices = split.indices[first : first + CHUNK]
                where = slice(start + first, start + first + len(indices))
                yield where, split.dataset.images[indices]

    def _locate(self, number: int) -> tuple[Split, int]:
        k = int(np.searchsorted(self.starts, number, side="right")) - 1
        return self.splits[k], int(self.splits[k].indices[number - self.starts[k]])


class _Scores(NamedTuple):
    """The answers of a model to n pictures.

    answers: (n,), indices into `class_names`. confidences: (n,). contradicts: (n,), True where the
    answer is not ? and the label is improbable. knows_labels: whether all labels are among its
    classes; if not, `contradicts` is False.
    """

    class_names: tuple[str, ...]
    answers: NDArray[np.int64]
    confidences: NDArray[np.float64]
    contradicts: NDArray[np.bool_]
    knows_labels: bool


def _score(pictures: _Pictures, model: Checkpoint) -> _Scores:
    n = len(pictures)
    index_of = {normalise_name(name): index for index, name in enumerate(model.class_names)}
    known = [index_of.get(normalise_name(c)) for c in pictures.splits[0].dataset.class_names]
    own_index = np.array([NON_DIGIT if index is None else index for index in known])
    labels = np.where(pictures.labels == NON_DIGIT, NON_DIGIT, own_index[pictures.labels])
    answers, confidences = np.zeros(n, np.int64), np.zeros(n)
    contradicts = np.zeros(n, np.bool_)
    for where, images in pictures.chunks():
        outputs = model.network(images)
        p = probabilities(outputs, model.calibration.temperature)
        answers[where], confidences[where] = p.argmax(axis=1), p.max(axis=1)
        is_improbable = p[np.arange(len(p)), labels[where]] < MAX_PROBABILITY
        nats = evidence(outputs, model.network.min_output)
        for row in np.flatnonzero(is_improbable & (labels[where] != NON_DIGIT)).tolist():
            i = where.start + row
            grounds = Grounds(confidences[i], nats[row], pictures.digits[i], pictures.priors[i])
            contradicts[i] = not is_doubtful(grounds, model.calibration)
    knows_labels = None not in known
    return _Scores(
        model.class_names, answers, confidences, contradicts & knows_labels, knows_labels
    )


def _copies(pictures: _Pictures) -> list[tuple[int, int]]:
    """Return each picture with the same pixels as an earlier picture, after the earliest one."""
    hashes = np.empty(len(pictures), np.int64)
    for where, images in pictures.chunks():
        hashes[where] = [hash(image.tobytes()) for image in images]
    order = np.argsort(hashes, kind="stable")
    ordered = hashes[order]
    repeated = np.flatnonzero(ordered[1:] == ordered[:-1]) + 1
    first_of_group = np.searchsorted(ordered, ordered[repeated])
    pairs = zip(order[first_of_group].tolist(), order[repeated].tolist())
    return [(a, b) for a, b in pairs if np.array_equal(pictures.image(a), pictures.image(b))]


def _comparable(pictures: _Pictures, scores: _Scores | None) -> NDArray[np.bool_]:
    """Return, (n,), which pictures are neither labelled nor answered UNCOMPARED."""
    one = normalise_name(UNCOMPARED)
    class_names = pictures.splits[0].dataset.class_names
    named_one = [i for i, name in enumerate(class_names) if normalise_name(name) == one]
    is_compared = ~np.isin(pictures.labels, named_one)
    if scores is not None and UNCOMPARED in scores.class_names:
        is_compared &= scores.answers != scores.class_names.index(UNCOMPARED)
    return is_compared


def _similar(pictures: _Pictures, numbers: NDArray[np.int64]) -> Iterator[tuple[int, int, float]]:
    """Yield pictures at least MIN_SIMILARITY similar to an earlier one, after the most similar."""
    x = np.empty((len(numbers), PIXELS), np.float32)
    for row, number in zip(x, numbers.tolist()):
        row[:] = pictures.image(number).reshape(PIXELS)
    x /= np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1)
    for start in range(0, len(x), CHUNK):
        rows = x[start : start + CHUNK]
        cosines = rows @ x[: start + len(rows)].T  # (n, 784) (784, m) -> (n, m)
        cosines = np.tril(cosines, start - 1)  # earlier pictures only
        closest = cosines.argmax(axis=1)
        similarities = cosines[np.arange(len(rows)), closest]
        for i in np.flatnonzero(similarities >= MIN_SIMILARITY).tolist():
            first, second = numbers[closest[i]], numbers[start + i]
            yield int(first), int(second), min(float(similarities[i]), 1.0)


def _sorted(pairs: Iterator[Pair]) -> tuple[Pair, ...]:
    def key(pair: Pair) -> tuple[bool, bool, float]:
        return not pair.is_contradictory, not pair.is_across, -pair.similarity

    return tuple(sorted(pairs, key=key))


def _counts(split: Split) -> NDArray[np.int64]:
    """Return the pictures per class, non-digits last, (classes + 1,)."""
    classes = len(split.dataset.class_names)
    labels = split.dataset.labels[split.indices]
    return np.bincount(np.where(labels == NON_DIGIT, classes, labels), minlength=classes + 1)
