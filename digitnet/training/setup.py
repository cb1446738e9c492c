"""From a config to a training before its first step: data, split, random parameters."""

import msgspec
import numpy as np
from numpy.typing import NDArray

from digitnet.arrays import SIDE
from digitnet.config.definition import OPTIMIZER_KEYS, Config, TrainingSection
from digitnet.config.threads import choose_threads
from digitnet.dataset.classes import DIGITS
from digitnet.dataset.definition import NON_DIGIT, Data, ReadOptions, join_paths
from digitnet.dataset.reader import read_data
from digitnet.dataset.splits import split_indices
from digitnet.errors import ConfigError, DataError
from digitnet.network.network import Network
from digitnet.network.regularisers import Regularisers
from digitnet.randomness import Purpose, generator
from digitnet.training.optimizers import OPTIMIZERS, Optimizer, l2_coefficients
from digitnet.training.state import TrainingState, make_network


def begin(config: Config) -> TrainingState:
    """Return a training before its first step: read and check the data, draw the parameters.

    Raises DataError, and ConfigError if the config does not fit the data.
    """
    data = read_data(config.data.path, _read_options(config))
    _check_classes(config, data)
    config = _with_threads(_with_count(config, data))
    count = int(config.data.validation or 0)
    if config.training.patience and not count:
        problem = f"expected null without validation pictures, found {config.training.patience}"
        raise ConfigError("training.patience", problem)
    examples = data.training
    train_indices, validation_indices = split_indices(examples, count, seed=config.seed)
    if not len(train_indices):
        raise DataError(
            f"{join_paths(config.data.path)}: expected training pictures that differ from the "
            f"{count:,} validation pictures, found none; set data.validation to 0"
        )
    if examples.repeats is not None:
        train_indices = np.repeat(train_indices, examples.repeats[train_indices])
    images, labels = _make_synthetic(config, examples.class_names, len(train_indices))
    if len(images):
        train_indices = np.append(train_indices, len(examples) + np.arange(len(images)))
        examples = examples.followed_by(images, labels)
    network = make_network(config)
    network.initialise(rng=generator(config.seed, Purpose.INITIALISE))
    return TrainingState(
        config,
        data,
        examples,
        train_indices,
        validation_indices,
        network,
        _make_optimizer(config.training, network),
        Regularisers(
            network.layer_sizes[1:-1],
            batch_norm=config.training.batch_norm,
            dropout=config.training.dropout,
            seed=config.seed,
        ),
        network.parameters.copy(),
    )


def _read_options(config: Config) -> ReadOptions:
    data = config.data
    return ReadOptions(
        data.transposed, non_digits=data.non_digits, label_pattern=data.label_pattern
    )


def _make_synthetic(
    config: Config, class_names: tuple[str, ...], n: int
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return synthetic digits and non-digits for n training images, and their labels."""
    n_digits = round(config.training.drawn * n)
    n_background = round(config.training.background * n)
    images, labels = np.empty((0, SIDE, SIDE), np.uint8), np.empty(0, np.int64)
    if config.training.drawn and class_names != DIGITS:
        found = ", ".join(class_names)
        problem = f"expected 0 for other classes than the digits, found the classes {found:.60}"
        raise ConfigError("training.drawn", problem)
    if n_digits:
        from digitnet.synthetic.handwriting import make_digits  # imports Pillow: slow to start

        images, labels = make_digits(n_digits, rng=generator(config.seed, Purpose.DRAWN))
    if n_background:
        from digitnet.synthetic.background import make_background

        background = make_background(n_background, rng=generator(config.seed, Purpose.BACKGROUND))
        images = np.concatenate([images, background])
        labels = np.append(labels, np.full(n_background, NON_DIGIT))
    return images, labels


def _make_optimizer(training: TrainingSection, network: Network) -> Optimizer:
    section = training.optimizer
    keys = "learning_rate", *OPTIMIZER_KEYS[section.name]
    options = {key: getattr(section, key) for key in keys}
    l2 = l2_coefficients(network, training.l2)
    return OPTIMIZERS[section.name](network.parameters, l2=l2, **options)


def _check_classes(config: Config, data: Data) -> None:
    outputs, classes = config.network.layer_sizes[-1], len(data.training.class_names)
    source = join_paths(config.data.path)
    if outputs != classes:
        raise ConfigError(
            "network.layer_sizes",
            f"expected {classes} last, one per class in {source}, found {outputs}",
        )


def _with_count(config: Config, data: Data) -> Config:
    """Return the config with data.validation as a count."""
    held_out, n = config.data.validation, int((data.training.labels != NON_DIGIT).sum())
    if held_out is None:
        held_out = min(5000, n // 10)
    elif isinstance(held_out, float):
        held_out = max(round(held_out * n), 1)
    if held_out >= n:
        source = join_paths(config.data.path)
        problem = f"expected fewer than the {n:,} examples in {source}, found {held_out:,}"
        raise ConfigError("data.validation", problem)
    return msgspec.structs.replace(
        config, data=msgspec.structs.replace(config.data, validation=held_out)
    )


def _with_threads(config: Config) -> Config:
    """Return the config with training.threads as a number."""
    training = config.training
    threads = choose_threads(training.threads, config.network.layer_sizes, training.minibatch_size)
    training = msgspec.structs.replace(training, threads=threads)
    return msgspec.structs.replace(config, training=training)
