"""The contenders in the timing of epochs, each run in a process of its own.

    python contenders.py WORKLOAD NAME

Print `ready` when all data is in memory. Then run an epoch for each line on stdin and print its
seconds. When stdin ends, print the accuracy on the test digits, or an empty line for a contender
that does not learn.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from ours import digitnet, digitnet_on_one_thread
from peers import jax, jax_on_one_core, pytorch, scikit_learn
from products import products_in_columns, products_in_rows
from trainer import Trainer
from workloads import WORKLOADS, Workload


@dataclass(frozen=True)
class Contender:
    """threads: number set in the environment for BLAS and OpenMP; None: not set."""

    prepare: Callable[[Workload], Trainer]
    threads: int | None = None


CONTENDERS = {
    "digitnet": Contender(digitnet),
    "digitnet, 1 thread": Contender(digitnet_on_one_thread),
    "JAX": Contender(jax),
    "JAX, 1 core": Contender(jax_on_one_core),
    "PyTorch, 1 thread": Contender(pytorch, 1),
    "PyTorch, 2 threads": Contender(pytorch, 2),
    "scikit-learn, 1 thread": Contender(scikit_learn, 1),
    "scikit-learn, 2 threads": Contender(scikit_learn, 2),
    "bare products, rows, 1 thread": Contender(products_in_rows, 1),
    "bare products, rows, 2 threads": Contender(products_in_rows, 2),
    "bare products, columns, 1 thread": Contender(products_in_columns, 1),
    "bare products, columns, 2 threads": Contender(products_in_columns, 2),
}


def main() -> None:
    trainer = CONTENDERS[sys.argv[2]].prepare(WORKLOADS[sys.argv[1]])
    print("ready", flush=True)
    for _ in sys.stdin:
        started = time.perf_counter()
        trainer.epoch()
        print((time.perf_counter() - started) * trainer.parts, flush=True)
    print(trainer.accuracy() if trainer.accuracy else "")


if __name__ == "__main__":
    main()
