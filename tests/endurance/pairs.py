"""Start two trainings at once on the same output: one must run, the other exit with status 75.

python tests/endurance/pairs.py [--times 50]
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

from configs import DIGITNET, folder_of_configs
from digitnet.errors import CheckpointError
from digitnet.model.checkpoint import load_checkpoint

BUSY, TERMINATED = 75, 143


def start(folder: Path, output: Path) -> "subprocess.Popen[bytes]":
    config = str(folder / "distortions.yaml")
    command = [DIGITNET, "train", "-q", "--config", config, "--set", "training.epochs=1000"]
    return subprocess.Popen([*command, "-o", str(output)], stderr=subprocess.PIPE)


def first_to_end(
    pair: "list[subprocess.Popen[bytes]]",
) -> "tuple[subprocess.Popen[bytes], subprocess.Popen[bytes]]":
    """Return the process that ends first, and the other one."""
    while all(process.poll() is None for process in pair):
        time.sleep(0.001)
    pair.sort(key=lambda process: process.returncode is None)
    return pair[0], pair[1]


def try_together(folder: Path) -> tuple[bool, float]:
    """Return whether all was well, and the seconds until the second training was refused."""
    output = folder / "pair.npz"
    begun = time.monotonic()
    loser, winner = first_to_end([start(folder, output), start(folder, output)])
    seconds = time.monotonic() - begun
    while winner.poll() is None and not output.exists():
        time.sleep(0.001)
    winner.terminate()
    messages = [process.communicate()[1] for process in (loser, winner)]
    is_ok = (loser.returncode, winner.returncode) == (BUSY, TERMINATED)
    is_ok = (
        is_ok and messages[0] == f"{output}: another training is writing it; try later\n".encode()
    )
    try:
        is_ok = is_ok and bool(load_checkpoint(output, with_state=True).state)
    except CheckpointError as error:
        print(error)
        is_ok = False
    if not is_ok:
        print(loser.returncode, winner.returncode, *messages)
    output.unlink(missing_ok=True)
    return is_ok, seconds


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--times", type=int, default=50)
    times = parser.parse_args().times
    with folder_of_configs() as folder:
        results = [try_together(folder) for _ in range(times)]
    passed = sum(is_ok for is_ok, _ in results)
    slowest = max(seconds for _, seconds in results)
    print(f"{times} pairs: {passed} times one ran and one was refused, after {slowest:.1f} s")
    sys.exit(passed < times)


if __name__ == "__main__":
    main()
