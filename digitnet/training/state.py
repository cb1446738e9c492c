"""All that a training needs to go on from where it stands, and where it begins."""

import math
from dataclasses import dataclass, field
from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta, Struct
from numpy.typing import NDArray

from digitnet.arrays import SIDE, FloatArray
from digitnet.config.definition import OPTIMIZER_KEYS, Config, ScheduleSection, TrainingSection
from digitnet.config.threads import choose_threads
from digitnet.dataset.classes import DIGITS
from digitnet.dataset.definition import NON_DIGIT, Data, Dataset, join_paths
from digitnet.dataset.reader import read_data
from digitnet.dataset.splits import split_indices
from digitnet.errors import ConfigError, DataError
from digitnet.model.calibration import NO_CALIBRATION, Calibration
from digitnet.model.checkpoint import Checkpoint
from digitnet.model.evaluation import Guessing, guessing
from digitnet.network.network import Network
from digitnet.network.regularisers import Regularisers
from digitnet.randomness import Purpose, generator
from digitnet.synthetic.distortions import Distortions
from digitnet.training.optimizers import OPTIMIZERS, Optimizer, l2_coefficients
from digitnet.training.schedules import rate_factor


class TrainingMeasure(Struct, frozen=True):
    """cost: averaged over the epoch's examples, each at the moment it was learned from."""

    cost: float


class ValidationMeasure(Struct, frozen=True):
    """cost and accuracy (0 to 1) on the examples held out, at the end of the epoch."""

    cost: float
    accuracy: float


class Record(Struct, frozen=True):
    """What came of one epoch. seconds: of training alone. validation: None if none is held out."""

    epoch: int
    training: TrainingMeasure
    validation: ValidationMeasure | None
    seconds: float
    images_per_second: float


class Place(Struct, frozen=True):
    """How far an epoch has come.

    epoch: counted from 1. step: its minibatches that are done. cost_sum: summed over their
    examples. seconds: of training in it so far.
    """

    epoch: Annotated[int, Meta(ge=1)] = 1
    step: Annotated[int, Meta(ge=0)] = 0
    cost_sum: float = 0.0
    seconds: Annotated[float, Meta(ge=0)] = 0.0


@dataclass(eq=False, repr=False)
class TrainingState:
    """A training as it stands between two steps.

    examples: the training set of `data`, and made-up digits and pictures of none.
    train_indices, validation_indices: of those to learn from and of those to choose by.
    network: as it is now, with its regularisers.
    best: the parameters (n_parameters,) of the model that did best on validation, and calibration:
    what it made of that.
    """

    config: Config
    data: Data
    examples: Dataset
    train_indices: NDArray[np.int64]
    validation_indices: NDArray[np.int64]
    network: Network
    optimizer: Optimizer
    regularisers: Regularisers
    best: FloatArray
    calibration: Calibration = NO_CALIBRATION
    history: list[Record] = field(default_factory=list)
    place: Place = field(default_factory=Place)

    @property
    def steps(self) -> int:
        """Minibatches in an epoch."""
        return math.ceil(len(self.train_indices) / self.config.training.minibatch_size)

    def rates(self, step: int, count: int) -> list[float] | None:
        """The shares of the learning rate for steps of the epoch under way; None if all are 1."""
        schedule, epochs = self.config.training.schedule, self.config.training.epochs
        if not varies(schedule):
            return None
        return [
            rate_factor(
                schedule.name,
                (self.place.epoch - 1 + at / self.steps) / epochs,
                warmup=schedule.warmup,
                final=schedule.final,
            )
            for at in range(step, step + count)
        ]

    @property
    def fades(self) -> bool:
        """Whether there are distortions, and fewer at the end."""
        return self.config.augment.final < 1 and bool(self.distortions)

    @property
    def distortions(self) -> Distortions:
        amounts = msgspec.structs.asdict(self.config.augment)
        del amounts["final"]
        return Distortions(**amounts)

    @property
    def strength(self) -> float:
        """The share of the distortions in the epoch under way: from 1 evenly to the final one.

        All of them where there is one epoch only.
        """
        progress = (self.place.epoch - 1) / max(self.config.training.epochs - 1, 1)
        return 1 - (1 - self.config.augment.final) * progress

    @property
    def pictures_seen(self) -> int:
        """Pictures learned from in the epoch under way."""
        return min(self.place.step * self.config.training.minibatch_size, len(self.train_indices))

    @property
    def number(self) -> int:
        """Of the next step, counted from 1 where the training began."""
        return (self.place.epoch - 1) * self.steps + self.place.step + 1

    @property
    def done(self) -> bool:
        """Whether all epochs are over, or too many without a better one."""
        patience = self.config.training.patience
        waited = len(self.history) - (self.best_record.epoch if self.best_record else 0)
        late = patience is not None and waited >= patience
        return late or self.place.epoch > self.config.training.epochs

    def model(self) -> Network:
        """What has been learned so far, as a network that answers without regularisers."""
        network = make_network(self.config)
        network.parameters[:] = self.network.parameters
        self.regularisers.fold(network.matrices)
        return network

    @property
    def best_record(self) -> Record | None:
        """The epoch `best` is from: by accuracy, then cost; the last where none is held out."""
        return max(self.history, key=_rank, default=None)

    @property
    def guessing(self) -> Guessing | None:
        """The accuracy of guessing on the examples held out; None if none are."""
        held_out = self.validation_indices
        return guessing(self.examples.labels[held_out]) if len(held_out) else None

    def checkpoint(self) -> Checkpoint:
        """The state as it is now, for a file. The model in it is the best so far.

        Its `state` holds the live arrays, which the next step changes: save it before that.
        """
        if self.history:
            model = make_network(self.config)
            model.parameters[:] = self.best
        else:
            model = self.model()
        place = msgspec.json.encode(self.place).decode()
        return Checkpoint(
            model,
            msgspec.to_builtins(self.config),
            self.data.training.class_names,
            self.config.data.path,
            self.data.training.fingerprint,
            msgspec.to_builtins(self.history),
            {"place": np.array(place), **arrays(self)},
            calibration=self.calibration,
            data_sources=self.data.training.source_hashes,
        )


