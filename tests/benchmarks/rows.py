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
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from digitnet.dataset.reader import read_data
from digitnet.errors import ImageError
from digitnet.model.checkpoint import SHIPPED
from digitnet.model.numbers import Number
from digitnet.model.prediction import Model, load

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


Counts = dict[str, np.ndarray]  # by source, and of all


def count(counts: Counts, path: Path, *found: bool) -> None:
    for source in (path.name.partition("-")[0], "all"):
        counts.setdefault(source, np.zeros(1 + len(found), int))
        counts[source] += np.array([True, *found])


def tell_counts(counts: Counts, *columns: str) -> None:
    print(f"{'source':<8}{'n':>5}" + "".join(f"{column:>13}" for column in columns))
    for source in sorted(counts, key=lambda source: (source == "all", source)):
        n, *found = counts[source].tolist()
        print(f"{source:<8}{n:>5}" + "".join(f"{one:>13}" for one in found))


def tell_single(model: Model, folder: Path) -> None:
    counts: Counts = {}
    for path, label in labelled(folder):
        try:
            answer = model.predict(path)
            digit, best = str(answer.digit), str(answer.top(1)[0][0])
        except ImageError:
            digit = best = "None"
        unsure, right = digit == "None", digit == label
        count(counts, path, right, unsure, not (right or unsure), best == label)
    tell_counts(counts, "right", "?", "wrong", "likeliest")


def tell_rows(model: Model, folder: Path) -> None:
    counts: Counts = {}
    for path, label in labelled(folder):
        every, one = read(model, path, None), read(model, path, len(label))
        texts, exact = likeliest(every), likeliest(one) == [label]
        is_sure = bool(one) and "?" not in one[0].text
        count(counts, path, texts == [label], label in texts, exact, is_sure and not exact)
    tell_counts(counts, "any", "among", "with N", "wrong, sure")


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
