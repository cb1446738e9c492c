"""Disks that are too small: one line, status 1, the old model intact, no leftover files.

    python tests/endurance/full.py [--sizes 20]

Limits the size by `ulimit -f` and, if mounting is allowed, by a small tmpfs.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from configs import DIGITNET, folder_of_configs
from digitnet.errors import CheckpointError
from digitnet.model.checkpoint import load_checkpoint

BLOCK = 512  # bytes: the unit of `ulimit -f` in sh
PAGE = 4096  # bytes
FAST = ("--set", "training.minibatch_size=100")  # the size of the checkpoint is what matters


def old_model(folder: Path, output: Path) -> bytes:
    """Train a small model, less than a tenth of the size of its successor; return its bytes."""
    small = [*FAST, "--set", "network.layer_sizes=[784,10]", "--set", "training.epochs=1"]
    config = str(folder / "distortions.yaml")
    subprocess.run([DIGITNET, "train", "-q", "--config", config, *small, "-o", output], check=True)
    return output.read_bytes()


def ends_well(command: list[str], output: Path, old: bytes) -> bool:
    """Return whether a training on a small disk succeeds, or fails as it should."""
    done = subprocess.run(command, capture_output=True, check=False)
    left = os.listdir(output.parent)
    if done.returncode == 0:
        is_ok = _can_be_read(output)
    else:
        is_ok = (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, b"", 1)
        is_ok = is_ok and done.stderr.startswith(f"{output}: cannot be written: ".encode())
        is_ok = is_ok and output.read_bytes() == old
    is_ok = is_ok and left == [output.name]
    if not is_ok:
        print(done.returncode, done.stderr.decode(), left)
    output.write_bytes(old)
    return is_ok


def _can_be_read(path: Path) -> bool:
    try:
        return len(load_checkpoint(path, with_state=True).history) > 0
    except CheckpointError:
        return False


@contextmanager
def disk(folder: Path, size: int) -> Iterator[bool]:
    """Mount a tmpfs of `size` bytes at a folder; yield whether that was allowed."""
    options = ["-t", "tmpfs", "-o", f"size={size}", "none", str(folder)]
    allowed = subprocess.run(["mount", *options], capture_output=True, check=False).returncode == 0
    yield allowed
    if allowed:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", type=int, default=20)
    sizes = parser.parse_args().sizes
    limits, disks, passed = 0, 0, 0
    with folder_of_configs() as folder:
        place = folder / "place"
        place.mkdir()
        output = place / "model.npz"
        command = [DIGITNET, "train", "-q", "--config", str(folder / "distortions.yaml")]
        command += [*FAST, "--set", "training.epochs=1", "--overwrite", "-o", str(output)]
        old = old_model(folder, output)
        subprocess.run([*command[:-1], str(folder / "new.npz")], check=True)
        size = (folder / "new.npz").stat().st_size
        for number in range(sizes):
            bytes_there = size * number // sizes
            limit = f'ulimit -f {bytes_there // BLOCK}; exec "$@"'
            passed += ends_well(["sh", "-c", limit, "sh", *command], output, old)
            limits += 1
            with disk(place, len(old) + 2 * PAGE + bytes_there) as allowed:
                if allowed:
                    output.write_bytes(old)
                    passed += ends_well(command, output, old)
                    disks += 1
    mounts = f"{disks} full disks" if disks else "no disk could be mounted"
    print(f"{limits} limits on the size of a file, {mounts}: {passed} times all was well")
    sys.exit(passed < limits + disks)


if __name__ == "__main__":
    main()
