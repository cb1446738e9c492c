"""Measure test errors of configs over several seeds, and the duration of training.

    python tests/benchmarks/accuracy.py [CONFIG...]

Run the installed `digitnet train` for each config and seed, then `digitnet evaluate` on the test
sets of data/mnist and data/scans. Print a line for each seed, and a line with mean and sample
standard deviation over all seeds of a config. Without CONFIG, measure the configs in the README's
table of results.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

SEEDS = (1, 2, 3, 11, 12)
ROOT = Path(__file__).parent.parent.parent
DATA = ROOT / "data"
CONFIG_NAMES = ("3blue1brown", "nielsen", "default", "simard", "best")
CONFIGS = [os.path.relpath(ROOT / "configs" / f"{name}.yaml") for name in CONFIG_NAMES]
DIGITNET = str(Path(sys.executable).with_name("digitnet"))


class Result(NamedTuple):
    """error, calibration_error: percent, on MNIST. error_on_scans: percent. seconds: of training.

    The seconds include start-up and saving.
    """

    error: float
    calibration_error: float
    error_on_scans: float
    seconds: float


def measure(config: str, seed: int) -> Result:
    with tempfile.TemporaryDirectory() as folder:
        model = f"{folder}/model.npz"
        started = time.perf_counter()
        training = [DIGITNET, "train", "--config", config, "--set", f"seed={seed}", "-o", model]
        _output([*training, "-q"])
        seconds = time.perf_counter() - started
        mnist, scans = (_evaluate(model, str(DATA / name)) for name in ("mnist", "scans"))
    errors = (100 * (1 - evaluation["accuracy"]) for evaluation in (mnist, scans))
    error, error_on_scans = errors
    return Result(error, 100 * mnist["calibration_error"], error_on_scans, seconds)


def _evaluate(model: str, data: str) -> dict[str, float]:
    command = [DIGITNET, "evaluate", "-m", model, "--data", data, "--format", "json"]
    evaluation: dict[str, float] = json.loads(_output(command))
    return evaluation


def _output(command: list[str]) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def _line(config: str, seed: str, *figures: str) -> str:
    return f"{config:<26}{seed:>6}" + "".join(f"{figure:>20}" for figure in figures)


def main() -> None:
    print(_line("config", "seed", "test error, %", "calibration error", "on scans, %", "seconds"))
    for config in sys.argv[1:] or CONFIGS:
        results = []
        for seed in SEEDS:
            results.append(result := measure(config, seed))
            figures = [f"{figure:.2f}" for figure in result[:-1]]
            print(_line(config, str(seed), *figures, f"{result.seconds:.0f}"), flush=True)
        *figures, seconds = zip(*results)
        means = [_mean_and_spread(values) for values in figures]
        print(_line(config, "all", *means, f"{statistics.median(seconds):.0f}"), flush=True)


def _mean_and_spread(values: tuple[float, ...]) -> str:
    return f"{statistics.mean(values):.3f} ± {statistics.stdev(values):.3f}"


if __name__ == "__main__":
    main()
