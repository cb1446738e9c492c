"""From a config to a training before its first step: data, split, first parameters."""

import msgspec
import numpy as np
from numpy.typing import NDArray

from digitnet.config.definition import OPTIMIZER_KEYS, Config, TrainingSection
from digitnet.config.threads import choose_threads
from digitnet.dataset.classes import DIGITS
from digitnet.dataset.definition import NON_DIGIT, Data, Dataset, ReadOptions, Report, join_paths
from digitnet.dataset.reader import read_data
from digitnet.dataset.splits import split_indices, without_copies
from digitnet.errors import CheckpointError, ConfigError, DataError, join_names
from digitnet.fleet.fleet import ALONE, Fleet
from digitnet.image.evidence import Score
from digitnet.model.calibration import MIN_PICTURES
from digitnet.model.checkpoint import load_checkpoint
from digitnet.model.data import score_of
from digitnet.model.locations import SHIPPED
from digitnet.network.crew import may_fork
from digitnet.network.network import Network
from digitnet.randomness import Purpose, generator
from digitnet.training.optimizers import OPTIMIZERS, Optimizer, l2_coefficients
from digitnet.training.rehearsal import Rehearsal, read_rehearsal
from digitnet.training.sampling import add_pictures, make_synthetic, repeat_indices
from digitnet.training.start import (
    Start,
    adopt_network,
    classes_after,
    copy_parameters,
    load_start,
)
from digitnet.training.state import TrainingState, make_network, make_regularisers
from digitnet.training.trail import Trail, draw_sample


def begin(
    config: Config,
    *,
    strict: bool = False,
    parallel: bool = False,
    report: Report | None = None,
    fleet: Fleet = ALONE,
) -> TrainingState:
    """Return a training before its first step: read and check the data, draw the parameters.

    strict, parallel, report, fleet: see `read_options`. Raises DataError, ConfigError if the config
    does not fit the data, and CheckpointError for a model to start from that cannot be used.
    """
    options = read_options(config, strict=strict, parallel=parallel, report=report, fleet=fleet)
    if config.start is None:
        data = read_data(config.data.path, options)
        state = prepare(config, data, data.training.class_names, options)
        state.network.initialise(rng=generator(config.seed, Purpose.INITIALISE))
    else:
        model = load_start(config.start)
        data = read_data(config.data.path, options)
        class_names = classes_after(model, data.training.class_names)
        config = adopt_network(config, model.config, len(class_names))
        state = prepare(config, data, class_names, options)
        keeps_output = class_names == model.class_names
        learned = tuple(dict.fromkeys(model.data_sources))  # a chain of trainings repeats them
        state.start = Start(str(config.start), model.sha256, keeps_output, learned)
        if not keeps_output:
            old, new = join_names(model.class_names), join_names(class_names)
            state.remarks += (f"start: its classes are {old}; a new output layer learns {new}",)
        state.network.initialise(rng=generator(config.seed, Purpose.INITIALISE))
        copy_parameters(model.network, state.network, keeps_output=keeps_output)
        if keeps_output:
            state.calibration = model.calibration
    n = len(state.validation_indices)
    if state.refits_calibration and n < MIN_PICTURES:
        problem = f"expected {MIN_PICTURES} or more pictures to fit the thresholds for ?, found {n}"
        state.remarks += (f"data.validation: {problem}; the model will never answer ?",)
    state.best[:] = state.network.parameters
    if state.trail is not None:
        state.trail = state.trail.followed_by(state.current_network())
    return state


def read_options(
    config: Config,
    *,
    strict: bool,
    parallel: bool,
    report: Report | None,
    fleet: Fleet = ALONE,
) -> ReadOptions:
    """Return how a training reads its data. Only rank 0 reports; see `ReadOptions`.

    The shipped model chooses between candidates for the digit in a picture; without a model to
    start from, only in pictures of digits. A training that is resumed without the start prepares
    the same pictures.
    """
    return ReadOptions(
        config.data.transposed,
        _shipped_score(),
        DIGITS if config.start is None else None,
        config.data.non_digits,
        config.data.label_pattern,
        strict,
        parallel and fleet.size == 1,  # to fork after MPI's start is unsafe on InfiniBand
        report if fleet.leads else None,
        may_lack=config.start is not None,
        fleet=fleet,
    )


def _shipped_score() -> Score | None:
    try:
        return score_of(load_checkpoint(SHIPPED))
    except CheckpointError:  # the preparation has changed, and the model is not yet trained anew
        return None


