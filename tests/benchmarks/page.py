"""Measure how fast the report's page answers a stroke: `python tests/benchmarks/page.py`.

Draws digits with the mouse on the pages of two networks: the model that ships, and
784-2500-2000-1500-1000-500-10 with random parameters. Prints the milliseconds of work in a frame,
from reading the pad to the drawn network, over all frames with a stroke in them.
"""

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))

import msgspec
import numpy as np
from browser.chromium import DESKTOP, chromium
from browser.drawings import digits, rounded
from browser.hand import draw

from digitnet.config.reader import to_config
from digitnet.model.checkpoint import Checkpoint, save_checkpoint
from digitnet.network.network import Network

REPOSITORY = Path(__file__).absolute().parents[2]
DIGITNET = Path(sys.executable).with_name("digitnet")
LARGEST = [784, 2500, 2000, 1500, 1000, 500, 10]
TARGETS = {"shipped": 16, "largest": 50}  # ms: the median
DRAWN = 20  # digits
DURATIONS = 'performance.getEntriesByName("digitnet: stroke").map((each) => each.duration)'


def write_largest(path: Path) -> None:
    """Write a checkpoint of the largest network with random parameters."""
    network = Network(LARGEST, activation="relu", output="softmax", cost="cross_entropy")
    network.initialise(rng=np.random.default_rng(1))
    values = {
        "data": {"path": str(REPOSITORY / "data" / "mnist")},
        "network": {"layer_sizes": LARGEST, "activation": "relu", "output": "softmax"},
        "cost": "cross_entropy",
    }
    config = msgspec.to_builtins(to_config(values))
    names = tuple("0123456789")
    save_checkpoint(str(path), Checkpoint(network, config, names, "/", "", []))


def measure(page_path: Path) -> list[float]:
    """Return the work in each frame of drawing, in ms."""
    with chromium() as browser:
        page = browser.new_page(offline=True, viewport=DESKTOP)
        page.goto(page_path.as_uri())
        page.locator("#clear").click()
        page.evaluate("performance.clearMeasures()")
        for _, drawing in digits(DRAWN, seed=1):
            draw(page, [rounded(stroke) for stroke in drawing])
        durations: list[float] = page.evaluate(DURATIONS)
    return sorted(durations)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_largest(folder / "largest.npz")
        for model, target in TARGETS.items():
            named = model if model == "shipped" else folder / f"{model}.npz"
            path = folder / f"{model}.html"
            data = REPOSITORY / "data" / "mnist"
            command = [DIGITNET, "report", "-m", named, "--data", data, "-o", path]
            subprocess.run(command, check=True, capture_output=True)
            work = measure(path)
            print(
                f"{model}: median {statistics.median(work):.1f} ms (target {target}), "
                f"95 % below {work[int(0.95 * len(work))]:.1f}, at most {work[-1]:.1f}, "
                f"{len(work)} frames, page {path.stat().st_size / 1e6:.1f} MB"
            )


if __name__ == "__main__":
    main()
