"""How many threads a training gets, and BLAS, settled before NumPy is loaded.

The threads are digitnet's own and share each minibatch. BLAS's, which would share each matrix
product, wait for each other awake: they hurt small layers, and beside a busy neighbour large ones
too. OpenBLAS reads its environment once, when it is loaded.
"""

import os
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")
WORTH_A_THREAD = 30_000_000  # multiplications in a step; for fewer, it costs more than it brings


def choose_threads(
    threads: int | Literal["auto"], layer_sizes: Sequence[int], minibatch_size: int
) -> int:
    """The number asked for; `auto` is what the environment says, else what the step is worth."""
    if threads != "auto":
        return threads
    said = environment_threads()
    if said is not None:
        return said
    forward = minibatch_size * sum(n_in * n_out for n_in, n_out in pairwise(layer_sizes))
    return max(min(len(os.sched_getaffinity(0)), 3 * forward // WORTH_A_THREAD), 1)


def environment_threads() -> int | None:
    """The number of threads that the environment asks for, if it does."""
    for variable in VARIABLES:
        if os.environ.get(variable, "").isdecimal():
            return max(int(os.environ[variable]), 1)
    return None


def limit_blas(threads: int) -> None:
    """Give BLAS so many threads; it has to hear it before NumPy is imported."""
    for variable in VARIABLES:
        os.environ[variable] = str(threads)
