"""How well digits, numbers and pages are read: of a folder of your own, and made-up sheets.

    python tests/benchmarks/rows.py FOLDER

FOLDER has the subfolders `single` (one digit), `nondigit`, `row` (a number a picture) and `page`
(numbers, rows from top to bottom), each with a `labels.tsv`: a file's name, a tab, what is on it. A
source is what names have before their first `-`. Beside them, sheets of MNIST's test digits, 10 or
25 a row.
"""

import resource
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from digitnet.checkpoint import SHIPPED
from digitnet.dataset import read_data
from digitnet.errors import ImageError
from digitnet.numbers import Number
from digitnet.prediction import Model, load

DATA = Path(__file__).parents[2] / "data"
CELL = 28  # pixels of a digit's cell, before it is enlarged


def labelled(folder: Path) -> Iterator[tuple[Path, str]]:
    for line in (folder / "labels.tsv").read_text().splitlines():
        name, label = line.split("\t")
        yield folder / name, label


def likeliest(numbers: tuple[Number, ...]) -> list[str]:
    """The numbers with the likeliest digit where one is doubtful."""
    return ["".join(str(one.probabilities.argmax()) for one in n.digits) for n in numbers]


def read(model: Model, path: Path | Image.Image, digits: int | None) -> tuple[Number, ...]:
    try:
        return model.read_numbers(path, digits).numbers
    except ImageError:
        return ()


def tell_single(model: Model, folder: Path) -> None:
    print(f"{'source':<8}{'n':>5}{'right':>7}{'?':>7}{'wrong':>7}{'likeliest':>11}")
    counts: dict[str, np.ndarray] = defaultdict(lambda: np.zeros(5, int))
    for path, label in labelled(folder):
        try:
            answer = model.predict(path)
            digit, likeliest = str(answer.digit), str(answer.top(1)[0][0])
        except ImageError:
            digit = likeliest = "None"
        unsure, right = digit == "None", digit == label
        found = 1, right, unsure, not (right or unsure), likeliest == label
        for source in (path.name.partition("-")[0], "all"):
            counts[source] += found
    for source in sorted(counts, key=lambda source: (source == "all", source)):
        n, right, unsure, wrong, best = counts[source]
        print(f"{source:<8}{n:>5}{right:>7}{unsure:>7}{wrong:>7}{best:>11}")


def tell_rows(model: Model, folder: Path) -> None:
    print(f"{'source':<8}{'n':>5}{'any':>7}{'among':>7}{'with N':>8}{'wrong, sure':>13}")
    counts: dict[str, np.ndarray] = defaultdict(lambda: np.zeros(5, int))
    for path, label in labelled(folder):
        every, one = read(model, path, None), read(model, path, len(label))
        texts, exact = likeliest(every), likeliest(one) == [label]
        is_sure = bool(one) and "?" not in one[0].text
        found = 1, texts == [label], label in texts, exact, is_sure and not exact
        for source in (path.name.partition("-")[0], "all"):
            counts[source] += found
    for source in sorted(counts, key=lambda source: (source == "all", source)):
        n, whole, among, exact, wrong = counts[source]
        print(f"{source:<8}{n:>5}{whole:>7}{among:>7}{exact:>8}{wrong:>13}")


def edits(one: str, other: str) -> int:
    """Levenshtein's distance: the least digits to put in, take out or change."""
    costs = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        before, costs[0] = costs[0], i
        for j, b in enumerate(other, 1):
            before, costs[j] = costs[j], min(costs[j] + 1, costs[j - 1] + 1, before + (a != b))
    return costs[-1]


def tell_page(model: Model, name: str, page: Path | Image.Image, label: str) -> None:
    begun = time.process_time()
    text = "".join(likeliest(read(model, page, None)))
    seconds, digits = time.process_time() - begun, label.replace(" ", "")
    errors = edits(text, digits) / len(digits)
    print(f"{name:<24}{len(digits):>6} digits{errors:>9.1%} wrong{seconds:>7.1f} s", flush=True)


def sheet(rows: int, columns: int, scale: int) -> tuple[Image.Image, str]:
    """MNIST's test digits in rows on a sheet, moved a little, and what they are."""
    test = read_data(DATA / "mnist").test
    assert test is not None
    rng = np.random.default_rng(1)
    chosen = rng.permutation(len(test))[: rows * columns].reshape(rows, columns)
    page = np.zeros((rows * 2 * CELL, (columns + 1) * CELL), np.uint8)
    for y, row in enumerate(chosen):
        for x, index in enumerate(row):
            top = y * 2 * CELL + CELL // 2 + rng.integers(-3, 4)
            left = x * CELL + CELL // 2 + rng.integers(-2, 3)
            part = page[top : top + CELL, left : left + CELL]
            np.maximum(part, test.images[index], out=part)
    paper = Image.fromarray(255 - page)
    label = " ".join("".join(map(str, test.labels[row])) for row in chosen)
    return paper.resize(
        (paper.width * scale, paper.height * scale), Image.Resampling.BICUBIC
    ), label


def main(folder: str | None = None) -> None:
    model = load(SHIPPED)
    if folder:
        for kind in ("single", "nondigit"):
            tell_single(model, Path(folder) / kind)
        tell_rows(model, Path(folder) / "row")
        for path, label in labelled(Path(folder) / "page"):
            tell_page(model, path.name, path, label)
    tell_page(model, "sheet of 100", *sheet(10, 10, 3))
    picture, label = sheet(46, 25, 4)
    tell_page(model, f"sheet of {picture.width}×{picture.height}", picture, label)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"peak memory {peak} MB")


if __name__ == "__main__":
    main(*sys.argv[1:2])
