"""Which pictures an epoch uses, and how often: repeats, balance, added pictures."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from digitnet.arrays import SIDE
from digitnet.config.definition import Config
from digitnet.dataset.classes import DIGITS
from digitnet.dataset.definition import NON_DIGIT, Dataset, Report
from digitnet.errors import ConfigError
from digitnet.randomness import Purpose, generator

Indices = NDArray[np.int64]
Pictures = tuple[NDArray[np.uint8], NDArray[np.int64]]  # images (n, 28, 28), labels (n,)
NO_PICTURES: Pictures = np.empty((0, SIDE, SIDE), np.uint8), np.empty(0, np.int64)


def repeat_indices(
    dataset: Dataset, indices: Indices, per_epoch: int | None, *, balance: bool
) -> Indices:
    """Return indices of training pictures, each as often as an epoch uses the picture.

    A picture is used as often as its source is listed. balance: the pictures of a class are used so
    often that the class has about as many as the most frequent class. per_epoch: all pictures are
    repeated until the indices are about this many.
    """
    times = np.ones(len(indices), np.int64)
    if dataset.repeats is not None:
        times *= dataset.repeats[indices]
    if balance:
        labels = dataset.labels[indices]
        is_digit = labels != NON_DIGIT
        counts = np.bincount(labels[is_digit], times[is_digit], len(dataset.class_names))
        factors = np.rint(counts.max() / np.maximum(counts, 1)).astype(np.int64)
        times[is_digit] *= factors[labels[is_digit]]
    if per_epoch is not None:
        times *= max(round(per_epoch / int(times.sum())), 1)
    return indices if (times == 1).all() else np.repeat(indices, times)


def make_synthetic(
    config: Config, class_names: tuple[str, ...], n: int, report: Report | None = None
) -> Pictures:
    """Return synthetic digits and non-digits for n training images.

    report: is told how many are made. Raises ConfigError if `training.drawn` is set for other
    classes than the digits.
    """
    n_digits = round(config.training.drawn * n)
    n_background = round(config.training.background * n)
    if config.training.drawn and class_names != DIGITS:
        found = ", ".join(class_names)
        problem = f"expected 0 for other classes than the digits, found the classes {found:.60}"
        raise ConfigError("training.drawn", problem)
    images, labels = NO_PICTURES
    if n_digits:
        from digitnet.synthetic.handwriting import make_digits  # imports Pillow: slow to start

        images, labels = make_digits(
            n_digits, rng=generator(config.seed, Purpose.DRAWN), report=report
        )
    if n_background:
        from digitnet.synthetic.background import make_background

        background = make_background(
            n_background, rng=generator(config.seed, Purpose.BACKGROUND), report=report
        )
        images = np.concatenate([images, background])
        labels = np.append(labels, np.full(n_background, NON_DIGIT))
    return images, labels


def add_pictures(
    dataset: Dataset, indices: Indices, pictures: Iterable[Pictures]
) -> tuple[Dataset, Indices]:
    """Return the data set with pictures appended, and the indices with those of the pictures."""
    images, labels = zip(*pictures)
    added = sum(map(len, labels))
    if not added:
        return dataset, indices
    indices = np.append(indices, len(dataset) + np.arange(added))
    return dataset.followed_by(np.concatenate(images), np.concatenate(labels)), indices
