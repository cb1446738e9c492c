"""How many threads the matrix products get, settled before NumPy is loaded.

OpenBLAS reads its environment once, when it is loaded. More threads help large layers and hurt
small ones: what they hand each other costs more than what they compute.
"""

import os
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")
LARGE = 50_000_000  # multiplications in one product from which a second thread pays


def choose_threads(threads: int | Literal["auto"], largest: int = 0) -> int:
    """The number asked for; `auto` is what the environment says, else what the products are worth.

    largest: the multiplications in the largest matrix product.
    """
    if threads != "auto":
        return threads
    for variable in VARIABLES:
        if os.environ.get(variable, "").isdecimal():
            return max(int(os.environ[variable]), 1)
    return len(os.sched_getaffinity(0)) if largest >= LARGE else 1


def largest_product(layer_sizes: Sequence[int], minibatch_size: int) -> int:
    """Multiplications in the largest matrix product of a training step."""
    return minibatch_size * max(n_in * n_out for n_in, n_out in pairwise(layer_sizes))


def limit_threads(threads: int) -> None:
    """Tell BLAS, which has to hear it before NumPy is imported."""
    for variable in VARIABLES:
        os.environ[variable] = str(threads)
