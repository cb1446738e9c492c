"""Turn the network's scores of candidates into costs, in nats."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

EVIDENCE_MIDPOINT = 0.55  # nats: evidence at which a digit and a non-digit are equally likely
EVIDENCE_SCALE = 0.4  # nats: the odds of a digit grow e-fold with this much more evidence
CLEAR_COST = 0.8  # nats: a candidate that costs less is clearly a digit

# Scores of n pictures: probabilities (n, classes), evidence (n,) in nats, and whether the
# thresholds of the model are met (n,).
Judgement = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]
Score = Callable[[NDArray[np.uint8]], Judgement]  # scores prepared pictures (n, 28, 28)


def network_costs(
    probabilities: NDArray[np.float64], evidence: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the cost of each candidate, (n,) in nats: little evidence and doubt cost.

    The cost is −log P(it is a digit) − log P(the likeliest digit).
    probabilities: (n, classes). evidence: (n,), nats.
    """
    costs: NDArray[np.float64] = np.logaddexp(0, (EVIDENCE_MIDPOINT - evidence) / EVIDENCE_SCALE)
    costs -= np.log(np.maximum(probabilities.max(axis=1), 1e-6))
    return costs
