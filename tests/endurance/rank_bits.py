"""Trainings of 1, 2, 4 and 8 ranks, with MPICH and Open MPI, have the same bits."""

import os
import signal
import time
from typing import Any

from rank_jobs import MPI, Ended, Place, place

from configs import differing

SGD = "{name: sgd, learning_rate: 0.05}"
MOMENTUM = "{name: sgd, learning_rate: 0.05, momentum: 0.9}"
NESTEROV = "{name: sgd, learning_rate: 0.05, momentum: 0.9, nesterov: true}"
ADAM, ADAMW = "{name: adam}", "{name: adamw}"
DISTORTIONS = "augment: {rotation: 10, scale: 0.1, shear: 0.1, shift: 1, elastic: 30, final: 0.3}"
ALL = "dropout: 0.2, batch_norm: true, l2: 0.001, background: 0.1, threads: 2"
KINDS = {  # the optimizer, other keys of `training`, other sections
    "sgd": (SGD, "", ""),
    "momentum": (MOMENTUM, "", ""),
    "nesterov": (NESTEROV, "", ""),
    "adam": (ADAM, "", ""),
    "adamw": (ADAMW, "l2: 0.01", ""),
    "l2": (MOMENTUM, "l2: 0.01", ""),
    "dropout": (MOMENTUM, "dropout: 0.3", ""),
    "batch_norm": (MOMENTUM, "batch_norm: true", ""),
    "background": (MOMENTUM, "background: 0.2", ""),
    "distortions": (MOMENTUM, "", DISTORTIONS),
    "schedule": (ADAM, "schedule: {name: cosine, warmup: 0.2}", ""),
    "threads": (MOMENTUM, "threads: 2", ""),
    "small minibatches": (MOMENTUM, "minibatch_size: 17, batch_norm: true", ""),
    "everything": (ADAM, f"{ALL}, schedule: {{name: cosine, warmup: 0.2}}", DISTORTIONS),
}
RANKS = {4: (1, 2, 4), 8: (1, 2, 4, 8)}  # by shards
OPEN_MPI_RANKS = (2, 4)


def write_config(where: Place, kind: str, shards: int, epochs: int = 3) -> None:
    optimizer, other, sections = KINDS[kind]
    size = "" if "minibatch_size" in other else "minibatch_size: 50, "  # 498 = 9 × 50 + 48
    where.config.write_text(
        "data: {path: digits.npz, validation: 102}\n"
        "network: {layer_sizes: [784, 30, 20, 10], activation: relu, output: softmax}\n"
        f"cost: cross_entropy\n{sections}\n"
        f"training: {{epochs: {epochs}, {size}shards: {shards}, optimizer: {optimizer}, {other}}}\n"
    )


def compare_bits(mpis: list[MPI], only: str = "") -> int:
    """Train everything with every number of ranks; return how many trainings differ."""
    trainings = wrong = 0
    with place(mpis[0]) as where:
        kinds = [kind for kind in KINDS if only in kind]
        for kind in kinds:
            for shards, all_ranks in RANKS.items():
                write_config(where, kind, shards)
                where.mpi = mpis[0]
                where.clear()
                expected = where.finish()
                for mpi in mpis:
                    ranks_of_mpi = all_ranks if mpi.title == "MPICH" else OPEN_MPI_RANKS
                    for ranks in ranks_of_mpi:
                        where.clear()
                        where.mpi = mpi
                        names = differing(where.finish(ranks), expected)
                        trainings += 1
                        if names or "status" in expected:
                            wrong += 1
                            print(f"{kind}, {shards} shards, {ranks} ranks, {mpi.title}: {names}")
        resumed, differs = compare_resumed(where, mpis)
    print(
        f"{trainings} trainings of {len(kinds)} kinds in {' and '.join(map(str, RANKS))} shards, "
        f"{resumed} interrupted ones: {wrong + differs} differ from a training without MPI",
        flush=True,
    )
    return wrong + differs


def compare_resumed(where: Place, mpis: list[MPI]) -> tuple[int, int]:
    """Interrupt trainings within epochs, and resume them with other numbers of ranks."""
    kinds, wrong = ("momentum", "everything"), 0
    for kind in kinds:
        write_config(where, kind, 4, epochs=25)
        where.mpi = mpis[0]
        where.clear()
        expected = where.finish()
        where.clear()
        for mpi, ranks in ((mpis[0], 2), (mpis[0], 1), (mpis[0], 4), (mpis[-1], 2)):
            where.mpi = mpi
            ended = interrupt(where, ranks)
            if ended.status != 143 or ended.state != "saved":
                print(f"{kind}: {mpi.title}, {ranks} ranks: {ended}")
        where.mpi = mpis[0]
        names = differing(where.finish(), expected)
        if names:
            wrong += 1
            print(f"{kind}, interrupted: {names}")
    return len(kinds), wrong


def interrupt(where: Place, ranks: int) -> Ended:
    """Go on with a training, and stop it soon after its start."""

    def act(process: Any, pids: dict[int, int]) -> None:
        time.sleep(0.15)
        os.kill(pids.get(0, process.pid), signal.SIGTERM)

    return where.train(ranks, "--resume", act=act)
