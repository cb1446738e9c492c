"""Learning-rate schedules: which share of the learning rate a step is made with.

Each takes the progress of the whole training, from 0 to 1, and the share that is to be left at its
end.
"""

import math
from collections.abc import Callable


def constant(progress: float, final: float) -> float:
    """Always 1, whatever `final` is."""
    return 1.0


def cosine(progress: float, final: float) -> float:
    """Half a cosine from 1 to `final`: Loshchilov and Hutter 2017, equation 5, with one cycle."""
    return final + (1 - final) * (1 + math.cos(math.pi * progress)) / 2


SCHEDULES: dict[str, Callable[[float, float], float]] = {
    "constant": constant,
    "cosine": cosine,
}


def rate_factor(name: str, progress: float, *, warmup: float = 0, final: float = 0) -> float:
    """The share of the learning rate at some progress, 0 to 1, of a training.

    warmup: the share of the training in which the rate first rises in a straight line. With it,
    `cosine` is the one-cycle schedule of Smith and Topin 2018, momentum left as it is.
    """
    if progress < warmup:
        return progress / warmup
    return SCHEDULES[name]((progress - warmup) / (1 - warmup), final)
