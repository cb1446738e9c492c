"""Choose the number of training processes or threads, and of BLAS threads.

The members of a training's crew, processes or threads, share the neurons of each layer. BLAS
threads share single matrix products and spin while they wait. They slow down small layers, and
large layers as well on a busy machine. OpenBLAS reads its environment variables once, when it is
loaded.
"""

import functools
import os
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

BLAS_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")
MAX_THREADS = 256
NUMPY_SPACE = 104 << 20  # bytes of address space: NumPy, Pillow and a small picture
BLAS_SPACE = 40 << 20  # bytes of address space: a thread's OpenBLAS buffer (32 MB) and its stack
WORK_PER_PROCESS = 4_000_000  # multiplications in a step: with less, a process slows it down
WORK_PER_THREAD = 30_000_000  # multiplications in a step: with less, a thread slows it down


def choose_threads(
    threads: int | Literal["auto"],
    layer_sizes: Sequence[int],
    minibatch_size: int,
    shards: int = 1,
    *,
    processes: bool = False,
) -> int:
    """Return the number of members in a crew, at most the neurons of the widest hidden layer.

    `auto`: as many as there is work for in a step, at most
    `max_threads`. With several shards, 1: more ranks do what more members
    would, and the same bits on every machine. processes: True if the members are processes.
    """
    widest = max(layer_sizes[1:-1], default=1)
    if threads != "auto":
        return min(threads, widest)
    if shards > 1:
        return 1
    forward = minibatch_size * sum(n_in * n_out for n_in, n_out in pairwise(layer_sizes))
    worthwhile = 3 * forward // (WORK_PER_PROCESS if processes else WORK_PER_THREAD)
    return max(min(max_threads(), worthwhile, MAX_THREADS, widest), 1)


def max_threads() -> int:
    """Return the number in the environment, or else the number of available processors."""
    return environment_threads() or len(os.sched_getaffinity(0))


@functools.cache
def environment_threads() -> int | None:
    """Return the number of threads that the environment set at the start, or None."""
    for variable in BLAS_VARIABLES:
        if os.environ.get(variable, "").isdecimal():
            return max(int(os.environ[variable]), 1)
    return None


def load_numpy(blas_threads: int) -> None:
    """Import NumPy with this many BLAS threads, and make OpenBLAS allocate its memory now.

    Raises MemoryError if memory is short: OpenBLAS would end the process. OpenBLAS starts no more
    threads than there are processors.
    """
    limit_blas(blas_threads)
    require_memory(NUMPY_SPACE + min(blas_threads, len(os.sched_getaffinity(0))) * BLAS_SPACE)
    import numpy as np

    matrix = np.ones((16, 16), np.float32)
    _ = matrix @ matrix  # OpenBLAS allocates its buffer at the first product and keeps it


def require_memory(size: int) -> None:
    """Raise MemoryError unless `size` more bytes can be allocated."""
    bytes(size)


def limit_blas(threads: int) -> None:
    """Set the number of BLAS threads. This only works before NumPy is imported."""
    environment_threads()  # caches the user's setting before it is overwritten
    for variable in BLAS_VARIABLES:
        os.environ[variable] = str(threads)
