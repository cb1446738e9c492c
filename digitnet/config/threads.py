"""How many threads a training gets, and how many BLAS.

The threads are digitnet's own and share the neurons. BLAS's, which would share each matrix
product, wait for each other awake: they hurt small layers, and beside a busy neighbour large ones
too. OpenBLAS reads its environment once, when it is loaded.
"""

import functools
import os
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")
MOST = 256  # threads
NUMPY_SPACE = 104 << 20  # bytes of address space: NumPy, Pillow and a small picture
BLAS_SPACE = 40 << 20  # bytes of address space: OpenBLAS's buffer of 32 MB for a thread, its stack
WORTH_A_THREAD = 30_000_000  # multiplications in a step; for fewer, it costs more than it brings


def choose_threads(
    threads: int | Literal["auto"], layer_sizes: Sequence[int], minibatch_size: int
) -> int:
    """The number asked for; `auto` is what a step is worth, up to what is there or allowed.

    In both cases at most the neurons of the widest hidden layer, which they share.
    """
    widest = max(layer_sizes[1:-1], default=1)
    if threads != "auto":
        return min(threads, widest)
    most = environment_threads() or len(os.sched_getaffinity(0))
    forward = minibatch_size * sum(n_in * n_out for n_in, n_out in pairwise(layer_sizes))
    return max(min(most, 3 * forward // WORTH_A_THREAD, MOST, widest), 1)


@functools.cache
def environment_threads() -> int | None:
    """The number of threads that the environment allowed at the start, if it says one."""
    for variable in VARIABLES:
        if os.environ.get(variable, "").isdecimal():
            return max(int(os.environ[variable]), 1)
    return None


def load_numpy(blas_threads: int) -> None:
    """Load NumPy with this many BLAS threads, and let BLAS take its memory at once.

    Raises MemoryError if there is too little: OpenBLAS would end the process without it. OpenBLAS
    starts no more threads than there are processors.
    """
    limit_blas(blas_threads)
    require_memory(NUMPY_SPACE + min(blas_threads, len(os.sched_getaffinity(0))) * BLAS_SPACE)
    import numpy as np

    matrix = np.ones((16, 16), np.float32)
    _ = matrix @ matrix  # the first product is when OpenBLAS takes its buffer, and keeps it


def require_memory(size: int) -> None:
    """Raise MemoryError unless there is room for `size` more bytes; none of them is touched."""
    bytes(size)


def limit_blas(threads: int) -> None:
    """Give BLAS so many threads; it has to hear it before NumPy is imported."""
    environment_threads()  # remembered, before it is overwritten
    for variable in VARIABLES:
        os.environ[variable] = str(threads)
