"""Stop the training of a large network at random instants and measure how soon it has saved.

python tests/endurance/stops.py [--times 10]
"""

import argparse
import random
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from configs import DIGITNET, MNIST
from digitnet.model.checkpoint import load_checkpoint

SOON = 2.0  # seconds
CONFIG = f"""\
data: {{path: {MNIST}, validation: 50000}}
network:
  layer_sizes: [784, 2500, 2000, 1500, 1000, 500, 10]
  activation: relu
  output: softmax
cost: cross_entropy
training:
  minibatch_size: 128
  threads: 2
  optimizer: {{name: sgd, learning_rate: 0.02, momentum: 0.9}}
"""


def stop(folder: Path, seconds: float) -> float:
    """Stop a training `seconds` after its first step; return the seconds until it ended."""
    output = folder / "model.npz"
    command = [DIGITNET, "train", "-v", "--config", str(folder / "large.yaml"), "-o", str(output)]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        process.stderr.readline()
        time.sleep(seconds)
        signalled = time.monotonic()
        process.terminate()
        process.wait()
        took = time.monotonic() - signalled
    if process.returncode != 143 or not load_checkpoint(output, with_state=True).state:
        raise RuntimeError(f"exit status {process.returncode} after {seconds:.2f} s")
    output.unlink()
    return took


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--times", type=int, default=10)
    times, rng = parser.parse_args().times, random.Random(1)
    with TemporaryDirectory() as name:
        (Path(name) / "large.yaml").write_text(CONFIG)
        took = [stop(Path(name), 15 * rng.random()) for _ in range(times)]
    late = sum(seconds > SOON for seconds in took)
    print(f"{times} times stopped and saved, after {max(took):.2f} s at most: {late} times late")
    sys.exit(late > 0)


if __name__ == "__main__":
    main()
