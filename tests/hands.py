"""Digits of many hands as data to train on: `python tests/hands.py FOLDER SOURCE...`.

A source is a font, or a file of the UCI repository's optdigits: 64 values from 0 to 16 and a label
a line, of 8×8 pixels each. The pictures go through `image`, and into FOLDER in the order of their
bytes: the same sources give the same files.
"""

import gzip
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from digitnet.errors import ImageError
from digitnet.image import prepare

SIZE = 120  # pixels of a font's em
SIDE = 28  # pixels that those of 8×8 are drawn in


def pictures_of(source: Path) -> Iterator[tuple[Image.Image, int]]:
    if source.suffix in (".ttf", ".otf", ".woff"):
        font = ImageFont.truetype(source, SIZE)
        for digit in range(10):
            page = Image.new("L", (3 * SIZE, 3 * SIZE), 255)
            ImageDraw.Draw(page).text((SIZE, SIZE), str(digit), 0, font)
            yield page, digit
    else:
        for *pixels, label in np.loadtxt(source, np.uint8, delimiter=","):
            small = Image.fromarray((np.reshape(pixels, (8, 8)) / 16 * 255).astype(np.uint8))
            yield small.resize((SIDE, SIDE), Image.Resampling.BICUBIC), int(label)


def main(folder: Path, sources: list[Path]) -> None:
    digits: list[tuple[bytes, int]] = []
    for source in sources:
        for picture, label in pictures_of(source):
            try:
                digits.append((prepare(picture).tobytes(), label))
            except ImageError as error:
                print(f"{source}: a {label} is left out: {error}", file=sys.stderr)
    digits.sort()
    count = len(digits).to_bytes(4, "big")
    side = (28).to_bytes(4, "big")
    images = b"\0\0\x08\x03" + count + side + side + b"".join(image for image, _ in digits)
    labels = b"\0\0\x08\x01" + count + bytes(label for _, label in digits)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in (("images-idx3", images), ("labels-idx1", labels)):
        path = folder / f"train-{name}-ubyte.gz"
        path.write_bytes(gzip.compress(content, 9, mtime=0))
    print(f"{folder}: {len(digits)} digits")


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]])
