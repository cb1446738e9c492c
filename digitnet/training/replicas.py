"""Replicas: the ranks of a training hold the same pictures, parameters and position.

Rank 0 begins or resumes the training. The others read the same data and take over the rest.
"""

import zlib

from digitnet.config.definition import Config
from digitnet.dataset.definition import join_paths
from digitnet.dataset.reader import read_data
from digitnet.errors import ConfigError, DataError, TrainingError
from digitnet.fleet.fleet import Fleet
from digitnet.training.setup import prepare, read_options
from digitnet.training.state import TrainingState, arrays


def check_ranks(shards: int, ranks: int) -> None:
    """Raise ConfigError unless the ranks can share the shards equally."""
    if shards % ranks:
        problem = f"expected a multiple of the {ranks} ranks that were started, found {shards}"
        is_power = ranks & (ranks - 1) == 0
        advice = f"set it to {ranks}" if is_power else "start 2, 4, 8, … ranks, at most as many"
        raise ConfigError("training.shards", f"{problem}; {advice}")


def follow(config: Config, *, strict: bool, fleet: Fleet) -> TrainingState:
    """Return the training of a rank other than 0, with its pictures; `equalise` fills the rest.

    Raises what reading the data raises; see `begin`.
    """
    options = read_options(config, strict=strict, parallel=False, report=None, fleet=fleet)
    return prepare(config, read_data(config.data.path, options), (), options)


def equalise(state: TrainingState, fleet: Fleet) -> None:
    """Let all ranks stand where rank 0 stands. Raises DataError for a rank with other pictures."""
    if fleet.size == 1:
        return
    first, *others = fleet.gather((state.data.fingerprint, state.sources))
    for rank, found in enumerate(others, 1):
        if found != first:
            source = join_paths(state.config.data.path)
            problem = f"expected the pictures and labels of rank 0, found others in rank {rank}"
            raise fleet.agreed(DataError(f"{source}: {problem}; copy the data of one to the other"))
    state.position, state.history = fleet.share((state.position, state.history))
    for array in arrays(state).values():
        array[:] = fleet.share(array)
    if not fleet.leads:
        state.trail = None  # rank 0 alone makes the landscape


def compare_parameters(state: TrainingState, fleet: Fleet) -> None:
    """Raise TrainingError if a rank has other parameters than rank 0."""
    if fleet.size == 1:
        return
    first, *others = fleet.gather(zlib.crc32(state.network.parameters.data))
    for rank, checksum in enumerate(others, 1):
        if checksum != first:
            problem = f"expected the same parameters in all ranks, found others in rank {rank}"
            raise fleet.agreed(
                TrainingError(
                    f"epoch {state.position.epoch}: {problem}: a machine computes or sends wrong "
                    "numbers; --resume continues from the last checkpoint"
                )
            )
