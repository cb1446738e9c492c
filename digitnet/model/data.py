"""Read labelled pictures for a model: in the orientation of its training, prepared by it."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from digitnet.config.definition import Config
from digitnet.config.reader import to_config
from digitnet.dataset.definition import Data, Paths, ReadOptions, join_paths
from digitnet.dataset.reader import read_data
from digitnet.errors import CheckpointError, ConfigError, DataError
from digitnet.model.checkpoint import Checkpoint
from digitnet.model.orientation import transposition

if TYPE_CHECKING:
    from digitnet.image.evidence import Judgement, Score


def read_own_data(checkpoint: Checkpoint, path: Paths, options: ReadOptions) -> Data:
    """Return the data that the model was trained on, in the orientation of its training.

    Raises DataError if the model is older than a conversion that its data now needs.
    """
    data = read_data(path, model_options(checkpoint, options, _is_transposed(checkpoint)))
    is_old = not checkpoint.data_sources
    if is_old and data.training.remarks and data.fingerprint != checkpoint.data_hash:
        raise DataError(
            f"{join_paths(path)}: expected the pixels that the model learned from, found pixels "
            "that digitnet now converts to MNIST's convention; train the model again"
        )
    return data


def read_other_data(checkpoint: Checkpoint, path: Paths, options: ReadOptions) -> tuple[Data, bool]:
    """Return data that may or may not be the model's own, and whether it was turned upright.

    The model's own data keeps the orientation used in training. Other data is turned upright, also
    pictures of folders: rows and columns are exchanged if that makes its digits upright.
    """
    data = read_data(path, model_options(checkpoint, options))
    if _is_transposed(checkpoint):
        transposed = read_data(path, model_options(checkpoint, options, transposed=True))
        if transposed.fingerprint == checkpoint.data_hash:
            return transposed, False
    if data.fingerprint == checkpoint.data_hash:
        return data, False
    problem = transposition(data.training)
    if problem is None:
        return data, False
    remark = f"{join_paths(path)}: {problem}; rows and columns are exchanged for the evaluation"
    return data.transposed().map(lambda each: replace(each, remarks=(*each.remarks, remark))), True


def model_options(
    checkpoint: Checkpoint, options: ReadOptions, transposed: bool = False
) -> ReadOptions:
    """Return the options to read data with, as the model's training read its data.

    The checkpoint's model chooses between candidates for the digit in a picture. A class of the
    model is no name of non-digits: earlier versions trained classes called `none`.
    """
    options = replace(options, transposed=transposed, score=score_of(checkpoint), may_lack=True)
    try:
        data = training_config(checkpoint).data
    except CheckpointError:
        return options
    classes = {name.lower() for name in checkpoint.class_names}
    non_digits = tuple(name for name in data.non_digits if name.lower() not in classes)
    return replace(options, non_digits=non_digits, label_pattern=data.label_pattern)


def score_of(checkpoint: Checkpoint) -> "Score":
    """Return the function by which a checkpoint's model scores candidates for a picture's digit."""

    def score(images: NDArray[np.uint8]) -> "Judgement":
        from digitnet.model.prediction import Model  # imports Pillow: only needed for pictures

        return Model(checkpoint).judge(images)

    return score


def _is_transposed(checkpoint: Checkpoint) -> bool:
    try:
        return training_config(checkpoint).data.transposed
    except CheckpointError:
        return False


def training_config(checkpoint: Checkpoint) -> Config:
    """Return what the checkpoint's config says about data and seed.

    Its `training` section is left out: an earlier version may have written other keys there.
    """
    try:
        return to_config(checkpoint.config | {"training": {}})
    except ConfigError as error:
        raise CheckpointError(f"the model's config: {error}") from None
