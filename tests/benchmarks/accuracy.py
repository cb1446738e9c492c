"""Test error of configs over several seeds: mean and spread, and how long training takes.

    python tests/benchmarks/accuracy.py configs/*.yaml

Runs the installed `digitnet train` and `digitnet evaluate` for each config and seed, and prints a
line for each and one for all seeds of a config. The spread is the sample standard deviation.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

SEEDS = (1, 2, 3)
DIGITNET = str(Path(sys.executable).with_name("digitnet"))


class Result(NamedTuple):
    """error, calibration_error: on the test set, in percent. seconds: start-up and saving too."""

    error: float
    calibration_error: float
    seconds: float


def measure(config: str, seed: int) -> Result:
    with tempfile.TemporaryDirectory() as folder:
        model = f"{folder}/model.npz"
        started = time.perf_counter()
        training = [DIGITNET, "train", "--config", config, "--set", f"seed={seed}", "-o", model]
        _output([*training, "-q"])
        seconds = time.perf_counter() - started
        evaluation = json.loads(_output([DIGITNET, "evaluate", "-m", model, "--format", "json"]))
    error = 100 * (1 - evaluation["accuracy"])
    return Result(error, 100 * evaluation["calibration_error"], seconds)


def _output(command: list[str]) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def _line(config: str, what: str, error: str, calibration_error: str, seconds: float) -> str:
    return f"{config:<26}{what:>8}{error:>16}{calibration_error:>20}{seconds:>9.0f}"


def main() -> None:
    print(f"{'config':<26}{'seed':>8}{'test error, %':>16}{'calibration error':>20}{'seconds':>9}")
    for config in sys.argv[1:]:
        results = []
        for seed in SEEDS:
            results.append(result := measure(config, seed))
            error, calibration_error = f"{result.error:.2f}", f"{result.calibration_error:.2f}"
            print(_line(config, str(seed), error, calibration_error, result.seconds), flush=True)
        errors, calibration_errors, seconds = zip(*results)
        both = (_mean_and_spread(values) for values in (errors, calibration_errors))
        print(_line(config, "all", *both, statistics.median(seconds)), flush=True)


def _mean_and_spread(values: tuple[float, ...]) -> str:
    return f"{statistics.mean(values):.3f} ± {statistics.stdev(values):.3f}"


if __name__ == "__main__":
    main()
