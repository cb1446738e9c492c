"""Random signals to random ranks at random instants: every training ends, as documented."""

import contextlib
import os
import random
import signal
import sys
import time
from collections import Counter
from functools import partial
from typing import Any

from rank_jobs import HANGS, LONGEST, MPI, SOON, place, wait_for_line

from configs import differing

SIGNALS = (
    signal.SIGTERM,
    signal.SIGINT,
    signal.SIGHUP,
    signal.SIGUSR1,
    signal.SIGKILL,
    signal.SIGSTOP,
)
STOPPED = {0, 1, 129, 130, 143}  # by digitnet itself
BY_LAUNCHER = {-1, -2, -9, -15, 1, 2, 9, 10, 15, 129, 130, 131, 137, 138, 143, 255}
RESUMED_EVERY = 5  # runs whose checkpoint is carried to the end


def send(signals: list[signal.Signals], target: Any, process: Any, pids: dict[int, int]) -> None:
    for each in signals:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pids.get(target, process.pid), each)
        time.sleep(0.02)


def wait(seconds: float, after: bool, process: Any) -> bytes:
    """Wait for `seconds`, after the first line on stderr if `after`, or until the process ends."""
    first = wait_for_line(process) if after else b""
    until = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < until:
        time.sleep(0.005)
    return first


def kill_at_random(mpi: MPI, times: int, seed: int) -> int:
    """Return how many trainings hang, differ, or leave a rank or a damaged checkpoint."""
    rng, wrong = random.Random(seed), 0
    statuses: Counter[int] = Counter()
    states: Counter[str] = Counter()
    longest = 0.0
    with place(mpi) as where:
        expected = where.finish()
        began = time.monotonic()
        where.clear()
        where.train(2)
        duration = time.monotonic() - began
        where.clear()
        for number in range(times):
            ranks, instant = rng.choice((2, 2, 4)), duration * rng.random()
            target = rng.choice(("mpiexec", *range(ranks)))
            signals = [rng.choice(SIGNALS) for _ in range(rng.choice((1, 1, 1, 2)))]
            if target == "mpiexec" and signal.SIGSTOP in signals:
                continue  # ranks go on, and wait for nobody

            ended = where.train(
                ranks,
                "--resume",
                act=partial(send, signals, target),
                when=partial(wait, instant, signal.SIGSTOP in signals),  # watched from then on
                program=where.program("impatient"),
                within=LONGEST if signals[-1] == signal.SIGUSR1 else SOON,
            )
            statuses[ended.status] += 1
            states[ended.state] += 1
            longest = max(longest, ended.seconds)
            names = [each.name for each in signals]
            title = f"{number}: {ranks} ranks, {' '.join(names)} to {target} at {instant:.2f} s"
            print(f"\r{title}: {ended.status}\x1b[K", end="", file=sys.stderr, flush=True)
            problems = [] if ended.status in STOPPED | BY_LAUNCHER else [f"status {ended.status}"]
            problems += ["still there"] * (ended.status == HANGS) + ["left"] * ended.survivors
            problems += ["traceback"] * any("Traceback" in line for line in ended.err)
            if ended.state not in ("none", "saved"):
                problems.append(f"checkpoint: {ended.state}")
            if ended.state == "saved" and number % RESUMED_EVERY == 0:
                problems += differing(where.finish(), expected)
                where.clear()
            if ended.status == 0:
                where.clear()
            if problems:
                wrong += 1
                print(title, problems, *ended.err, sep="\n    ", flush=True)
    found = ", ".join(f"{status}: {count}" for status, count in sorted(statuses.items()))
    print(
        f"{mpi.title}: {sum(statuses.values())} trainings with random signals, all gone after "
        f"{longest:.1f} s at most; statuses {found}; checkpoints {dict(states)}: {wrong} wrong",
        flush=True,
    )
    return wrong
