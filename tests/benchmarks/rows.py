"""Measure how well digits, numbers and pages are read: in your own folder and on synthetic sheets.

    python tests/benchmarks/rows.py [FOLDER]

FOLDER has the subfolders `single` (a digit per picture), `nondigit`, `row` (a number per picture)
and `page` (numbers, rows from top to bottom). Each has a `labels.tsv` with lines of a file name, a
tab and the label. The part of a file name before the first `-` names its source. The synthetic
sheets show MNIST's test digits, 10 or 25 per row.
"""

import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from digitnet.dataset.reader import read_data
from digitnet.errors import ImageError
from digitnet.model.locations import SHIPPED
from digitnet.model.numbers import Number
from digitnet.model.prediction import Model, load

DATA = Path(__file__).parents[2] / "data"
CELL_SIDE = 28  # px of a digit's cell, before the sheet is enlarged


def read_labels(folder: Path) -> Iterator[tuple[Path, str]]:
    for line in (folder / "labels.tsv").read_text().splitlines():
        name, label = line.split("\t")
        yield folder / name, label


def likeliest_texts(numbers: tuple[Number, ...]) -> list[str]:
    """Return the numbers as text, with the likeliest digit in place of each `?`."""
    return ["".join(str(d.probabilities.argmax()) for d in n.digits) for n in numbers]


def read(model: Model, path: Path | Image.Image, digits: int | None) -> tuple[Number, ...]:
    try:
        return model.read_numbers(path, digits).numbers
    except ImageError:
        return ()


Counts = dict[str, np.ndarray]  # by source, and "all"


def add_counts(counts: Counts, path: Path, *found: bool) -> None:
    for source in (path.name.partition("-")[0], "all"):
        counts.setdefault(source, np.zeros(1 + len(found), int))
        counts[source] += np.array([True, *found])


def print_counts(counts: Counts, *columns: str) -> None:
    print(f"{'source':<8}{'n':>5}" + "".join(f"{column:>13}" for column in columns))
    for source in sorted(counts, key=lambda source: (source == "all", source)):
        n, *found = counts[source].tolist()
        print(f"{source:<8}{n:>5}" + "".join(f"{number:>13}" for number in found))


def print_single_digits(model: Model, folder: Path) -> None:
    counts: Counts = {}
    for path, label in read_labels(folder):
        try:
            answer = model.predict(path)
            digit, best = str(answer.digit), str(answer.top(1)[0][0])
        except ImageError:
            digit = best = "None"
        unsure, right = digit == "None", digit == label
        add_counts(counts, path, right, unsure, not (right or unsure), best == label)
    print_counts(counts, "right", "?", "wrong", "likeliest")


def print_rows(model: Model, folder: Path) -> None:
    counts: Counts = {}
    for path, label in read_labels(folder):
        all_numbers, with_n = read(model, path, None), read(model, path, len(label))
        texts, exact = likeliest_texts(all_numbers), likeliest_texts(with_n) == [label]
        is_sure = bool(with_n) and "?" not in with_n[0].text
        add_counts(counts, path, texts == [label], label in texts, exact, is_sure and not exact)
    print_counts(counts, "any", "among", "with N", "wrong, sure")


def levenshtein(first: str, second: str) -> int:
    """Return Levenshtein's distance: the smallest number of insertions, deletions and changes."""
    costs = list(range(len(second) + 1))
    for i, a in enumerate(first, 1):
        diagonal, costs[0] = costs[0], i
        for j, b in enumerate(second, 1):
            diagonal, costs[j] = costs[j], min(costs[j] + 1, costs[j - 1] + 1, diagonal + (a != b))
    return costs[-1]


def print_page(model: Model, name: str, page: Path | Image.Image, label: str) -> None:
    started = time.process_time()
    text = "".join(likeliest_texts(read(model, page, None)))
    seconds, digits = time.process_time() - started, label.replace(" ", "")
    errors = levenshtein(text, digits) / len(digits)
    print(f"{name:<24}{len(digits):>6} digits{errors:>9.1%} wrong{seconds:>7.1f} s", flush=True)


def sheet(rows: int, columns: int, scale: int) -> tuple[Image.Image, str]:
    """Return a sheet with rows of MNIST's test digits, each shifted randomly, and its label."""
    test = read_data(DATA / "mnist").test
    assert test is not None
    rng = np.random.default_rng(1)
    chosen = rng.permutation(len(test))[: rows * columns].reshape(rows, columns)
    page = np.zeros((rows * 2 * CELL_SIDE, (columns + 1) * CELL_SIDE), np.uint8)
    for y, row in enumerate(chosen):
        for x, index in enumerate(row):
            top = y * 2 * CELL_SIDE + CELL_SIDE // 2 + rng.integers(-3, 4)
            left = x * CELL_SIDE + CELL_SIDE // 2 + rng.integers(-2, 3)
            part = page[top : top + CELL_SIDE, left : left + CELL_SIDE]
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
            print_single_digits(model, Path(folder) / kind)
        print_rows(model, Path(folder) / "row")
        for path, label in read_labels(Path(folder) / "page"):
            print_page(model, path.name, path, label)
    print_page(model, "sheet of 100", *sheet(10, 10, 3))
    picture, label = sheet(46, 25, 4)
    print_page(model, f"sheet of {picture.width}×{picture.height}", picture, label)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"peak memory {peak} MB")


if __name__ == "__main__":
    main(*sys.argv[1:2])