def begin(config: Config) -> TrainingState:
    """A training before its first step: data read and checked, parameters random.

    Raises DataError, and ConfigError where the config does not fit the data.
    """
    data = read_data(config.data.path, transposed=config.data.transposed)
    _check_classes(config, data)
    config = _with_threads(_with_count(config, data))
    count = int(config.data.validation or 0)
    if config.training.patience and not count:
        problem = "expected none, for no examples are held out, found one"
        raise ConfigError("training.patience", problem)
    examples = data.training
    train_indices, validation_indices = split_indices(examples, count, seed=config.seed)
    if not len(train_indices):
        raise DataError(
            f"{join_paths(config.data.path)}: expected pictures to learn from that differ from the "
            f"{count:,} held out, found none; set data.validation to 0"
        )
    if examples.repeats is not None:
        train_indices = np.repeat(train_indices, examples.repeats[train_indices])
    images, labels = _made_up(config, examples.class_names, len(train_indices))
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


def _made_up(
    config: Config, class_names: tuple[str, ...], n: int
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Digits and pictures of none that are learned from beside n others, and their labels."""
    digits, nothing = (
        round(share * n) for share in (config.training.drawn, config.training.background)
    )
    images, labels = np.empty((0, SIDE, SIDE), np.uint8), np.empty(0, np.int64)
    if config.training.drawn and class_names != DIGITS:
        found = ", ".join(class_names)
        raise ConfigError("training.drawn", f"expected none but for digits, found {found:.60}")
    if digits:
        from digitnet.synthetic.handwriting import (
            make_digits,  # brings Pillow: only where it is needed
        )

        images, labels = make_digits(digits, rng=generator(config.seed, Purpose.DRAWN))
    if nothing:
        from digitnet.synthetic.background import make_background

        background = make_background(nothing, rng=generator(config.seed, Purpose.BACKGROUND))
        images = np.concatenate([images, background])
        labels = np.append(labels, np.full(nothing, NON_DIGIT))
    return images, labels


def make_network(config: Config) -> Network:
    """The network that a config describes, its parameters zero."""
    return Network(
        config.network.layer_sizes,
        activation=config.network.activation,
        output=config.network.output,
        cost=config.cost,
    )


def _make_optimizer(training: TrainingSection, network: Network) -> Optimizer:
    section = training.optimizer
    keys = "learning_rate", *OPTIMIZER_KEYS[section.name]
    options = {key: getattr(section, key) for key in keys}
    l2 = l2_coefficients(network, training.l2)
    return OPTIMIZERS[section.name](network.parameters, l2=l2, **options)


def arrays(state: TrainingState) -> dict[str, FloatArray]:
    """All that changes from step to step, by name: the live arrays."""
    network = {"parameters": state.network.parameters}
    return network | state.optimizer.state | state.regularisers.state


def _rank(record: Record) -> tuple[float, ...]:
    if record.validation is None:
        return (record.epoch,)
    return record.validation.accuracy, -record.validation.cost


def _check_classes(config: Config, data: Data) -> None:
    outputs, classes = config.network.layer_sizes[-1], len(data.training.class_names)
    source = join_paths(config.data.path)
    if outputs != classes:
        raise ConfigError(
            "network.layer_sizes",
            f"expected {classes} last, one for each class in {source}, found {outputs}",
        )


def _with_count(config: Config, data: Data) -> Config:
    """The config with the number of examples to hold out, however it was given."""
    held_out, n = config.data.validation, len(data.training)
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
    """The config with the number of threads, where the choice was left to us."""
    training = config.training
    threads = choose_threads(training.threads, config.network.layer_sizes, training.minibatch_size)
    training = msgspec.structs.replace(training, threads=threads)
    return msgspec.structs.replace(config, training=training)


def varies(schedule: ScheduleSection) -> bool:
    """Whether the rate changes in the course of the epochs that there are to be."""
    return schedule.name != "constant" or schedule.warmup > 0
