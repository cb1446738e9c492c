"""Make steps of gradient descent one by one."""

from collections.abc import Callable, Sequence

import numpy as np

from digitnet.arrays import Share
from digitnet.training.descent import Descent, Stretch


def walk(
    descent: Descent,
    minibatches: Sequence[tuple[np.ndarray, np.ndarray]],
    gather: Callable[[Share], None] | None = None,
    rates: Sequence[float] | None = None,
    number: int = 1,
) -> list[float]:
    """Make one step for each minibatch; return their summed costs."""
    sizes = {x.shape[1] for x, _ in minibatches}
    stretch = Stretch(minibatches, gather, rates, number)
    [costs] = map(list, descent.walk([stretch], sizes))
    return costs
