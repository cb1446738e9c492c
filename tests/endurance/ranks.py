"""Trainings of several ranks under mpiexec: the same bits, signals, failures, no rank left behind.

    python tests/endurance/ranks.py [--openmpi PYTHON] [--times 100] [--seed 1] [PART]...

PART: `bits`, `failures`, which prints a table, or `kills`. PYTHON: the Python that has mpi4py for
the Open MPI whose mpiexec stands beside it. Exit status: 1 if anything is not as it should be.
"""

import argparse
import importlib.util
import sys
from pathlib import Path

from rank_bits import compare_bits
from rank_cases import CASES
from rank_jobs import MPI, MPICH, open_mpi, place
from rank_kills import kill_at_random

from configs import differing

PARTS = ("bits", "failures", "kills")


def print_table(mpi: MPI, only: str) -> int:
    """Let everything happen to trainings, one line each; return how often something was wrong."""
    print(f"| {mpi.title} | status | all gone after | lines | checkpoint | resumed |")
    print("|---|---|---|---|---|---|", flush=True)
    wrong = 0
    with place(mpi) as where:
        expected = where.finish()
        for case in CASES:
            if only not in f"{mpi.title}: {case.title}":
                continue
            where.clear()
            ended = case.happen(where)
            problems = list(case.problems(ended, mpi.title))
            resumed = ""
            if ended.state == "saved" and case.resumes:
                differs = differing(where.finish(), expected)
                resumed, problems = "differs" if differs else "same bits", problems + differs
            ours = [line for line in ended.err if case.message and case.message in line]
            lines = f"{len(ours)} + {len(ended.err) - len(ours)}"
            left = f"{ended.state}, lock file left" if ended.lock else ended.state
            cells = (case.title, ended.status, f"{ended.seconds:.1f} s", lines, left, resumed)
            print("|", " | ".join(map(str, cells)), "|", flush=True)
            if problems:
                wrong += 1
                print("    wrong:", problems, *ended.err, *ended.out, sep="\n        ", flush=True)
    return wrong


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help="default: all parts")
    parser.add_argument("--openmpi", metavar="PYTHON", help="default: without Open MPI")
    parser.add_argument("--only", default="", help="kinds and failures whose name contains this")
    parser.add_argument("--times", type=int, default=100, help="random signals with each MPI")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    mpis, parts = [], arguments.parts or PARTS
    if importlib.util.find_spec("mpi4py") and Path(MPICH.launcher[0]).exists():
        mpis.append(MPICH)
    else:
        print("skipped: MPICH: found no mpi4py, or no mpiexec beside Python")
    if arguments.openmpi:
        mpis.append(open_mpi(arguments.openmpi))
    else:
        print("skipped: Open MPI: name its Python with --openmpi")
    wrong = 0
    if "bits" in parts:
        wrong += compare_bits(mpis, arguments.only)
    for mpi in mpis:
        if "failures" in parts:
            wrong += print_table(mpi, arguments.only)
        if "kills" in parts:
            wrong += kill_at_random(mpi, arguments.times, arguments.seed)
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
