"""The loop: minibatch by minibatch downhill, as a generator.

It prints nothing, writes no file and knows no signal. Whenever it has yielded, its state is whole:
whoever drives it may draw, save or stop there.
"""

import contextlib
import math
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass

import numpy as np

from digitnet.config.definition import Config
from digitnet.dataset.minibatches import Block, Minibatches
from digitnet.errors import TrainingError
from digitnet.model.calibration import calibrate
from digitnet.model.evaluation import EVALUATION_MINIBATCH, Evaluator
from digitnet.randomness import Purpose, generator
from digitnet.training.augmentation import Augmentation
from digitnet.training.descent import Descent
from digitnet.training.state import (
    Place,
    Record,
    TrainingMeasure,
    TrainingState,
    ValidationMeasure,
    arrays,
    begin,
)

BETWEEN_YIELDS = 0.2  # seconds
AT_ONCE = 10_000_000  # parameters that are moved between two looks at the clock


@dataclass(frozen=True, eq=False)
class Progress:
    """Where a training stands: `state.place`.

    cost: averaged over the epoch so far, None before its first step. record: of the epoch that
    has just ended, if one has.
    """

    state: TrainingState
    cost: float | None
    record: Record | None = None


def train(config: Config, state: TrainingState | None = None) -> Iterator[Progress]:
    """Train a network, or go on with `state`.

    Yields at once, then several times a second and after each epoch. Raises what `begin` raises,
    and TrainingError instead of yielding as soon as a number is not finite any more. The threads
    are digitnet's own: BLAS should have one, as it has under the command. From Python, set
    OPENBLAS_NUM_THREADS=1 before NumPy is loaded, and `training.threads` where 1 is not enough.
    """
    state = state or begin(config)
    yield Progress(state, _mean_cost(state))
    most = AT_ONCE // len(state.network.parameters)
    settings = state.config.training
    size = min(settings.minibatch_size, len(state.train_indices))
    descent = Descent(
        state.network,
        state.optimizer,
        regularisers=state.regularisers,
        threads=int(settings.threads),
    )
    augmentation = None
    if state.distortions:
        members = len(descent.crew.shares)
        augmentation = Augmentation(state.distortions, members=members, seed=state.config.seed)
    minibatches = Minibatches(state.examples, size, most, augmentation)
    with contextlib.closing(descent):
        while not state.done:
            rng = generator(state.config.seed, Purpose.SHUFFLE, state.place.epoch)
            order = rng.permutation(state.train_indices)
            if augmentation:
                augmentation.begin(state.place.epoch, state.strength)
            blocks = minibatches.blocks(order, state.place.step)
            while state.place.step < state.steps:
                _walk_downhill(state, blocks, descent)
                _stop_unless_finite(state)
                if state.place.step < state.steps:
                    yield Progress(state, _mean_cost(state))
            cost = state.place.cost_sum / len(state.train_indices)
            record = yield from _end_epoch(state, cost)
            yield Progress(state, cost, record)


def _mean_cost(state: TrainingState) -> float | None:
    seen = state.pictures_seen
    return state.place.cost_sum / seen if seen else None


def _walk_downhill(state: TrainingState, blocks: Iterator[Block], descent: Descent) -> None:
    """Steps, one for each minibatch, until it is time to tell of them or the epoch is over."""
    step, cost_sum = state.place.step, state.place.cost_sum
    started = now = time.perf_counter()
    number = state.number
    for block in blocks:
        rates = state.rates(step, len(block.minibatches))
        for cost in descent.walk(block.minibatches, block.gather, rates, number):
            cost_sum += cost
            step += 1
        number += len(block.minibatches)
        now = time.perf_counter()
        if now - started > BETWEEN_YIELDS:
            break
    state.place = Place(state.place.epoch, step, cost_sum, state.place.seconds + now - started)


def _stop_unless_finite(state: TrainingState) -> None:
    numbers = [np.asarray(state.place.cost_sum), *arrays(state).values()]
    if not all(np.isfinite(array).all() for array in numbers):
        raise _not_finite(state)


def _not_finite(state: TrainingState) -> TrainingError:
    return TrainingError(
        f"epoch {state.place.epoch}, minibatch {state.place.step}: the network's numbers are "
        "not finite any more; try a smaller learning rate than "
        f"{state.config.training.optimizer.learning_rate}"
    )


def _end_epoch(state: TrainingState, cost: float) -> Generator[Progress, None, Record]:
    """Measure on the examples held out, keep the parameters if they are the best so far.

    Yields several times a second while measuring; what is stopped there is measured again.
    """
    validation, model, held_out = None, state.model(), state.validation_indices
    outputs = np.empty((len(held_out), state.network.layer_sizes[-1]), np.float32)
    if len(held_out):
        evaluator, told = Evaluator(model, outputs=outputs), time.perf_counter()
        for x, y in Minibatches(state.examples, EVALUATION_MINIBATCH)(held_out):
            evaluator.read(x, y)
            if time.perf_counter() - told > BETWEEN_YIELDS:
                yield Progress(state, cost)
                told = time.perf_counter()
        evaluation = evaluator.result()
        if not math.isfinite(evaluation.cost):
            raise _not_finite(state)
        validation = ValidationMeasure(evaluation.cost, evaluation.accuracy)
    seconds = state.place.seconds
    record = Record(
        state.place.epoch,
        TrainingMeasure(cost),
        validation,
        seconds,
        len(state.train_indices) / seconds,
    )
    state.history.append(record)
    if state.best_record is record:
        state.best[:] = model.parameters
        state.calibration = calibrate(outputs, state.examples.labels[held_out])
    state.place = Place(epoch=state.place.epoch + 1)
    return record
