"""The trajectory of a training: what is kept after each epoch, to draw the landscape at its end.

A sketch of the parameters places an epoch's network among the others; a few networks are kept
whole. Which epochs are kept depends on the last one alone, so a resumed training keeps the same.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitnet.arrays import FloatArray
from digitnet.dataset.definition import NON_DIGIT, Dataset
from digitnet.dataset.minibatches import Minibatches
from digitnet.errors import CheckpointError
from digitnet.model.landscape import Landscape
from digitnet.model.sketch import SUMS, sketch
from digitnet.model.survey import PICTURES, Path, grid_size, survey
from digitnet.network.network import Network
from digitnet.randomness import Purpose, generator

MAX_WHOLE = 50_000  # parameters: smaller networks keep many epochs whole
GROWTH = 1.5  # of the epochs kept whole, each to the next
RARE = 4  # large networks: epochs kept whole are powers of this, and only the last two
MAX_FINE = 100  # epochs: of longer trainings, fewer are kept
SAMPLE_SHARE = 0.005  # of the training pictures: measured after each epoch
SKETCHES, MEASURES, SNAPSHOT = "sketches", "measures", "snapshot_"  # arrays in the state
F16_MAX, F32_MAX = (float(np.finfo(dtype).max) for dtype in (np.float16, np.float32))


@dataclass(frozen=True, eq=False)
class Sample:
    """Training pictures that cost and accuracy are measured on, and the seed that chose them.

    indices: of PICTURES[1] different pictures at most, no non-digits. measured: how many of them
    after each epoch.
    """

    examples: Dataset
    indices: NDArray[np.int64]
    measured: int
    seed: int

    def minibatch(self, n: int) -> tuple[FloatArray, FloatArray]:
        """Return the first n pictures, or all: x (785, n) and y (classes, n)."""
        indices = self.indices[:n]
        return next(Minibatches(self.examples, len(indices))(indices))

    def measure(self, network: Network) -> tuple[float, float]:
        """Return cost and accuracy of a network; a cost that overflows is float32's largest."""
        x, y = self.minibatch(self.measured)
        workspace = network.workspace(len(y.T))
        with np.errstate(over="ignore", invalid="ignore"):
            a = network.feedforward(x, workspace)
            accuracy = float((a.argmax(axis=0) == y.argmax(axis=0)).mean())
            cost = network.cost(workspace.z[-1], a, y, 1 / workspace.n, workspace.δ[-1])
        return float(np.nan_to_num(np.float32(cost / workspace.n), nan=F32_MAX)), accuracy


def draw_sample(examples: Dataset, train_indices: NDArray[np.int64], seed: int) -> Sample:
    """Return a sample of the pictures in `train_indices`; it depends on the seed alone."""
    indices = np.unique(train_indices)
    indices = indices[examples.labels[indices] != NON_DIGIT]
    fewest, most = PICTURES
    chosen = generator(seed, Purpose.SAMPLE).permutation(indices)[:most]
    measured = min(max(int(SAMPLE_SHARE * len(train_indices)), fewest), len(chosen))
    return Sample(examples, chosen, measured, seed)


