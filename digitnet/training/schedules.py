"""Learning-rate schedules: the factor of the learning rate in each step.

Each function takes the progress of the whole training, 0 to 1, and the factor at its end.
"""

import math
from collections.abc import Callable


def constant(progress: float, final: float) -> float:
    """Return 1; `final` is not used."""
    return 1.0


def cosine(progress: float, final: float) -> float:
    """Return half a cosine from 1 to `final`: Loshchilov and Hutter 2017, equation 5, one cycle."""
    return final + (1 - final) * (1 + math.cos(math.pi * progress)) / 2


SCHEDULES: dict[str, Callable[[float, float], float]] = {
    "constant": constant,
    "cosine": cosine,
}


def rate_factor(name: str, progress: float, *, warmup: float = 0, final: float = 0) -> float:
    """Return the factor of the learning rate at a progress of 0 to 1.

    warmup: share of the training in which the factor first rises linearly from 0. With it, `cosine`
    is the one-cycle schedule of Smith and Topin 2018 with constant momentum.
    """
    if progress < warmup:
        return progress / warmup
    return SCHEDULES[name]((progress - warmup) / (1 - warmup), final)
