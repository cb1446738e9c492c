"""Rehearsal: pictures that the start has learned from, so that training does not forget them."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from digitnet.arrays import SIDE
from digitnet.config.definition import Config
from digitnet.dataset.classes import DIGITS, has_all_classes
from digitnet.dataset.definition import NON_DIGIT, Dataset, ReadOptions, as_tuple
from digitnet.dataset.reader import read_data
from digitnet.dataset.splits import Indices, without_copies
from digitnet.errors import DataError, join_names
from digitnet.image.evidence import Score
from digitnet.paths import kind_of
from digitnet.randomness import Purpose, generator

CHUNK = 10_000  # pictures that the network scores at once


class Rehearsal(NamedTuple):
    """Pictures to rehearse.

    images: uint8 (n, 28, 28). labels: int64 (n,). hashes: of their sources. remarks: lines for the
    user. is_missing: whether none of the paths exists.
    """

    images: NDArray[np.uint8] = np.empty((0, SIDE, SIDE), np.uint8)
    labels: NDArray[np.int64] = np.empty(0, np.int64)
    hashes: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    is_missing: bool = False


def read_rehearsal(
    config: Config,
    class_names: tuple[str, ...],
    options: ReadOptions,
    validation: Dataset,
    held_out: Indices,
) -> Rehearsal:
    """Return pictures of the training set at `data.rehearsal.path`.

    Copies of the pictures `held_out` of `validation` are not used. Of digits, the hardest are used,
    see `hardest`; of other classes, pictures are drawn by the seed. `data.transposed` does not
    apply to them. Paths that do not exist in any rank, and data with other classes, are left out.
    Raises DataError for wrong data, and RankError for paths that exist only in some ranks.
    """
    section = config.data.rehearsal
    if section.path is None:
        return Rehearsal()
    paths = as_tuple(section.path)
    found = tuple(path for path in paths if kind_of(path) is not None)
    options.fleet.gather(None, f"{join_names(found) or 'nothing'} to rehearse")
    if not found:
        rate = section.rate_without
        change = "nothing is rehearsed" if rate is None else f"the learning rate is {rate:g}"
        remark = f"data.rehearsal.path: none of its paths exists; {change}"
        return Rehearsal(remarks=(remark,), is_missing=True)
    missing = dict.fromkeys(path for path in paths if path not in found)
    remarks = [f"data.rehearsal.path: {path} does not exist; left out" for path in missing]
    try:
        dataset = read_data(found, replace(options, transposed=False)).training
    except DataError as error:
        error.key = "data.rehearsal.path"
        raise
    if not has_all_classes(class_names, dataset.class_names):
        theirs, ours = join_names(dataset.class_names), join_names(class_names)
        remark = f"data.rehearsal.path: its classes are {theirs}, not among {ours}; left out"
        return Rehearsal(remarks=(*remarks, remark))
    dataset = dataset.renumbered(class_names, ", ".join(found))
    remarks += [f"data.rehearsal.path: {each}; left out" for each in dataset.unreadable]
    usable = without_copies(
        dataset, np.flatnonzero(dataset.labels != NON_DIGIT), validation, held_out
    )
    chosen = generator(config.seed, Purpose.REHEARSAL).permutation(usable)
    if options.score is not None and class_names == DIGITS:
        chosen = hardest(dataset, chosen, options.score)
    chosen = chosen[: section.pictures]
    return Rehearsal(
        dataset.images[chosen], dataset.labels[chosen], dataset.source_hashes, tuple(remarks)
    )


def hardest(dataset: Dataset, indices: Indices, score: Score) -> Indices:
    """Return the indices of digits in the order of their margin, the hardest first.

    The margin is the probability of the right digit minus that of the likeliest other digit. Digits
    with a small margin lie near the boundary between two classes, where forgetting begins. Digits
    that the network answers wrong come last: their labels may be wrong.
    """
    margins = np.empty(len(indices))
    for start in range(0, len(indices), CHUNK):
        chunk = indices[start : start + CHUNK]
        probabilities, *_ = score(dataset.images[chunk])
        rows, labels = np.arange(len(chunk)), dataset.labels[chunk]
        right = probabilities[rows, labels]
        probabilities[rows, labels] = -1
        margins[start : start + CHUNK] = right - probabilities.max(axis=1)
    margins[margins < 0] = np.inf
    return indices[np.argsort(margins, kind="stable")]