def prepare(
    config: Config, data: Data, class_names: tuple[str, ...], options: ReadOptions
) -> TrainingState:
    """Return a training with all its pictures; all its parameters are 0, and its trail is empty.

    config, class_names: rank 0's are used in all ranks. Raises DataError, and ConfigError if the
    config does not fit the data.
    """
    config, class_names = options.fleet.share((config, class_names))
    source = join_paths(config.data.path)
    training = data.training.renumbered(class_names, source)
    _check_network(config, training, source)
    processes = may_fork() and options.fleet.size == 1
    config = _with_threads(_with_count(config, data, source), processes)
    shared = processes and int(config.training.threads) > 1
    train_indices, validation_indices, validation = _split(config, data, training, source)
    train_indices = repeat_indices(
        training, train_indices, config.data.pictures_per_epoch, balance=config.data.balance
    )
    held_out = training if validation is None else validation, validation_indices
    rehearsal = read_rehearsal(config, class_names, options, *held_out)
    config, remarks = _with_rate(config, rehearsal), rehearsal.remarks
    if validation is not None:
        found = f"{len(validation_indices):,} pictures of its own for validation"
        remarks += (f"{source}: {found}; no training picture is held out",)
    if config.training.background and class_names != DIGITS:
        advice = "if your classes are letters or shapes, set it to 0"
        remarks += (f"training.background: its made-up pictures are letters and shapes; {advice}",)
    n = len(train_indices) + len(rehearsal.labels)
    synthetic = make_synthetic(config, class_names, n, options.report)
    pictures = (rehearsal.images, rehearsal.labels), synthetic
    examples, train_indices = add_pictures(training, train_indices, pictures)
    network = make_network(config, shared=shared)
    trail = None
    if config.training.landscape and options.fleet.leads:  # rank 0 alone makes the landscape
        sample = draw_sample(examples, train_indices, config.seed)
        trail = Trail(sample, len(network.parameters), draws_start=config.start is None)
    return TrainingState(
        config,
        data,
        examples,
        train_indices,
        examples if validation is None else validation,
        validation_indices,
        network,
        _make_optimizer(config.training, network),
        make_regularisers(config, shared=shared),
        network.parameters.copy(),
        (*data.training.source_hashes, *rehearsal.hashes),
        remarks,
        trail=trail,
    )


def _with_rate(config: Config, rehearsal: Rehearsal) -> Config:
    """Return the config with the learning rate for a training without its rehearsal."""
    rate, training = config.data.rehearsal.rate_without, config.training
    if not rehearsal.is_missing or rate is None:
        return config
    optimizer = msgspec.structs.replace(training.optimizer, learning_rate=rate)
    training = msgspec.structs.replace(training, optimizer=optimizer)
    return msgspec.structs.replace(config, training=training)


def _split(
    config: Config, data: Data, training: Dataset, source: str
) -> tuple[NDArray[np.int64], NDArray[np.int64], Dataset | None]:
    """Return the indices of training and validation pictures, and the validation set if own."""
    count = int(config.data.validation or 0)
    if data.validation is not None:
        validation = data.validation.renumbered(training.class_names, source)
        train_indices = without_copies(training, np.arange(len(training)), validation)
        validation_indices = np.flatnonzero(validation.labels != NON_DIGIT)
        advice = "which are the same pictures"
    else:
        validation = None
        train_indices, validation_indices = split_indices(training, count, seed=config.seed)
        advice = "set data.validation to 0"
    if not len(train_indices):
        raise DataError(
            f"{source}: expected training pictures that differ from the "
            f"{len(validation_indices):,} validation pictures, found none; {advice}"
        )
    if config.training.patience and not len(validation_indices):
        problem = f"expected null without validation pictures, found {config.training.patience}"
        raise ConfigError("training.patience", problem)
    return train_indices, validation_indices, validation


def _make_optimizer(training: TrainingSection, network: Network) -> Optimizer:
    section = training.optimizer
    keys = "learning_rate", *OPTIMIZER_KEYS[section.name]
    options = {key: getattr(section, key) for key in keys}
    l2 = l2_coefficients(network, training.l2)
    return OPTIMIZERS[section.name](network.parameters, l2=l2, **options)


def _check_network(config: Config, training: Dataset, source: str) -> None:
    sizes, classes = config.network.layer_sizes, len(training.class_names)
    if sizes[-1] != classes:
        raise ConfigError(
            "network.layer_sizes",
            f"expected {classes} last, one per class in {source}, found {sizes[-1]}",
        )
    if config.training.freeze >= len(sizes) - 1:
        most = len(sizes) - 2
        problem = f"expected at most {most}, all layers but the last, found"
        raise ConfigError("training.freeze", f"{problem} {config.training.freeze}")


def _with_count(config: Config, data: Data, source: str) -> Config:
    """Return the config with data.validation as a count; 0 with an own validation set."""
    held_out, n = config.data.validation, data.training.n_digits
    if data.validation is not None:
        held_out = 0
    elif held_out is None:
        held_out = min(5000, n // 10)
    elif isinstance(held_out, float):
        held_out = max(round(held_out * n), 1)
    if held_out >= n:
        problem = f"expected fewer than the {n:,} examples in {source}, found {held_out:,}"
        raise ConfigError("data.validation", problem)
    return msgspec.structs.replace(
        config, data=msgspec.structs.replace(config.data, validation=held_out)
    )


def _with_threads(config: Config, processes: bool) -> Config:
    """Return the config with training.threads as a number. processes: see `choose_threads`."""
    training = config.training
    threads = choose_threads(
        training.threads,
        config.network.layer_sizes,
        training.minibatch_size,
        int(training.shards),
        processes=processes,
    )
    training = msgspec.structs.replace(training, threads=threads)
    return msgspec.structs.replace(config, training=training)
