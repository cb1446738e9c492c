"""Run digitnet with a fault in one rank: `python tests/faulty.py FAULT RANK train …`.

With `impatient`, which is no fault, all ranks wait 2 s for an answer instead of 10 minutes.
"""

import itertools
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

from digitnet.__main__ import main as digitnet
from digitnet.fleet import launcher

PATIENCE = 2.0  # s


def before(owner: Any, name: str, fault: Callable[..., object], after: int) -> None:
    """Call `fault` with the arguments of each call of a function except the first `after`."""
    original, calls = getattr(owner, name), itertools.count()

    def call(*arguments: Any, **options: Any) -> Any:
        if next(calls) >= after:
            fault(*arguments)
        return original(*arguments, **options)

    setattr(owner, name, call)


def bug(*_: object) -> None:
    raise ZeroDivisionError("a bug")


def no_memory(*_: object) -> None:
    raise MemoryError


def sleep(*_: object) -> None:
    time.sleep(1)


def sleep_longer(*_: object) -> None:
    time.sleep(4)


def add_to_gradient(_: object, gradient: Any, *__: object) -> None:
    gradient += 1


def introduce(fault: str) -> None:
    from digitnet.model.evaluation import Evaluator
    from digitnet.training import replicas, setup
    from digitnet.training.descent import Descent
    from digitnet.training.optimizers import Adam

    match fault:
        case "loop":
            before(Descent, "_learn", bug, 2)
        case "memory":
            before(Descent, "_learn", no_memory, 2)
        case "validation":
            before(Evaluator, "read", bug, 2)
        case "slow-validation":
            before(Evaluator, "read", sleep, 0)
        case "slow-reading":
            for module in (setup, replicas):
                before(module, "read_data", sleep_longer, 0)
        case "numbers":
            before(Adam, "_move", add_to_gradient, 40)
        case "disk":
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        case _:
            raise ValueError(fault)


def main() -> None:
    _, fault, number, *arguments = sys.argv
    sys.argv = ["digitnet", *arguments]
    join = launcher.join

    def faulty_join() -> Any:
        place = launcher.launched()
        if fault == "start" and place and place.rank == int(number):
            signal.raise_signal(signal.SIGINT)
        if fault == "no-start" and place and place.rank == int(number):
            os._exit(1)
        if fault == "no-start":
            launcher.START_SECONDS = int(PATIENCE)
        fleet = join()
        if fault == "impatient":
            from digitnet.fleet import mpi

            mpi.PATIENCE = PATIENCE
        elif fault != "start" and fleet.rank == int(number):
            introduce(fault)
        return fleet

    launcher.join = faulty_join
    digitnet()


if __name__ == "__main__":
    main()
