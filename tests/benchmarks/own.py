"""Measure how well `own.yaml` learns a hand: `python tests/benchmarks/own.py START PART...`.

START: `shipped` or a model. PART: `test` or `train` of data/scans. For each writer of the parts and
each seed, some scans of each digit are learned from, the writer's other scans are the test set.
Prints wrong answers and `?` before and after, on the writer's test set and on MNIST's test digits.
"""

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).absolute().parent.parent.parent
SCANS, MNIST = REPOSITORY / "data" / "scans", REPOSITORY / "data" / "mnist"
DIGITNET = Path(sys.executable).with_name("digitnet")
SEEDS = (1, 2, 3)


def run(*arguments: str | Path) -> list[dict[str, Any]]:
    """Run digitnet and return the objects of its JSON output."""
    command = [DIGITNET, *arguments, "--format", "json"]
    done = subprocess.run(command, capture_output=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def wrong(model: str | Path, data: Path) -> tuple[int, int]:
    """Return the number of wrong answers on labelled pictures, and how many answers are `?`."""
    (result,) = run("evaluate", "-m", model, "--data", data)
    return round((1 - result["accuracy"]) * result["images"]), result["doubtful"]


def writers(part: str) -> list[str]:
    return sorted({path.name.partition("-")[0] for path in (SCANS / part / "0").iterdir()})


def divide(part: str, writer: str, each: int, seed: int, folder: Path) -> None:
    """Link `each` scans of each digit by a writer to `learn`, and the others to `test`."""
    rng = random.Random(seed)
    for digit in map(str, range(10)):
        scans = sorted((SCANS / part / digit).glob(f"{writer}-*"))
        rng.shuffle(scans)
        for position, scan in enumerate(scans):
            target = folder / ("learn" if position < each else "test") / digit / scan.name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(scan)


def measure(start: str, part: str, writer: str, options: argparse.Namespace) -> Iterator[list[Any]]:
    """Yield a row of figures per seed."""
    for seed in SEEDS:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            divide(part, writer, options.each, seed, folder)
            before = wrong(start, folder / "test")
            values = [f"start={start}", f"data.path={folder / 'learn'}", f"seed={seed}"]
            settings = [text for value in values + options.set for text in ("--set", value)]
            model, begun = folder / "own.npz", time.perf_counter()
            run("train", "--config", REPOSITORY / "configs" / "own.yaml", "-o", model, *settings)
            seconds = time.perf_counter() - begun
            after, mnist = wrong(model, folder / "test"), wrong(model, MNIST)
            yield [*before, *after, *mnist, seconds]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("start")
    parser.add_argument("parts", nargs="+", choices=["test", "train"])
    parser.add_argument("--each", type=int, default=5, help="scans of each digit to learn from")
    parser.add_argument("--set", action="append", default=[], help="KEY=VALUE for train")
    options = parser.parse_args()
    before = wrong(options.start, MNIST)
    print(f"MNIST before: {before[0]} wrong, {before[1]} ?")
    print("writer  wrong before -> after       ? before -> after   MNIST wrong   MNIST ?   seconds")
    for part in options.parts:
        for writer in writers(part):
            rows = list(measure(options.start, part, writer, options))
            columns = [spread(column) for column in zip(*rows)]
            print(
                f"{writer:>6}  {columns[0]} -> {columns[2]}  {columns[1]} -> {columns[3]}  "
                f"{columns[4]}  {columns[5]}  {columns[6]}",
                flush=True,
            )


def spread(values: tuple[float, ...]) -> str:
    return f"{statistics.mean(values):.1f} ± {statistics.stdev(values):.1f}"


if __name__ == "__main__":
    main()
