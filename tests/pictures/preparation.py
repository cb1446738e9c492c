"""Draw pictures, and beside each picture the network's input that is prepared from it.

    python tests/pictures/preparation.py SHEET.png [PICTURE...]

Without PICTUREs: MNIST digits in all kinds of pictures of `tests/kinds.py`, a kind per row.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from digitnet.dataset.reader import read_data
from digitnet.errors import ImageError
from digitnet.image.reading import prepare

TESTS = Path(__file__).parent.parent
CELL, GAP = 84, 2  # px
PAIRS = 8  # per row: a picture and its prepared input


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
            thumbnail = picture.convert("RGBA")
            thumbnail.thumbnail((CELL - GAP, CELL - GAP))
            drawing.paste(thumbnail, (2 * column * CELL, row * CELL), thumbnail)
            try:
                prepared = Image.fromarray(prepare(picture))
            except ImageError as error:
                print(error, file=sys.stderr)
                continue
            prepared = prepared.resize((CELL - GAP, CELL - GAP), Image.Resampling.NEAREST)
            drawing.paste(prepared, ((2 * column + 1) * CELL, row * CELL))
    drawing.save(sheet)


if __name__ == "__main__":
    main()
