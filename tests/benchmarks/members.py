"""Measure from how much work in a step on another process pays: WORK_PER_PROCESS.

    python tests/benchmarks/members.py [--rounds N]

Trains networks of several sizes with `training.threads` 1 and 2, in turns, on MNIST's digits. The
work is what `auto` goes by: multiplications in a step. With `threads: 1`, a second process gathers
minibatches. The machine needs two idle cores.
"""

import argparse
import statistics
from itertools import pairwise

from digitnet.config.threads import load_numpy

NETWORKS = (
    ([784, 30, 10], 10),
    ([784, 30, 10], 32),
    ([784, 100, 10], 10),
    ([784, 100, 10], 32),
    ([784, 128, 64, 10], 32),
    ([784, 100, 10], 128),
    ([784, 256, 128, 10], 64),
)


def seconds(sizes: list[int], minibatch: int, threads: int) -> float:
    """Return the seconds of the second epoch."""
    import digitnet

    config = {
        "data": {"path": "data/mnist", "validation": 1000},
        "network": {"layer_sizes": sizes, "activation": "relu", "output": "softmax"},
        "cost": "cross_entropy",
        "training": {
            "epochs": 2,
            "minibatch_size": minibatch,
            "optimizer": {"learning_rate": 0.02, "momentum": 0.9},
            "threads": threads,
            "landscape": False,
        },
    }
    *_, last = (progress.record for progress in digitnet.train(config) if progress.record)
    return last.seconds


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure when another process pays.")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="default: %(default)s")
    rounds = parser.parse_args().rounds
    load_numpy(1)
    print("| network | minibatch | work | threads: 1 | threads: 2 | ratio |")
    print("|---|---|---|---|---|---|")
    for sizes, minibatch in NETWORKS:
        work = 3 * minibatch * sum(n_in * n_out for n_in, n_out in pairwise(sizes))
        turns = [[seconds(sizes, minibatch, threads) for threads in (1, 2)] for _ in range(rounds)]
        one, two = map(statistics.median, zip(*turns))
        name = "-".join(map(str, sizes))
        row = f"{work / 1e6:.1f}M | {one:.2f} s | {two:.2f} s | {two / one:.2f} |"
        print(f"| {name} | {minibatch} | {row}", flush=True)


if __name__ == "__main__":
    main()
