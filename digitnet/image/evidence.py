"""What the network says of candidates, as a cost in nats."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

EVEN = 0.55  # nats of evidence at which a digit is as likely as none
SPREAD = 0.4  # nats of evidence by which the odds change e-fold
CLEAR = 0.8  # nats: a candidate that costs less is a digit

# Of n pictures: probabilities (n, classes), evidence (n,) in nats, whether each is sure.
Judged = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]
Score = Callable[[NDArray[np.uint8]], Judged]  # of prepared pictures (n, 28, 28)


def network_costs(
    probabilities: NDArray[np.float64], evidence: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return what the network says against each candidate: its digit's doubt, its lack of evidence.

    probabilities: (n, classes). evidence: (n,), nats. The costs: (n,), nats.
    """
    costs: NDArray[np.float64] = np.logaddexp(0, (EVEN - evidence) / SPREAD)
    costs -= np.log(np.maximum(probabilities.max(axis=1), 1e-6))
    return costs