@dataclass(frozen=True, eq=False)
class Trail:
    """What is kept of the epochs from 0, the start, to `last`; -1: nothing yet.

    All networks are as evaluated, regularisers folded. n_parameters: of the network. draws_start:
    the start follows from the seed, so a large network need not keep it. sketches: float32
    (k, 1024), after the k `epochs`. measures: float32 (k, 2), cost and accuracy on the sample.
    snapshots: float16 (n_parameters,), by epoch.
    """

    sample: Sample
    n_parameters: int
    draws_start: bool
    last: int = -1
    sketches: NDArray[np.float32] = field(default_factory=lambda: np.empty((0, SUMS), np.float32))
    measures: NDArray[np.float32] = field(default_factory=lambda: np.empty((0, 2), np.float32))
    snapshots: dict[int, NDArray[np.float16]] = field(default_factory=dict)

    @property
    def epochs(self) -> list[int]:
        """The epochs that are kept, rising, `last` among them."""
        stride = 1
        while self.last // stride > MAX_FINE:
            stride *= 2
        epochs = {*range(0, self.last + 1, stride), *_growing(self.last), self.last}
        return sorted(epochs - {-1})

    @property
    def whole_epochs(self) -> list[int]:
        """The epochs whose networks are kept whole, rising."""
        if self.is_small:
            return _growing(self.last)
        powers = [RARE**i for i in range(self.last.bit_length()) if self.last / 8 < RARE**i]
        start = [] if self.draws_start else _growing(min(self.last, 0))
        return start + [each for each in powers if each <= self.last]

    @property
    def is_small(self) -> bool:
        """True if many epochs are kept whole."""
        return self.n_parameters < MAX_WHOLE

    def followed_by(self, network: Network) -> "Trail":
        """Return the trail with one more epoch, after which training is at `network`."""
        cost, accuracy = self.sample.measure(network)
        now = replace(self, last=self.last + 1)
        kept_epochs = set(now.epochs)
        kept = [k for k, epoch in enumerate(self.epochs) if epoch in kept_epochs]
        sums = sketch(network.parameters, self.sample.seed)
        measure = np.array([[cost, accuracy]], np.float32)
        return replace(
            now,
            sketches=np.concatenate([self.sketches[kept], sums[np.newaxis]]),
            measures=np.concatenate([self.measures[kept], measure]),
            snapshots={
                epoch: self.snapshots[epoch] if epoch <= self.last else _to_half(network.parameters)
                for epoch in now.whole_epochs
            },
        )

    def survey(
        self, network: Network, start: Callable[[], Network], pictures_trained: int
    ) -> Iterator[Landscape | None]:
        """Yield None after each piece of work, at last the landscape, if there is one.

        See `survey.survey`.

        network: after the last epoch. start: makes the network before the first. pictures_trained:
        in all epochs together.
        """
        snapshots = dict(self.snapshots)
        if 0 not in snapshots:
            snapshots = {0: _to_half(start().parameters)} | snapshots
            yield None
        if self.is_small:
            snapshots[self.last] = _to_half(network.parameters)
        path = Path(
            self.epochs,
            self.sketches,
            self.measures[:, 0],
            self.measures[:, 1],
            snapshots,
            self.is_small,
            self.sample.seed,
        )
        side, pictures = grid_size(network.layer_sizes, pictures_trained)
        yield from survey(network, path, side, *self.sample.minibatch(pictures))

    def arrays(self, landscape: Landscape | None) -> dict[str, NDArray[Any]]:
        """Return the arrays to save, by name; without snapshots that the landscape has."""
        arrays: dict[str, NDArray[Any]] = {SKETCHES: self.sketches, MEASURES: self.measures}
        if landscape is None or not self.is_small:
            arrays |= {f"{SNAPSHOT}{epoch}": each for epoch, each in self.snapshots.items()}
        return arrays

    def restored(
        self, arrays: dict[str, NDArray[Any]], landscape: Landscape | None, last: int
    ) -> "Trail | None":
        """Return the trail that `arrays` saved after the epoch `last`; None if there was none.

        Raises CheckpointError for arrays that do not fit.
        """
        if SKETCHES not in arrays:
            return None
        trail = replace(self, last=last)
        k, n = len(trail.epochs), self.n_parameters
        if landscape is not None and self.is_small:
            at = dict(zip(landscape.snapshot_epochs.tolist(), landscape.snapshots))
            arrays = arrays | {f"{SNAPSHOT}{epoch}": each for epoch, each in at.items()}
        return replace(
            trail,
            sketches=_checked(arrays, SKETCHES, np.float32, (k, SUMS)),
            measures=_checked(arrays, MEASURES, np.float32, (k, 2)),
            snapshots={
                epoch: _checked(arrays, f"{SNAPSHOT}{epoch}", np.float16, (n,))
                for epoch in trail.whole_epochs
            },
        )


def _growing(last: int) -> list[int]:
    """Return 0, 1, 2, 3, 4, 6, 9, …, growing by GROWTH, to `last` at most."""
    epochs = [0]
    while epochs[-1] <= last:
        epochs.append(max(epochs[-1] + 1, int(epochs[-1] * GROWTH)))
    return epochs[:-1]


def _to_half(parameters: FloatArray) -> NDArray[np.float16]:
    """Return parameters as float16, the largest at its limits."""
    half = np.empty(len(parameters), np.float16)
    np.clip(parameters, -F16_MAX, F16_MAX, out=half, casting="same_kind")
    return half


def _checked(
    arrays: dict[str, NDArray[Any]], name: str, dtype: type, shape: tuple[int, ...]
) -> NDArray[Any]:
    array = arrays.get(name)
    if array is None or array.dtype != dtype or array.shape != shape:
        wanted = f"{np.dtype(dtype)} of shape {shape}"
        raise CheckpointError(f"state_{name}: expected {wanted}, found another array")
    if not np.isfinite(array).all():
        raise CheckpointError(f"state_{name}: expected finite numbers, found NaN or infinity")
    return array
