"""Replicas: the ranks of a training hold the same pictures, parameters and position.

Rank 0 begins or resumes the training. The others read the same data and take over the rest.
"""

import zlib
from collections.abc import Callable

from digitnet.config.definition import MAX_SHARDS, Config
from digitnet.dataset.definition import join_paths
from digitnet.dataset.reader import read_data
from digitnet.errors import ConfigError, DataError, TrainingError
from digitnet.fleet.fleet import Fleet
from digitnet.training.setup import prepare, read_options
from digitnet.training.state import TrainingState, arrays


def start(
    config: Config,
    fleet: Fleet,
    lead: Callable[[], TrainingState],
    follow: Callable[[], TrainingState],
) -> TrainingState:
    """Return this rank's training, once all ranks are ready for the same first step.

    lead, follow: read the data, in rank 0 and in the other ranks. If they raise a DigitnetError in
    one rank, all ranks end; see `Fleet.attempt`.
    """

    def read() -> TrainingState:
        check_ranks(config, fleet.size)
        return lead() if fleet.leads else follow()

    fleet.is_watched = fleet.is_over = False  # a fleet may train again
    state = fleet.attempt(read)
    fleet.is_watched = True
    if fleet.size > 1:
        _equalise(state, fleet)
    return state


def check_ranks(config: Config, ranks: int) -> None:
    """Raise ConfigError unless the ranks can share the shards equally."""
    shards, size = int(config.training.shards), config.training.minibatch_size
    if shards % ranks:
        problem = f"expected a multiple of the {ranks} ranks that were started, found {shards}"
        fits = ranks & (ranks - 1) == 0 and ranks <= min(size, MAX_SHARDS)
        advice = f"start a power of two of them, at most {shards}"
        if fits:
            advice = f"set it to {ranks}, or start fewer ranks"
        raise ConfigError("training.shards", f"{problem}; {advice}")


def follow(config: Config, *, strict: bool = False, fleet: Fleet) -> TrainingState:
    """Return the training of a rank other than 0, with its pictures; `start` fills the rest.

    Raises what reading the data raises; see `begin`.
    """
    options = read_options(config, strict=strict, parallel=False, report=None, fleet=fleet)
    return prepare(config, read_data(config.data.path, options), (), options)


def _equalise(state: TrainingState, fleet: Fleet) -> None:
    """Let all ranks stand where rank 0 stands. Raises DataError for a rank with other pictures."""
    first, *others = fleet.gather((state.data.fingerprint, state.sources))
    for rank, found in enumerate(others, 1):
        if found != first:
            source = join_paths(state.config.data.path)
            problem = f"expected the pictures and labels of rank 0, found others in rank {rank}"
            raise fleet.agreed(DataError(f"{source}: {problem}; copy the data of one to the other"))
    state.position, state.history = fleet.share((state.position, state.history))
    for array in arrays(state).values():
        array[:] = fleet.share(array)
    state.best[:] = fleet.share(state.best)
    state.calibration = fleet.share(state.calibration)


def compare_parameters(state: TrainingState, fleet: Fleet) -> None:
    """Raise TrainingError if parameters, or the optimizer's vectors, differ from rank 0's."""
    if fleet.size == 1:
        return
    checksum = 0
    for array in arrays(state).values():
        checksum = zlib.crc32(array.data, checksum)
    first, *others = fleet.gather(checksum)
    for rank, found in enumerate(others, 1):
        if found != first:
            problem = f"expected the same parameters in all ranks, found others in rank {rank}"
            raise fleet.agreed(
                TrainingError(
                    f"epoch {state.position.epoch}: {problem}: a machine computes or sends wrong "
                    "numbers; --resume continues from the last checkpoint"
                )
            )
