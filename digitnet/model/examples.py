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
from digitnet.config.definition import Config
from digitnet.config.reader import to_config
from digitnet.dataset.definition import (
    NON_DIGIT,
    Data,
    Dataset,
    Paths,
    ReadOptions,
    as_tuple,
    join_paths,
)
from digitnet.dataset.minibatches import Minibatches
from digitnet.dataset.reader import read_data
from digitnet.dataset.splits import split_indices
from digitnet.errors import CheckpointError, ConfigError, DataError
from digitnet.model.checkpoint import Checkpoint
from digitnet.model.evaluation import EVALUATION_MINIBATCH, Evaluation, evaluate_network
from digitnet.model.orientation import transposition
from digitnet.paths import kind_of

if TYPE_CHECKING:
    from digitnet.image.evidence import Judgement, Score
    from digitnet.model.prediction import Model


@dataclass(frozen=True, eq=False)
class Examples:
    """Labelled pictures to evaluate a model on: the pictures `indices` (n,) of `dataset`.

    split: `test`, `validation`, `train`, or None for a data set without splits, used whole.
    transposed: whether the arrays at `path` were transposed after reading.
    """

    path: Paths
    split: str | None
    dataset: Dataset
    indices: NDArray[np.int64]
    transposed: bool = False

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
    "validation" and "train" exist for the model's own data only. Warns if the model was trained on
    these pictures, or if they had to be converted. Raises DataError for data that cannot be used,
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
    if has_learned_from(model.checkpoint, examples):
        problem = "the model was trained on these pictures; it is less accurate on others"
        warnings.warn(f"{join_paths(examples.path)}: {problem}", stacklevel=2)
    return evaluate_model(model.checkpoint, examples)


def evaluate_model(checkpoint: Checkpoint, examples: Examples) -> Evaluation:
    """Return the evaluation of a checkpoint's model on examples, at the model's temperature."""
    temperature = checkpoint.calibration.temperature
    return evaluate_network(checkpoint.network, examples.minibatches(), temperature)


def choose_examples(
    checkpoint: Checkpoint, path: Paths | None = None, split: str | None = None
) -> Examples:
    """Return the examples at `path`; without a path, of the model's own data.

    split: None means the test split if there is one, else all pictures. Raises DataError if the
    data or the split does not exist, or if `validation` or `train` is requested and the data is not
    the model's own.
    """
    if path is None:
        path = checkpoint.data_path
        for source in as_tuple(path):
            with contextlib.suppress(OSError):  # `read_data` reports the error
                if kind_of(source) is None:
                    raise DataError(
                        f"{source}: expected the model's own data, found none; "
                        "name other data with --data"
                    )
        data, transposed = _own_data(checkpoint, path), _is_transposed(checkpoint)
    else:
        data, transposed = _other_data(checkpoint, path)
    is_own = data.fingerprint == checkpoint.data_hash
    if split is None and data.test is not None:
        split = "test"
    if split in ("validation", "train"):
        if not is_own:
            raise DataError(
                f"{join_paths(path)}: expected the data that the model was trained on, because "
                f"only this data has a {split} split; found other pictures or labels"
            )
        learned, held_out = _split(checkpoint, data.training)
        indices = learned if split == "train" else held_out
        if not len(indices):
            raise DataError(
                f"{join_paths(path)}: expected a {split} split, found none; "
                "training held no picture out"
            )
        return Examples(path, split, data.training, indices, transposed)
    chosen = data.test if split == "test" else data.training
    if chosen is None:
        raise DataError(f"{join_paths(path)}: expected a test split, found none")
    chosen = chosen.renumbered(checkpoint.class_names, join_paths(path))
    return Examples(path, split, chosen, np.arange(len(chosen)), transposed)


def _own_data(checkpoint: Checkpoint, path: Paths) -> Data:
    """Return the data that the model was trained on, in the orientation used in training."""
    data = read_data(path, _read_options(checkpoint, _is_transposed(checkpoint)))
    is_old = not checkpoint.data_sources
    if is_old and data.training.remarks and data.fingerprint != checkpoint.data_hash:
        raise DataError(
            f"{join_paths(path)}: expected the pixels that the model learned from, found pixels "
            "that digitnet now converts to MNIST's convention; train the model again"
        )
    return data


def _other_data(checkpoint: Checkpoint, path: Paths) -> tuple[Data, bool]:
    """Return data that may or may not be the model's own, and whether it was transposed.

    The model's own data keeps the orientation used in training. Other data is transposed if that
    makes its digits upright.
    """
    options = _read_options(checkpoint, False)
    data = read_data(path, options)
    if _is_transposed(checkpoint):
        transposed = read_data(path, replace(options, transposed=True))
        if transposed.fingerprint == checkpoint.data_hash:
            return transposed, True
    if data.fingerprint == checkpoint.data_hash:
        return data, False
    problem = transposition(data.training)
    if problem is None:
        return data, False
    remark = f"{join_paths(path)}: {problem}; rows and columns are exchanged for the evaluation"
    training, test = data.training.transposed(), data.test and data.test.transposed()
    transposed = Data(
        replace(training, remarks=(*training.remarks, remark)),
        test and replace(test, remarks=(*test.remarks, remark)),
    )
    return transposed, True


def _score(checkpoint: Checkpoint) -> "Score":
    """Return the function by which a checkpoint's model scores candidates for a picture's digit."""

    def score(images: NDArray[np.uint8]) -> "Judgement":
        from digitnet.model.prediction import Model  # imports Pillow: only needed for pictures

        return Model(checkpoint).judge(images)

    return score


def _read_options(checkpoint: Checkpoint, transposed: bool) -> ReadOptions:
    """Return how to read pictures for a checkpoint's model."""
    options = ReadOptions(transposed, _score(checkpoint))
    try:
        data = _config(checkpoint).data
    except CheckpointError:
        return options
    return replace(options, non_digits=data.non_digits, label_pattern=data.label_pattern)


def _is_transposed(checkpoint: Checkpoint) -> bool:
    try:
        return _config(checkpoint).data.transposed
    except CheckpointError:
        return False


def _config(checkpoint: Checkpoint) -> Config:
    """Return what the checkpoint's config says about data and seed.

    Its `training` section is left out: an earlier version may have written other keys there.
    """
    try:
        return to_config(checkpoint.config | {"training": {}})
    except ConfigError as error:
        raise CheckpointError(f"the model's config: {error}") from None


def prepared_for(checkpoint: Checkpoint, examples: Examples) -> Examples:
    """Return the same examples, with pictures prepared by the model of a checkpoint.

    In each picture of a folder, this model then chooses the candidate that is read as the digit.
    """
    if not examples.dataset.hashes:  # arrays need no preparation
        return examples
    data = read_data(examples.path, _read_options(checkpoint, examples.transposed))
    dataset = data.test if examples.split == "test" else data.training
    assert dataset is not None
    names = examples.dataset.class_names
    return replace(examples, dataset=dataset.renumbered(names, join_paths(examples.path)))


def has_learned_from(checkpoint: Checkpoint, examples: Examples) -> bool:
    """Return whether the model was trained on any of the examples.

    Held-out examples do not count as trained on, unless the model's config no longer tells which
    examples were held out.
    """
    dataset = examples.dataset
    if dataset.fingerprint != checkpoint.data_hash:
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
    config = _config(checkpoint)
    held_out, n = config.data.validation, int((training.labels != NON_DIGIT).sum())
    if not isinstance(held_out, int) or held_out >= n:
        raise CheckpointError(
            f"the model's config: data.validation: expected a count below {n:,}, found {held_out}"
        )
    return split_indices(training, held_out, seed=config.seed)
