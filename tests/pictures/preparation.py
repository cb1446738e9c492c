"""Draws pictures beside what a network gets to see of them.

    python tests/pictures/preparation.py SHEET.png [PICTURE...]

Without pictures, digits of MNIST as people take and draw them, a kind to a row.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from digitnet.dataset.reader import read_data
from digitnet.errors import ImageError
from digitnet.image.reading import prepare

TESTS = Path(__file__).parent.parent
CELL, GAP, PAIRS = 84, 2, 8


def rows_of_kinds() -> list[list[Image.Image]]:
    sys.path.insert(0, str(TESTS))
    from kinds import KINDS

    rng = np.random.default_rng(1)
    digits = read_data(TESTS.parent / "data" / "mnist").training.images[:PAIRS]
    return [[kind(digit, rng) for digit in digits] for kind in KINDS]


def rows_of_files(names: list[str]) -> list[list[Image.Image]]:
    pictures = [Image.open(name) for name in names]
    return [pictures[start : start + PAIRS] for start in range(0, len(pictures), PAIRS)]


def main() -> None:
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sheet, *names = sys.argv[1:]
    rows = rows_of_files(names) if names else rows_of_kinds()
    drawing = Image.new("RGB", (2 * PAIRS * CELL, len(rows) * CELL), "grey")
    for row, pictures in enumerate(rows):
        for column, picture in enumerate(pictures):
            shown = picture.convert("RGBA")
            shown.thumbnail((CELL - GAP, CELL - GAP))
            drawing.paste(shown, (2 * column * CELL, row * CELL), shown)
            try:
                seen = Image.fromarray(prepare(picture))
            except ImageError as error:
                print(error, file=sys.stderr)
                continue
            seen = seen.resize((CELL - GAP, CELL - GAP), Image.Resampling.NEAREST)
            drawing.paste(seen, ((2 * column + 1) * CELL, row * CELL))
    drawing.save(sheet)


if __name__ == "__main__":
    main()
