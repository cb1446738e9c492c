"""Predict many pictures in parts, two at a time, kill one and resume it: nothing may differ.

    python tests/endurance/parts.py [--pictures 1000000] [--parts 8] [--seed 1]

A list names MNIST's first 999 test digits, as small PNGs, and a missing picture again and again.
One part is killed when it has answered about half of its pictures. The answers of all parts,
joined, must be those of a single run, byte for byte.

Exit status: 1 if they differ, or if a part fails.
"""

import argparse
import filecmp
import random
import resource
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

sys.path.insert(0, str(Path(__file__).parent.parent))
from conftest import DIGITNET, read_mnist

BYTES = 680  # of an answer in JSON, on average


def draw(folder: Path, pictures: int) -> None:
    """Write the pictures, and `list` with their paths."""
    images, _ = read_mnist("t10k", 999)
    for number, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{number:03}.png")
    names = [f"{number:03}.png" for number in range(999)] + ["missing.png"]
    with open(folder / "list", "w") as file:
        file.writelines(f"{names[number % len(names)]}\n" for number in range(pictures))


class Runs:
    """Runs of `predict` on the list of a folder."""

    def __init__(self, folder: Path, parts: int) -> None:
        self.folder, self.parts = folder, parts

    def start(self, output: str, *options: str) -> "subprocess.Popen[bytes]":
        command = [DIGITNET, "predict", "-m", "shipped", "--files-from", "list", "--format", "json"]
        with open(self.folder / f"{output}.log", "ab") as log:
            return subprocess.Popen(
                [*command, "-o", output, *options], stdout=log, stderr=log, cwd=self.folder
            )

    def part(self, k: int) -> int:
        """Answer a part; return the exit status."""
        return self.start(f"{k}.json", "--part", f"{k}/{self.parts}", "--resume").wait()

    def killed_part(self, k: int, pictures: int) -> int:
        """Kill a part after about `pictures` answers; return how many it leaves."""
        output = self.folder / f"{k}.json"
        unfinished = Path(f"{output}.unfinished")
        while True:
            process = self.start(output.name, "--part", f"{k}/{self.parts}")
            while process.poll() is None:
                if unfinished.exists() and unfinished.stat().st_size > pictures * BYTES:
                    process.kill()
                time.sleep(0.002)
            if process.returncode < 0:
                return unfinished.read_bytes().count(b"\n")
            output.unlink()  # it was too fast


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pictures", type=int, default=1_000_000)
    parser.add_argument("--parts", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    pictures, parts = arguments.pictures, arguments.parts
    victim = random.Random(arguments.seed).randint(1, parts)
    with TemporaryDirectory() as name, ThreadPoolExecutor(2) as two:
        folder = Path(name)
        draw(folder, pictures)
        runs = Runs(folder, parts)
        left = two.submit(runs.killed_part, victim, pictures // parts // 2)
        others = [k for k in range(1, parts + 1) if k != victim]
        statuses = list(two.map(runs.part, others))
        kept = left.result()
        statuses.append(runs.part(victim))
        resumed = f"goes on after {kept:,} answers" in (folder / f"{victim}.json.log").read_text()
        before, begun = cpu_seconds(), time.monotonic()
        status = runs.start("whole.json").wait()
        seconds, spent = time.monotonic() - begun, cpu_seconds() - before
        with open(folder / "joined.json", "wb") as joined:
            for k in range(1, parts + 1):
                with open(folder / f"{k}.json", "rb") as answers:
                    shutil.copyfileobj(answers, joined)
        same = filecmp.cmp(folder / "joined.json", folder / "whole.json", shallow=False)
        size = (folder / "whole.json").stat().st_size
    expected = 4 if pictures >= 1000 else 0
    print(
        f"{pictures:,} pictures in {parts} parts, part {victim} killed after {kept:,} answers and "
        f"{'resumed' if resumed else 'not resumed'}; joined: {size:,} bytes, "
        f"{'the same as' if same else 'other than'} a single run's\n"
        f"the single run: {seconds:,.0f} s, {1000 * spent / pictures:.2f} ms of CPU a picture"
    )
    sys.exit(not (same and kept and resumed and status == expected and {*statuses} <= {0, 4}))


def cpu_seconds() -> float:
    """Return the CPU time of all processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
