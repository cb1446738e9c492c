"""The training loop, as a generator: gradient descent, minibatch by minibatch.

It prints nothing, writes no file and handles no signals. Whenever it yields, its state is complete:
the caller may print, save or stop there.
"""

import contextlib
import functools
import itertools
import math
import os
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from digitnet.arrays import Share, is_shared
from digitnet.config.definition import Config
from digitnet.config.reader import resolve_config
from digitnet.config.threads import max_threads
from digitnet.dataset.minibatches import Minibatches
from digitnet.errors import TrainingError
from digitnet.fleet.fleet import Alone, Fleet, Request
from digitnet.model.calibration import calibrate
from digitnet.model.evaluation import EVALUATION_MINIBATCH, Evaluator
from digitnet.model.landscape import Landscape
from digitnet.network.crew import may_fork
from digitnet.network.network import Network
from digitnet.training.augmentation import Augmentation
from digitnet.training.descent import Descent
from digitnet.training.plan import plan
from digitnet.training.replicas import compare_parameters, follow, start
from digitnet.training.setup import begin
from digitnet.training.state import (
    Position,
    Record,
    TrainingMeasure,
    TrainingState,
    ValidationMeasure,
    arrays,
    is_over,
)
from digitnet.training.trail import Trail

YIELD_SECONDS = 0.2  # seconds between two yields, at least
MAX_UPDATES = 10_000_000  # parameters updated between two readings of the clock, at most


@dataclass(frozen=True, eq=False)
class Progress:
    """How far a training is; see `state.position`.

    cost: average of this epoch so far, None before its first step. record: the figures of the
    epoch that has just ended, else None.
    """

    state: TrainingState
    cost: float | None
    record: Record | None = None


def train(
    config: Config | dict[str, Any] | str | os.PathLike[str],
    state: TrainingState | None = None,
    fleet: Fleet | None = None,
) -> Iterator[Progress]:
    """Train a network; yield the progress at once, several times a second and after each epoch.

    config: the path of a YAML file, a dict of the same keys, or a Config. Relative paths in a dict
    or a Config start from the working directory. state: a training to continue; `config` is then
    not used. fleet: the ranks that train together, `digitnet.fleet.launcher.join()` under mpiexec;
    they yield at the same steps, and rank 0 alone validates. Default: one process.

    Raises ConfigError for a wrong config, DataError for wrong data, and TrainingError as soon as
    the network's numbers are no longer finite.

    BLAS should have one thread: set OPENBLAS_NUM_THREADS=1 before NumPy is imported. Then the
    result has the same bits as the command's, if `training.threads` is the number that
    `digitnet train -v` prints.

    In a program with several threads, those of BLAS included, training uses threads. Otherwise it
    uses processes: a process that the caller forks between two yields cannot go on with the
    training, and sees the parameters change. `os.wait` in the caller would wait for the training's
    processes; wait for a child by its number.
    """
    fleet = fleet or Alone()
    if state is None:
        config = resolve_config(config)
        state = start(
            config,
            fleet,
            functools.partial(begin, config, fleet=fleet),
            functools.partial(follow, config, fleet=fleet),
        )
    yield Progress(state, _mean_cost(state))
    most = MAX_UPDATES // len(state.network.parameters)
    settings = state.config.training
    size = min(settings.minibatch_size, len(state.train_indices))
    threads = int(settings.threads)
    ahead = threads == 1 and fleet.size == 1 and max_threads() > 1 and may_fork()
    descent = Descent(
        state.network,
        state.optimizer,
        regularisers=state.regularisers,
        threads=threads,
        frozen=settings.freeze,
        shards=int(settings.shards),
        fleet=fleet,
        ahead=ahead,
    )
    augmentation = None
    if state.distortions:
        members = len(descent.crew.shares)
        augmentation = Augmentation(state.distortions, members=members, seed=state.config.seed)
    minibatches = Minibatches(
        state.examples,
        size,
        most,
        augmentation,
        Share(fleet.rank, fleet.size),
        shared=ahead or is_shared(state.network.parameters),
        buffers=2 if ahead else 1,
    )
    sizes = {size, len(state.train_indices) % size or size}
    with contextlib.closing(descent.walk(plan(state, minibatches, augmentation), sizes)) as walk:
        while not state.done:
            while state.position.step < state.steps:
                _walk_downhill(state, walk, fleet)
                _stop_unless_finite(state, fleet)
                if state.position.step < state.steps:
                    yield Progress(state, _mean_cost(state))
            cost = state.position.cost_sum / len(state.train_indices)
            record = yield from _end_epoch(state, cost, fleet)
            yield Progress(state, cost, record)
    fleet.is_over = True


