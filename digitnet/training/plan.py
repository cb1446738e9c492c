"""The plan of a training: which steps it makes, with which pictures, rates and distortions.

The plan follows from the config and the place where it begins, so that all members and ranks make
the same steps.
"""

from collections.abc import Iterator

from digitnet.dataset.minibatches import Minibatches
from digitnet.randomness import Purpose, generator
from digitnet.training.augmentation import Augmentation
from digitnet.training.descent import Stretch
from digitnet.training.state import TrainingState


def plan(
    state: TrainingState, minibatches: Minibatches, augmentation: Augmentation | None
) -> Iterator[Stretch]:
    """Yield the steps from the state's position to the end of the last epoch, block by block."""
    epoch, step = state.position.epoch, state.position.step
    while epoch <= state.config.training.epochs:
        rng = generator(state.config.seed, Purpose.SHUFFLE, epoch)
        order = rng.permutation(state.train_indices)
        if augmentation:
            augmentation.begin(epoch, state.strength(epoch))
        number = (epoch - 1) * state.steps + 1
        for block in minibatches.blocks(order, step):
            rates = state.rates(epoch, step, len(block.minibatches))
            yield Stretch(block.minibatches, block.gather, rates, number + step)
            step += len(block.minibatches)
        epoch, step = epoch + 1, 0
