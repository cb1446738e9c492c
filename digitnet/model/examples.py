"""Which labelled pictures a model is tried on: a split of its own data, or others."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from digitnet.arrays import FloatArray
from digitnet.config.definition import Config
from digitnet.config.reader import to_config
from digitnet.dataset.definition import Data, Dataset, Paths, as_tuple, join_paths
from digitnet.dataset.minibatches import Minibatches
from digitnet.dataset.reader import read_data
from digitnet.dataset.splits import split_indices
from digitnet.errors import CheckpointError, ConfigError, DataError
from digitnet.model.checkpoint import Checkpoint
from digitnet.model.evaluation import CHUNK, Evaluation, evaluate
from digitnet.model.orientation import transposition
from digitnet.paths import kind_of

if TYPE_CHECKING:
    from digitnet.image.evidence import Judged, Score


@dataclass(frozen=True, eq=False)
class Examples:
    """Labelled pictures to try a model on: those of `dataset` that `indices` names.

    split: `test`, `validation`, `train`, or None for a data set without splits, used whole.
    transposed: whether the arrays at `path` were turned.
    """

    path: Paths
    split: str | None
    dataset: Dataset
    indices: NDArray[np.int64]
    transposed: bool = False

    def minibatches(self) -> Iterator[tuple[FloatArray, FloatArray]]:
        """Their pixels (785, n), the last row ones, and labels (classes, n), n up to CHUNK."""
        return Minibatches(self.dataset, CHUNK)(self.indices)


def evaluate_model(checkpoint: Checkpoint, examples: Examples) -> Evaluation:
    """What the model in a checkpoint makes of examples, at its temperature."""
    return evaluate(checkpoint.network, examples.minibatches(), checkpoint.calibration.temperature)


def choose_examples(
    checkpoint: Checkpoint, path: Paths | None = None, split: str | None = None
) -> Examples:
    """The pictures at `path`, or of the model's own data; the test split where there is one.

    Raises DataError where they are not there, have no such split, or where `validation` or `train`
    is asked of other data than the model was trained on.
    """
    if path is None:
        path = checkpoint.data_path
        for one in as_tuple(path):
            with contextlib.suppress(OSError):  # which `read_data` tells about
                if kind_of(one) is None:
                    raise DataError(
                        f"{one}: expected the model's own data, found none; name others with --data"
                    )
        data, transposed = _own_data(checkpoint, path), _is_transposed(checkpoint)
    else:
        data, transposed = _other_data(checkpoint, path)
    own = data.training.fingerprint == checkpoint.data_hash
    if split is None and data.test is not None:
        split = "test"
    if split in ("validation", "train"):
        if not own:
            raise DataError(
                f"{join_paths(path)}: expected the data that the model was trained on, which alone "
                f"has a split called {split}; found other pictures or labels"
            )
        learned, held_out = _split(checkpoint, data.training)
        indices = learned if split == "train" else held_out
        if not len(indices):
            raise DataError(
                f"{join_paths(path)}: expected a {split} split, found none held out in training"
            )
        return Examples(path, split, data.training, indices, transposed)
    chosen = data.test if split == "test" else data.training
    if chosen is None:
        raise DataError(f"{join_paths(path)}: expected a test split, found none")
    chosen = chosen.renumbered(checkpoint.class_names, join_paths(path))
    return Examples(path, split, chosen, np.arange(len(chosen)), transposed)


def _own_data(checkpoint: Checkpoint, path: Paths) -> Data:
    """Read the data that the model was trained on, in the orientation of the training."""
    data = read_data(path, transposed=_is_transposed(checkpoint), score=_score(checkpoint))
    is_old = not checkpoint.data_sources
    if is_old and data.training.remarks and data.training.fingerprint != checkpoint.data_hash:
        raise DataError(
            f"{join_paths(path)}: expected the pixels that the model learned from, found them in "
            "another convention, which is mended now; train the model again"
        )
    return data


def _other_data(checkpoint: Checkpoint, path: Paths) -> tuple[Data, bool]:
    """Read data that may be the model's own or others; others are turned upright.

    Also return whether they were turned.
    """
    score = _score(checkpoint)
    data = read_data(path, score=score)
    if _is_transposed(checkpoint):
        turned = read_data(path, transposed=True, score=score)
        if turned.training.fingerprint == checkpoint.data_hash:
            return turned, True
    if data.training.fingerprint == checkpoint.data_hash:
        return data, False
    problem = transposition(data.training)
    if problem is None:
        return data, False
    remark = f"{join_paths(path)}: {problem}; they are read so"
    training, test = data.training.transposed(), data.test and data.test.transposed()
    turned = Data(
        replace(training, remarks=(*training.remarks, remark)),
        test and replace(test, remarks=(*test.remarks, remark)),
    )
    return turned, True


def _score(checkpoint: Checkpoint) -> "Score":
    """Return what the model says of candidates for the digit of a picture."""

    def score(images: NDArray[np.uint8]) -> "Judged":
        from digitnet.model.prediction import Model  # Pillow: only where there are pictures

        names, calibration = checkpoint.class_names, checkpoint.calibration
        return Model(checkpoint.network, names, "", calibration).judge(images)

    return score


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
    """Return the same examples, those of folders as the model in a checkpoint chooses the digit."""
    if not examples.dataset.hashes:  # arrays, which are prepared
        return examples
    data = read_data(examples.path, transposed=examples.transposed, score=_score(checkpoint))
    dataset = data.test if examples.split == "test" else data.training
    assert dataset is not None
    names = examples.dataset.class_names
    return replace(examples, dataset=dataset.renumbered(names, join_paths(examples.path)))


def has_learned_from(checkpoint: Checkpoint, examples: Examples) -> bool:
    """Return whether the model was trained on some of the examples.

    Examples it held out do not count, unless its config does not say any more which they were.
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
    """Draw again which examples of the training set were learned from, and which held out."""
    config = _config(checkpoint)
    held_out, n = config.data.validation, len(training)
    if not isinstance(held_out, int) or held_out >= n:
        raise CheckpointError(
            f"the model's config: data.validation: expected a count below {n:,}, found {held_out}"
        )
    return split_indices(training, held_out, seed=config.seed)
