"""Choose the labelled pictures to evaluate a model on: a split of its own data, or other data."""

import contextlib
import os
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from digitnet.arrays import FloatArray
from digitnet.dataset.definition import (
    DEFAULT_OPTIONS,
    NON_DIGIT,
    Data,
    Dataset,
    Paths,
    ReadOptions,
    as_tuple,
    join_paths,
)
from digitnet.dataset.minibatches import Minibatches
from digitnet.dataset.splits import split_indices, without_copies
from digitnet.errors import CheckpointError, DataError
from digitnet.model.checkpoint import Checkpoint
from digitnet.model.data import (
    model_options,
    read_other_data,
    read_own_data,
    training_config,
)
from digitnet.model.doubt import Grounds, why_doubtful
from digitnet.model.evaluation import EVALUATION_MINIBATCH, Evaluation, Evaluator, NonDigits
from digitnet.paths import kind_of

if TYPE_CHECKING:
    from digitnet.model.prediction import Model


@dataclass(frozen=True, eq=False)
class Examples:
    """Labelled pictures to evaluate a model on: the pictures `indices` (n,) of `dataset`.

    split: `test`, `validation`, `train`, or None for a data set without splits, used whole.
    turned: whether rows and columns of all pictures were exchanged after reading. data_hash: what
    a model trained on `dataset` has as its `data_hash`; empty if unknown.
    """

    path: Paths
    split: str | None
    dataset: Dataset
    indices: NDArray[np.int64]
    turned: bool = False
    data_hash: str = ""

    def minibatches(self) -> Iterator[tuple[FloatArray, FloatArray]]:
        """Yield pixels (785, n), the last row ones, and labels (classes, n).

        n is at most EVALUATION_MINIBATCH.
        """
        return Minibatches(self.dataset, EVALUATION_MINIBATCH)(self.indices)


def evaluate(
    model: "Model",
    data: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | None = None,
    split: Literal["test", "validation", "train"] | None = None,
) -> Evaluation:
    """Evaluate a model on labelled pictures, as `digitnet evaluate` does.

    data: a path in one of the formats of data/README.md, or several; None for the data that the
    model was trained on. split: None means the test split if there is one, else all pictures;
    "train", and "validation" if the data has no validation set, exist for the model's own data
    only.

    The result also says which answers are wrong (`mistakes`, `name_of`), which `predict` would
    replace by `?` (`doubtful`, `doubts`), and how accurate each source is (`sources`).

    Warns if the model was trained on these pictures, if they had to be converted, and of pictures
    that cannot be read, which are left out. Raises DataError for data that cannot be used,
    CheckpointError if the model does not say how its data was split, and ValueError for another
    split or no path.
    """
    if split not in (None, "test", "validation", "train"):
        found = f"found {split!r:.40}"
        raise ValueError(f"split: expected 'test', 'validation', 'train' or None, {found}")
    if data is not None and not isinstance(data, str | os.PathLike | bytes):
        paths: Paths | None = tuple(os.fspath(path) for path in data)
        if not paths:
            raise ValueError("data: expected at least one path, found none")
    else:
        paths = None if data is None else os.fspath(data)
    examples = choose_examples(model.checkpoint, paths, split)
    for remark in examples.dataset.remarks:
        warnings.warn(remark, stacklevel=2)
    if unreadable := examples.dataset.unreadable:
        number = f"pictures left out because they cannot be read: {len(unreadable):,}"
        warnings.warn(f"{unreadable[0]}; {number}", stacklevel=2)
    if has_learned_from(model.checkpoint, examples):
        problem = "the model was trained on these pictures; it is less accurate on others"
        warnings.warn(f"{join_paths(examples.path)}: {problem}", stacklevel=2)
    return evaluate_model(model.checkpoint, examples)


def evaluate_model(checkpoint: Checkpoint, examples: Examples) -> Evaluation:
    """Return the evaluation of a checkpoint's model on examples, at the model's temperature.

    Answers, confidences and doubts are those of `predict`. Pictures without a digit count in
    `non_digits` alone.
    """
    is_digit = examples.dataset.labels[examples.indices] != NON_DIGIT
    result = _evaluate(checkpoint, replace(examples, indices=examples.indices[is_digit]))
    if is_digit.all():
        return result
    others = _evaluate(checkpoint, replace(examples, indices=examples.indices[~is_digit]))
    return replace(result, non_digits=NonDigits(others.images, len(others.doubts)))


def _evaluate(checkpoint: Checkpoint, examples: Examples) -> Evaluation:
    calibration, dataset = checkpoint.calibration, examples.dataset
    evaluator = Evaluator(checkpoint.network, calibration.temperature, as_predict=True)
    for x, y in examples.minibatches():
        evaluator.read(x, y)
    result, indices = evaluator.result(), examples.indices
    assert result.evidence is not None
    n = len(indices)
    columns = (
        result.confidences,
        result.evidence,
        np.ones(n, np.int64) if dataset.digits is None else dataset.digits[indices],
        np.zeros(n) if dataset.priors is None else dataset.priors[indices],
    )
    doubts = {}
    for position, row in enumerate(zip(*(column.tolist() for column in columns))):
        if reason := why_doubtful(Grounds(*row), calibration):
            doubts[position] = reason
    return replace(result, doubts=doubts, origins=dataset.origins, indices=indices)


