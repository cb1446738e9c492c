"""Measure how large minibatches and learning rates change the accuracy on validation.

    python tests/benchmarks/large_minibatches.py [--distort] [--epochs 27] [--seeds 1 2 3]

Train the network of configs/default.yaml on MNIST with its L2 and batch normalisation, with its
distortions if --distort is given, without synthetic pictures; hold out 5,000 training pictures. The
learning rate is default.yaml's times a factor: the factor of the minibatch (linear scaling, Goyal
and others 2017), its square root, or values between them. Each minibatch has shards of 128
pictures. One process trains, because any number of ranks gives the same bits.

Print a line for each training, then the accuracies after the last epoch as a Markdown table: mean
and sample standard deviation over the seeds.
"""

import argparse
import json
import math
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

REPOSITORY = Path(__file__).parent.parent.parent
DIGITNET = str(Path(sys.executable).with_name("digitnet"))
SMALL, RATE = 128, 0.1  # minibatch and learning rate of default.yaml
WARMUP = 0.1  # share of the training
DISTORTIONS = [f"augment.{kind}" for kind in ("rotation", "scale", "shear", "shift", "elastic")]


class Setting(NamedTuple):
    """A minibatch, the factor of the learning rate, the share of the warm-up."""

    minibatch: int
    rule: str
    factor: float
    warmup: float = WARMUP

    def __str__(self) -> str:
        rate = f"{RATE * self.factor:.3g}"
        return f"{self.minibatch:,} | {self.minibatch // SMALL} | {self.rule} | {rate}" + (
            f" | {self.warmup:g}"
        )


SETTINGS = [
    Setting(128, "1", 1, warmup=0),
    Setting(1024, "√8", math.sqrt(8)),
    Setting(1024, "8", 8),
    Setting(4096, "16", 16),
    Setting(4096, "32", 32),
]


def accuracy(setting: Setting, epochs: int, seed: int, *, distort: bool) -> float:
    """Return the accuracy on validation after the last epoch, in percent."""
    values: dict[str, Any] = {} if distort else dict.fromkeys(DISTORTIONS, 0)
    values |= {
        "data.path": REPOSITORY / "data" / "mnist",
        "data.validation": 5000,
        "training.background": 0,
        "training.drawn": 0,
        "training.landscape": "false",
        "training.threads": 1,
        "training.epochs": epochs,
        "training.minibatch_size": setting.minibatch,
        "training.shards": setting.minibatch // SMALL,
        "training.optimizer.learning_rate": RATE * setting.factor,
        "training.schedule.warmup": setting.warmup,
        "seed": seed,
    }
    overrides = [word for key, value in values.items() for word in ("--set", f"{key}={value}")]
    config = str(REPOSITORY / "configs" / "default.yaml")
    with tempfile.TemporaryDirectory() as folder:
        output = f"{folder}/model.npz"
        command = [DIGITNET, "train", "--config", config, *overrides, "-o", output]
        command += ["-q", "--format", "json"]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    *_, last, _ = map(json.loads, done.stdout.splitlines())
    return 100 * float(last["validation"]["accuracy"])


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the accuracy of large minibatches.")
    parser.add_argument("--distort", action="store_true", help="with default.yaml's distortions")
    parser.add_argument("--epochs", type=int, default=27, help="default: %(default)s")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3], help="default: 1 2 3")
    arguments = parser.parse_args()
    found: dict[Setting, list[float]] = {setting: [] for setting in SETTINGS}
    for seed in arguments.seeds:
        for setting, accuracies in found.items():
            distort = arguments.distort
            accuracies.append(accuracy(setting, arguments.epochs, seed, distort=distort))
            print(f"seed {seed} | {setting} | {accuracies[-1]:.2f} %", flush=True)
    print("\n| minibatch | shards | learning rate × | learning rate | warm-up | validation |")
    print("|---|---|---|---|---|---|")
    for setting, accuracies in found.items():
        spread = f" ± {statistics.stdev(accuracies):.2f}" if len(accuracies) > 1 else ""
        print(f"| {setting} | {statistics.mean(accuracies):.2f}{spread} % |")


if __name__ == "__main__":
    main()
