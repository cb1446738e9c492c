"""The state of a training: all that it needs to continue."""

import math
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Annotated

import msgspec
import numpy as np
from msgspec import Meta, Struct
from numpy.typing import NDArray

from digitnet.arrays import FloatArray
from digitnet.config.definition import Config, ScheduleSection
from digitnet.dataset.definition import Data, Dataset
from digitnet.model.calibration import NO_CALIBRATION, Calibration
from digitnet.model.checkpoint import Checkpoint
from digitnet.model.evaluation import Guessing, guessing
from digitnet.model.landscape import Landscape
from digitnet.network.network import Network
from digitnet.network.regularisers import Regularisers
from digitnet.randomness import Purpose, generator
from digitnet.synthetic.distortions import Distortions
from digitnet.training.optimizers import Optimizer
from digitnet.training.schedules import rate_factor
from digitnet.training.start import Start
from digitnet.training.trail import Trail

if TYPE_CHECKING:
    from digitnet.model.prediction import Model

MIN_REFIT = 1000  # validation pictures: with fewer, the start's calibration is kept


class TrainingMeasure(Struct, frozen=True):
    """cost: averaged over the epoch's examples, each measured when training used it."""

    cost: float


class ValidationMeasure(Struct, frozen=True):
    """cost, and accuracy (0 to 1), on the validation examples at the end of the epoch."""

    cost: float
    accuracy: float


class Record(Struct, frozen=True):
    """The figures of one epoch.

    validation: None without validation examples. seconds: of training alone, without validating or
    saving.
    """

    epoch: int
    training: TrainingMeasure
    validation: ValidationMeasure | None
    seconds: float
    images_per_second: float


class Position(Struct, frozen=True):
    """Where in an epoch a training is.

    epoch: counted from 1. step: minibatches done in it. cost_sum: summed over their examples.
    seconds: of training in this epoch so far.
    """

    epoch: Annotated[int, Meta(ge=1)] = 1
    step: Annotated[int, Meta(ge=0)] = 0
    cost_sum: float = 0.0
    seconds: Annotated[float, Meta(ge=0)] = 0.0


