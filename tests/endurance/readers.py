"""Read a model again and again while it is rewritten: each read must give one complete model.

python tests/endurance/readers.py [--times 1000]
"""

import argparse
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from digitnet.errors import CheckpointError
from digitnet.model.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from digitnet.network.network import Network

CLASSES = tuple("0123456789")
CONFIG = {
    "network": {"layer_sizes": [784, 60, 10], "activation": "relu", "output": "softmax"},
    "cost": "cross_entropy",
}


def write(path: str, number: int) -> None:
    """Save a model whose parameters all equal `number`."""
    network = Network([784, 60, 10], activation="relu", output="softmax", cost="cross_entropy")
    network.parameters[:] = number
    state = {"parameters": np.full_like(network.parameters, number)}
    save_checkpoint(path, Checkpoint(network, CONFIG, CLASSES, "data", "hash", [], state))


def is_whole(path: str) -> bool:
    """Return whether a model can be read and all its parameters are of the same version."""
    try:
        checkpoint = load_checkpoint(path, with_state=True)
    except CheckpointError as error:
        print(error)
        return False
    numbers = np.concatenate([checkpoint.network.parameters, checkpoint.state["parameters"]])
    return bool((numbers == numbers[0]).all())


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--times", type=int, default=1000)
    parser.add_argument("--write", metavar="PATH", help="write the model instead of reading it")
    arguments = parser.parse_args()
    if arguments.write:
        for number in range(arguments.times):
            write(arguments.write, number)
        return
    with TemporaryDirectory() as folder:
        path = str(Path(folder) / "model.npz")
        write(path, 0)
        command = [sys.executable, __file__, "--times", str(arguments.times), "--write", path]
        loads = failures = 0
        with subprocess.Popen(command) as writer:
            while writer.poll() is None:
                loads += 1
                failures += not is_whole(path)
    print(f"{arguments.times} times rewritten, {loads} times read: {failures} failures")
    sys.exit(failures > 0 or writer.returncode != 0 or loads < arguments.times / 100)


if __name__ == "__main__":
    main()
