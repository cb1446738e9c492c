"""Measure the peak memory of eight processes that read large pictures at once.

    python tests/endurance/memory.py [--pictures 24]

Sums the resident memory of all processes a hundred times a second; shared pages count once per
process. Exit status 1 above 2 GB in all, or above 512 MB for one process.
"""

import argparse
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image, ImageDraw

from digitnet.errors import ImageError
from digitnet.image import workers

PROCESSES = 8
MAX_EACH, MAX_TOTAL = 512, 2048  # MB
KINDS = {  # about the largest pictures allowed
    "48.png": (6900, 7000, "RGBA"),
    "22.jp2": (4800, 4700, "RGB"),
    "64.jp2": (8000, 8000, "RGB"),
    "64.bmp": (8000, 8000, "RGB"),
    "25.webp": (5000, 5000, "RGB"),
    "64.jpg": (8000, 8000, "RGB"),
}


def draw(path: Path, width: int, height: int, mode: str) -> None:
    image = Image.new(mode, (width, height), "white")
    points = [
        (0.3 * width, 0.2 * height),
        (0.7 * width, 0.2 * height),
        (0.45 * width, 0.8 * height),
    ]
    ImageDraw.Draw(image).line(points, fill="black", width=width // 20)
    options = {"progressive": True} if path.suffix == ".jpg" else {}
    image.save(path, **options)


def memory(process: int, name: str) -> int:
    """Return a memory figure of a process in MB; 0 if the process has ended."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0
    found = re.search(rf"{name}:\s*(\d+)", status)
    return int(found[1]) >> 10 if found else 0


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pictures", type=int, default=24)
    parser.add_argument("--draw", metavar="FOLDER", help="only draw the pictures")
    arguments = parser.parse_args()
    if arguments.draw:
        for name, kind in KINDS.items():
            draw(Path(arguments.draw) / name, *kind)
        return
    crew, ended, most = workers.Workers(PROCESSES), threading.Event(), 0
    assert crew._started()
    processes = [os.getpid(), *(process.pid for process in crew._processes)]

    def watch() -> None:
        nonlocal most
        while not ended.is_set():
            most = max(most, sum(memory(process, "VmRSS") for process in processes))
            time.sleep(0.01)

    with TemporaryDirectory() as folder:
        subprocess.run([sys.executable, __file__, "--draw", folder], check=True)
        paths = [f"{folder}/{name}" for name in KINDS] * arguments.pictures
        workers.ALONE = -1
        watcher = threading.Thread(target=watch)
        watcher.start()
        named = [(path, path) for path in paths[: arguments.pictures]]
        results = [result for portion in crew.prepare(named) for _, result in portion]
        ended.set()
        watcher.join()
    each = max(memory(process, "VmHWM") for process in processes)
    crew.close()
    unread = sum(isinstance(result, ImageError) for result in results)
    print(f"{len(results)} pictures, {unread} unread: one process {each} MB, all {most} MB at most")
    sys.exit(each > MAX_EACH or most > MAX_TOTAL or unread > 0)


if __name__ == "__main__":
    main()
