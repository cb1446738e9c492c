"""Kill trainings at random instants and resume them: they must end like undisturbed trainings.

    python tests/endurance/kills.py [--kills 200] [--seed 1] [KIND]...

Exit status: 1 if a checkpoint is unreadable or a training differs.
"""

import argparse
import itertools
import os
import random
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from configs import CONFIGS, DIGITNET, contents, differing, folder_of_configs
from digitnet.errors import CheckpointError
from digitnet.model.checkpoint import load_checkpoint

WRITING_SECONDS = 0.005  # about the time to write a checkpoint of CONFIGS


@dataclass
class Tally:
    """Counts so far."""

    kills: int = 0
    while_writing: int = 0  # kills while a checkpoint was written
    resumed: int = 0  # checkpoints found after a kill
    within_an_epoch: int = 0  # checkpoints from within an epoch
    finished: int = 0  # trainings
    unreadable: int = 0
    differing: int = 0

    @property
    def lost(self) -> int:
        return self.unreadable + self.differing


def command(folder: Path, title: str, output: Path) -> list[str]:
    config = str(folder / f"{title}.yaml")
    return [DIGITNET, "train", "-q", "--resume", "--config", config, "-o", str(output)]


def killed(training: list[str], output: Path, seconds: float, rng: random.Random) -> bool:
    """Start a training and kill it at a random instant within `seconds`.

    Every other kill comes up to WRITING_SECONDS after the next checkpoint has begun. Returns False
    if the training had ended before.
    """
    with subprocess.Popen(training) as process:
        wait(process, seconds * rng.random())
        if rng.random() < 0.5:
            before = files(output)
            while process.poll() is None and files(output) == before:
                pass
            wait(process, WRITING_SECONDS * rng.random())
        process.kill()
    if process.returncode > 0:
        raise RuntimeError(f"{' '.join(training)}: exit status {process.returncode}")
    return process.returncode < 0


def files(output: Path) -> list[tuple[int, int] | None]:
    """Return inode and time of the output and its temporary file, which change with each write."""
    found: list[tuple[int, int] | None] = []
    for path in (f"{output}.tmp", output):
        try:
            status = os.stat(path)
            found.append((status.st_ino, status.st_mtime_ns))
        except FileNotFoundError:
            found.append(None)
    return found


def wait(process: "subprocess.Popen[bytes]", seconds: float) -> None:
    """Wait for `seconds`, or until the process ends."""
    until = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < until:
        time.sleep(min(0.001, max(until - time.monotonic(), 0)))


def check(output: Path, tally: Tally) -> None:
    """Count the checkpoint that a kill has left."""
    tally.while_writing += os.path.exists(f"{output}.tmp")
    if not output.exists():
        return
    tally.resumed += 1
    try:
        place = str(load_checkpoint(output, with_state=True).state["place"])
    except CheckpointError as error:
        print(error)
        tally.unreadable += 1
        output.unlink()
        return
    tally.within_an_epoch += '"step":0,' not in place


class Victim:
    """A training of one kind, killed and resumed until it finishes, then started again."""

    def __init__(self, folder: Path, title: str, tally: Tally) -> None:
        self.title, self.tally = title, tally
        self.output = folder / f"{title}.npz"
        self.training = command(folder, title, self.output)
        begun = time.monotonic()
        self.finish()
        self.seconds = time.monotonic() - begun
        self.expected = contents(self.output)
        self.output.unlink()

    def suffer(self, rng: random.Random) -> None:
        """Kill the training once, or compare it if it has finished."""
        if killed(self.training, self.output, self.seconds, rng):
            self.tally.kills += 1
            check(self.output, self.tally)
        else:
            self.compare()

    def finish(self) -> None:
        """Train to the end."""
        subprocess.run(self.training, check=True)

    def compare(self) -> None:
        """Compare the finished training with an undisturbed one, count, and delete it."""
        self.tally.finished += 1
        names = differing(contents(self.output), self.expected)
        names += [path.name for path in self.output.parent.glob(f"{self.output.name}.*")]
        if names:
            print(f"{self.title}: {', '.join(names)} differ")
            self.tally.differing += 1
        self.output.unlink()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("kinds", nargs="*", choices=[[], *CONFIGS], help="default: all kinds")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    rng, tally = random.Random(arguments.seed), Tally()
    with folder_of_configs() as folder:
        victims = [Victim(folder, title, tally) for title in arguments.kinds or CONFIGS]
        for victim in itertools.cycle(victims):
            if tally.kills >= arguments.kills:
                break
            victim.suffer(rng)
        for victim in victims:
            victim.finish()
            victim.compare()
    print(
        f"{tally.kills} kills, {tally.while_writing} of them while a checkpoint was written; "
        f"{tally.resumed} checkpoints, {tally.within_an_epoch} from within an epoch; "
        f"{tally.finished} trainings of {len(victims)} kinds finished\n"
        f"{tally.unreadable} unreadable checkpoints, {tally.differing} trainings that differ"
    )
    sys.exit(tally.lost > 0)


if __name__ == "__main__":
    main()
