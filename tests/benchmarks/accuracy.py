"""Test accuracy of configs over several seeds: mean and spread, and how long training takes.

    python tests/benchmarks/accuracy.py configs/*.yaml

Runs the installed `digitnet train` and `digitnet evaluate` for each config and seed, and prints one
line per config. The spread is the sample standard deviation.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SEEDS = (1, 2, 3)
DIGITNET = str(Path(sys.executable).with_name("digitnet"))


def measure(config: str, seed: int) -> tuple[float, float]:
    """Test accuracy (0 to 1) and seconds, start-up and saving included, of one training."""
    with tempfile.TemporaryDirectory() as folder:
        model = f"{folder}/model.npz"
        started = time.perf_counter()
        training = [DIGITNET, "train", "--config", config, "--set", f"seed={seed}", "-o", model]
        _output([*training, "-q"])
        seconds = time.perf_counter() - started
        evaluation = json.loads(_output([DIGITNET, "evaluate", "-m", model, "--format", "json"]))
    return evaluation["accuracy"], seconds


def _output(command: list[str]) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def main() -> None:
    print(f"{'config':<28} test accuracy, seeds {', '.join(map(str, SEEDS))}")
    for config in sys.argv[1:]:
        accuracies, seconds = zip(*(measure(config, seed) for seed in SEEDS))
        each = ", ".join(f"{accuracy:.2%}" for accuracy in accuracies)
        print(
            f"{config:<28} {statistics.mean(accuracies):.2%} ± {statistics.stdev(accuracies):.2%} "
            f"({each}), {statistics.median(seconds):.0f} s each",
            flush=True,
        )


if __name__ == "__main__":
    main()