@dataclass(eq=False, repr=False)
class TrainingState:
    """A training between two steps.

    examples: the training set of `data`, followed by pictures for rehearsal and synthetic ones.
    train_indices: indices into `examples`; a picture may occur more than once. validation: the data
    set that `validation_indices` belong to: `examples`, or a validation set of its own. network:
    with its current parameters, regularisers not folded. best: the parameters (n_parameters,) of
    the epoch that was best on validation. sources: hashes of the data and of the pictures for
    rehearsal. remarks: lines for the user. start: the model that training started from.
    calibration: of the best epoch, fitted on validation, or the start's. position: where in the
    training it is. trail: of the epochs that are over; None if the config turns it off. landscape:
    of a finished training.
    """

    config: Config
    data: Data
    examples: Dataset
    train_indices: NDArray[np.int64]
    validation: Dataset
    validation_indices: NDArray[np.int64]
    network: Network
    optimizer: Optimizer
    regularisers: Regularisers
    best: FloatArray
    sources: tuple[str, ...]
    remarks: tuple[str, ...] = ()
    start: Start | None = None
    calibration: Calibration = NO_CALIBRATION
    history: list[Record] = field(default_factory=list)
    position: Position = field(default_factory=Position)
    trail: Trail | None = None
    landscape: Landscape | None = None

    def __repr__(self) -> str:
        position, best = self.position, self.best_record
        epoch = f"epoch {position.epoch} of {self.config.training.epochs}"
        where = f"{epoch}, step {position.step} of {self.steps}"
        if self.done:
            where = f"finished after {len(self.history)} epochs"
        if best is None or best.validation is None:
            return f"TrainingState({where})"
        found = f"best validation accuracy {best.validation.accuracy:.4f} in epoch {best.epoch}"
        return f"TrainingState({where}, {found})"

    @property
    def steps(self) -> int:
        """The number of minibatches in an epoch."""
        return math.ceil(len(self.train_indices) / self.config.training.minibatch_size)

    def rates(self, epoch: int, step: int, count: int) -> list[float] | None:
        """Return the schedule's factor for `count` steps from a step on; None if all are 1."""
        schedule, epochs = self.config.training.schedule, self.config.training.epochs
        if not varies(schedule):
            return None
        return [
            rate_factor(
                schedule.name,
                (epoch - 1 + at / self.steps) / epochs,
                warmup=schedule.warmup,
                final=schedule.final,
            )
            for at in range(step, step + count)
        ]

    @property
    def fades(self) -> bool:
        """True if images are distorted, less in later epochs."""
        return self.config.augment.final < 1 and bool(self.distortions)

    @property
    def distortions(self) -> Distortions:
        """The amounts of `augment` in the config."""
        amounts = msgspec.structs.asdict(self.config.augment)
        del amounts["final"]
        return Distortions(**amounts)

    def strength(self, epoch: int) -> float:
        """Return the share of the distortions' amounts in an epoch.

        It falls linearly from 1 in the first epoch to `augment.final` in the last.
        """
        progress = (epoch - 1) / max(self.config.training.epochs - 1, 1)
        return 1 - (1 - self.config.augment.final) * progress

    @property
    def pictures_seen(self) -> int:
        """Images used in this epoch so far."""
        seen = self.position.step * self.config.training.minibatch_size
        return min(seen, len(self.train_indices))

    @property
    def done(self) -> bool:
        """True if all epochs are over, or `patience` epochs brought no improvement."""
        return is_over(self.config, self.history)

    def first_network(self) -> Network:
        """Return the network before the first step, drawn again, its regularisers folded."""
        network = make_network(self.config)
        network.initialise(rng=generator(self.config.seed, Purpose.INITIALISE))
        make_regularisers(self.config).fold(network.matrices)
        return network

    def current_network(self) -> Network:
        """Return the network as it is now, its regularisers folded; `best_model` may be better."""
        network = make_network(self.config)
        network.parameters[:] = self.network.parameters
        self.regularisers.fold(network.matrices)
        return network

    def best_model(self) -> "Model":
        """Return the model of the best epoch so far; before the first one ends, the current one.

        Best is by validation accuracy, then by cost; without validation examples, the last epoch.
        """
        from digitnet.model.prediction import Model  # imports Pillow: slow to start

        return Model(replace(self.checkpoint(), state={}))

    @property
    def best_record(self) -> Record | None:
        """The record of the best epoch: by accuracy, then cost; the last without validation."""
        return best_of(self.history)

    @property
    def guessing(self) -> Guessing | None:
        """The accuracy of guessing on the validation examples; None if there are none."""
        held_out = self.validation_indices
        return guessing(self.validation.labels[held_out]) if len(held_out) else None

    @property
    def refits_calibration(self) -> bool:
        """True unless the start's calibration is kept: its own validation pictures were more."""
        kept = self.start is not None and self.start.keeps_output
        return not kept or len(self.validation_indices) >= MIN_REFIT

    def checkpoint(self) -> Checkpoint:
        """Return the checkpoint to save: the best model so far, and the current state.

        The state's arrays are not copied: save it before the next step changes them.
        """
        if self.history:
            model = make_network(self.config)
            model.parameters[:] = self.best
        else:
            model = self.current_network()
        trail = self.trail.arrays(self.landscape) if self.trail else {}
        place = msgspec.json.encode(self.position).decode()
        return Checkpoint(
            model,
            msgspec.to_builtins(self.config),
            self.examples.class_names,
            self.config.data.path,
            self.data.fingerprint,
            msgspec.to_builtins(self.history),
            {"place": np.array(place), **arrays(self), **trail},
            calibration=self.calibration,
            data_sources=self.sources + (self.start.sources if self.start else ()),
            start=None if self.start is None else asdict(self.start),
            landscape=self.landscape,
        )


def make_network(config: Config, *, shared: bool = False) -> Network:
    """Return the network that a config describes, with all parameters 0."""
    return Network(
        config.network.layer_sizes,
        activation=str(config.network.activation),
        output=str(config.network.output),
        cost=str(config.cost),
        shared=shared,
    )


def make_regularisers(config: Config, *, shared: bool = False) -> Regularisers:
    """Return the regularisers that a config describes, before the first step."""
    return Regularisers(
        config.network.layer_sizes[1:-1],
        batch_norm=config.training.batch_norm,
        dropout=config.training.dropout,
        seed=config.seed,
        shared=shared,
    )


def arrays(state: TrainingState) -> dict[str, FloatArray]:
    """Return all arrays that change from step to step, by name, not copied."""
    network = {"parameters": state.network.parameters}
    return network | state.optimizer.state | state.regularisers.state


def best_of(history: list[Record]) -> Record | None:
    """Return the record of the best epoch; see `TrainingState.best_record`."""
    return max(history, key=_rank, default=None)


def is_over(config: Config, history: list[Record]) -> bool:
    """Return whether a training ends with these epochs; see `TrainingState.done`."""
    patience, best = config.training.patience, best_of(history)
    waited = len(history) - (best.epoch if best else 0)
    late = patience is not None and waited >= patience
    return late or len(history) >= config.training.epochs


def _rank(record: Record) -> tuple[float, ...]:
    if record.validation is None:
        return (record.epoch,)
    return record.validation.accuracy, -record.validation.cost


def varies(schedule: ScheduleSection) -> bool:
    """Return whether the learning rate depends on the number of epochs."""
    return schedule.name != "constant" or schedule.warmup > 0