def _mean_cost(state: TrainingState) -> float | None:
    seen = state.pictures_seen
    return state.position.cost_sum / seen if seen else None


def _walk_downhill(state: TrainingState, walk: Iterator[list[float]], fleet: Fleet) -> None:
    """Make one step per minibatch until a rank asks for something or the epoch is over.

    Rank 0 asks for a pause when it is time to yield: clocks differ, and all must yield together.
    """
    fleet.asked.discard(Request.PAUSE)
    epoch, step, cost_sum, seconds = msgspec.structs.astuple(state.position)
    steps = state.steps
    started = now = time.perf_counter()
    for costs in walk:
        for cost in costs:
            cost_sum += cost
        step += len(costs)
        now = time.perf_counter()
        if fleet.leads and now - started > YIELD_SECONDS:
            fleet.ask(Request.PAUSE)
        if fleet.asked or step == steps:
            break
    state.position = Position(epoch, step, cost_sum, seconds + now - started)


def _stop_unless_finite(state: TrainingState, fleet: Fleet) -> None:
    numbers = [np.asarray(state.position.cost_sum), *arrays(state).values()]
    if not all(np.isfinite(array).all() for array in numbers):
        raise fleet.agreed(_not_finite(state))


def _not_finite(state: TrainingState) -> TrainingError:
    return TrainingError(
        f"epoch {state.position.epoch}, minibatch {state.position.step}: the network's numbers are "
        "no longer finite; try a learning rate smaller than "
        f"{state.config.training.optimizer.learning_rate}"
    )


def _end_epoch(
    state: TrainingState, cost: float, fleet: Fleet
) -> Generator[Progress, None, Record]:
    """Let rank 0 measure the epoch, and all ranks begin the next; yield several times a second."""
    compare_parameters(state, fleet)
    none: Iterator[Record | None] = itertools.repeat(None)
    results = _measure(state, cost) if fleet.leads else none
    while (record := fleet.lead(lambda: next(results))) is None:
        yield Progress(state, cost)
    if not fleet.leads:
        state.history.append(record)
        state.position = Position(epoch=state.position.epoch + 1)
        if state.best_record is record:
            state.best[:] = state.current_network().parameters
    state.calibration = fleet.share(state.calibration)
    return record


def _measure(state: TrainingState, cost: float) -> Iterator[Record | None]:
    """Validate; keep the parameters if they are the best so far; at the end, make the landscape.

    Yields None several times a second, and the record when the state stands in the next epoch. A
    training stopped before does all this again when it is resumed.
    """
    validation, model, held_out = None, state.current_network(), state.validation_indices
    trail, landscape = state.trail, None
    outputs = np.empty((len(held_out), state.network.layer_sizes[-1]), np.float32)
    if len(held_out):
        evaluator, yielded = Evaluator(model, outputs=outputs), time.perf_counter()
        for x, y in Minibatches(state.validation, EVALUATION_MINIBATCH)(held_out):
            evaluator.read(x, y)
            if time.perf_counter() - yielded > YIELD_SECONDS:
                yield None
                yielded = time.perf_counter()
        evaluation = evaluator.result()
        if not math.isfinite(evaluation.cost):
            raise _not_finite(state)
        validation = ValidationMeasure(evaluation.cost, evaluation.accuracy)
    seconds = state.position.seconds
    record = Record(
        state.position.epoch,
        TrainingMeasure(cost),
        validation,
        seconds,
        len(state.train_indices) / seconds,
    )
    if trail is not None:
        trail = trail.followed_by(model)
        if is_over(state.config, [*state.history, record]):
            landscape = yield from _survey(state, trail, model)
    state.trail, state.landscape = trail, landscape
    state.history.append(record)
    if state.best_record is record:
        state.best[:] = model.parameters
        if state.refits_calibration:
            labels = state.validation.labels[held_out]
            state.calibration = calibrate(outputs, labels, model.min_output)
    state.position = Position(epoch=state.position.epoch + 1)
    yield record


def _survey(
    state: TrainingState, trail: Trail, model: Network
) -> Generator[None, None, Landscape | None]:
    """Return the landscape of a training whose last epoch is over; yield several times a second."""
    landscape, yielded = None, time.perf_counter()
    pictures = len(state.train_indices) * trail.last
    for found in trail.survey(model, state.first_network, pictures):
        landscape = found
        if time.perf_counter() - yielded > YIELD_SECONDS:
            yield None
            yielded = time.perf_counter()
    return landscape