def choose_examples(
    checkpoint: Checkpoint,
    path: Paths | None = None,
    split: str | None = None,
    options: ReadOptions = DEFAULT_OPTIONS,
) -> Examples:
    """Return the examples at `path`; without a path, of the model's own data.

    split, options, errors: see `LabelledData.examples` and `read_labelled`, which reads once for
    several splits.
    """
    return read_labelled(checkpoint, path, options).examples(split)


def read_labelled(
    checkpoint: Checkpoint, path: Paths | None = None, options: ReadOptions = DEFAULT_OPTIONS
) -> "LabelledData":
    """Return the data at `path` for a model; without a path, the model's own data.

    options: how to read the data; the model sets `score` and `transposed`. Raises DataError if the
    data does not exist or cannot be used.
    """
    turned = False
    if path is None:
        path = checkpoint.data_path
        for source in as_tuple(path):
            with contextlib.suppress(OSError):  # `read_data` reports the error
                if kind_of(source) is None:
                    raise DataError(
                        f"{source}: expected the model's own data, found none; "
                        "name other data with --data"
                    )
        data = read_own_data(checkpoint, path, options)
    else:
        data, turned = read_other_data(checkpoint, path, options)
    return LabelledData(checkpoint, path, data, turned)


@dataclass(frozen=True, eq=False)
class LabelledData:
    """Labelled pictures at a path, read once for a model. turned: see `Examples`."""

    checkpoint: Checkpoint
    path: Paths
    data: Data
    turned: bool = False

    def examples(self, split: str | None = None) -> Examples:
        """Return the examples of a split.

        split: None means the test split if there is one, else all pictures. Raises DataError if the
        split does not exist or shows no digit, or if a split that only training makes is requested
        and the data is not the model's own.
        """
        checkpoint, data, source = self.checkpoint, self.data, join_paths(self.path)
        if split is None and data.test is not None:
            split = "test"
        chosen = _chosen_set(data, split)
        if chosen is None:
            raise DataError(f"{source}: expected a test split, found none")
        dataset = chosen.renumbered(checkpoint.class_names, source)
        is_part = split == "train" or (split == "validation" and chosen is data.training)
        indices = (
            _part_of_training(checkpoint, data, str(split), source)
            if is_part
            else np.arange(len(dataset))
        )
        if (dataset.labels[indices] == NON_DIGIT).all():
            raise DataError(f"{source}: expected pictures of digits, found none")
        data_hash = data.fingerprint if chosen is data.training else chosen.fingerprint
        return Examples(self.path, split, dataset, indices, self.turned, data_hash)


def _chosen_set(data: Data, split: str | None) -> Dataset | None:
    """Return the set that holds a split; None if the data has no test set."""
    if split == "test":
        return data.test
    return data.validation if split == "validation" and data.validation else data.training


def _part_of_training(
    checkpoint: Checkpoint, data: Data, split: str, source: str
) -> NDArray[np.int64]:
    """Return the indices of the pictures that training learned from, or of those it held out.

    Raises DataError, which names the source, if the data is not the model's own, and for no
    pictures.
    """
    if data.fingerprint != checkpoint.data_hash:
        raise DataError(
            f"{source}: expected the data that the model was trained on, because only this data "
            f"has a {split} split; found other pictures or labels"
        )
    learned, held_out = _split(checkpoint, data.training)
    if data.validation is not None:
        learned = without_copies(data.training, learned, data.validation)
    indices = learned if split == "train" else held_out
    if not len(indices):
        raise DataError(
            f"{source}: expected a {split} split, found none; training held no picture out"
        )
    return indices


def prepared_for(
    checkpoint: Checkpoint, examples: Examples, options: ReadOptions = DEFAULT_OPTIONS
) -> Examples:
    """Return the same examples, with pictures prepared by the model of a checkpoint.

    In each picture of a folder, this model then chooses the candidate that is read as the digit. A
    picture in which it finds none stays as it is. options: those of `read_labelled`.
    """
    dataset = examples.dataset
    if all(file is None for file in dataset.files):  # arrays need no preparation
        return examples
    from digitnet.dataset.folder import prepare_again  # imports Pillow

    options = model_options(checkpoint, options)
    if examples.turned:
        dataset = prepare_again(dataset.transposed(), examples.indices, options).transposed()
    else:
        dataset = prepare_again(dataset, examples.indices, options)
    return replace(examples, dataset=dataset)


def has_learned_from(checkpoint: Checkpoint, examples: Examples) -> bool:
    """Return whether the model was trained on any of the examples.

    Held-out examples do not count as trained on, unless the model that training started from knew
    them, or the model's config no longer tells which examples were held out.
    """
    dataset = examples.dataset
    known = (checkpoint.start or {}).get("sources")
    if isinstance(known, list) and any(each in known for each in dataset.source_hashes):
        return True
    if examples.data_hash != checkpoint.data_hash:
        return not set(checkpoint.data_sources).isdisjoint(dataset.source_hashes)
    try:
        learned, _ = _split(checkpoint, dataset)
    except CheckpointError:
        return True
    return bool(np.isin(examples.indices, learned).any())


def _split(
    checkpoint: Checkpoint, training: Dataset
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the indices of the examples that training learned from, and of those it held out."""
    config = training_config(checkpoint)
    held_out, n = config.data.validation, training.n_digits
    if not isinstance(held_out, int) or held_out >= n:
        raise CheckpointError(
            f"the model's config: data.validation: expected a count below {n:,}, found {held_out}"
        )
    return split_indices(training, held_out, seed=config.seed)
