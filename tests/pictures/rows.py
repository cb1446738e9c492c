"""Draw two rows of numbers with MNIST's test digits: `python tests/pictures/rows.py OUT.png`."""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from digitnet.dataset.reader import read_data

MNIST = Path(__file__).parents[2] / "data" / "mnist"
ROWS = "8134  2207", "0519"
SIDE, MARGIN = 28, 10  # px, before enlarging
SCALE = 2


def main(out: str) -> None:
    test = read_data(MNIST).test
    assert test is not None
    indices = {digit: iter(np.flatnonzero(test.labels == digit)[3:]) for digit in range(10)}
    page = np.zeros((len(ROWS) * SIDE, max(map(len, ROWS)) * 20 + SIDE), np.uint8)
    for y, row in enumerate(ROWS):
        for x, character in enumerate(row):
            if character != " ":
                image = test.images[next(indices[int(character)])]
                part = page[y * SIDE : (y + 1) * SIDE, x * 20 : x * 20 + SIDE]
                np.maximum(part, image, out=part)
    paper = Image.fromarray(255 - np.pad(page, MARGIN))
    paper.resize((paper.width * SCALE, paper.height * SCALE), Image.Resampling.BICUBIC).save(out)


if __name__ == "__main__":
    main(*sys.argv[1:])
