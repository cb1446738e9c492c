"""Digits of many hands as data to train on: `python tests/hands.py FOLDER SOURCE...`.

A source is a font, or a file of the UCI repository, a digit a line: of optdigits, 64 values from 0
to 16 (8×8 pixels) and a label; of pendigits, 16 from 0 to 100 (eight places of a pen, x and y from
the lower left, at even distances along its way) and a label. Lines with @ are KEEL's. Of a pen's
places two digits are made, the second of other proportions. The pictures go through `image`, and
into FOLDER in the order of their bytes: the same sources give the same files.
"""

import gzip
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from digitnet.errors import ImageError
from digitnet.image.reading import prepare

SIZE = 120  # pixels of a font's em
SIDE = 28  # pixels that those of 8×8 are drawn in
PROPORTIONS = 0.2, 0.35  # deviations of the logarithm of powers that columns and rows are raised to
WIDER = 0.15  # deviation of the logarithm of the width
ASIDE = 0.025  # of the height: deviation of a place
PENS = 0.05, 0.17  # narrowest and widest, by the height that they write in
LIFTED = {5: 0.25, 7: 0.12}  # of the height: who goes up so far, late, has lifted the pen for a bar
LATE = 3  # steps from place to place
FINER = np.linspace(0, 1, 12, endpoint=False)[:, np.newaxis]  # from one place to the next


def pictures_of(source: Path) -> Iterator[tuple[Image.Image, int]]:
    if source.suffix in (".ttf", ".otf", ".woff"):
        font = ImageFont.truetype(source, SIZE)
        for digit in range(10):
            page = Image.new("L", (3 * SIZE, 3 * SIZE), 255)
            ImageDraw.Draw(page).text((SIZE, SIZE), str(digit), 0, font)
            yield page, digit
        return
    lines = np.loadtxt(source, np.uint8, comments="@", delimiter=",", ndmin=2)
    for *values, label in lines.tolist():
        if len(values) == 16:
            places = np.reshape(values, (8, 2)) / (100, -100) + (0, 1)
            yield written(places, label), label
            yield written(varied(places), label), label
        else:
            small = Image.fromarray((np.reshape(values, (8, 8)) / 16 * 255).astype(np.uint8))
            yield small.resize((SIDE, SIDE), Image.Resampling.BICUBIC), label


def written(places: NDArray[np.float64], label: int) -> Image.Image:
    """A digit by its pen's places (8, 2), columns and rows by its height; each with another pen."""
    pen = generator_for(places).uniform(*PENS) * SIZE
    page = Image.new("L", (2 * SIZE, 2 * SIZE), 255)
    draw = ImageDraw.Draw(page)
    for stroke in strokes(places, label):
        line = [tuple(point) for point in smooth(stroke) * SIZE + SIZE / 2]
        draw.line(line, 0, round(pen))
        for point in line:
            draw.circle(point, pen / 2, 0)
    return page


def varied(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """The places (8, 2) where somebody else might put them: larger loops above or below, wider."""
    rng = generator_for(places)
    powers, wider = np.exp(rng.normal(0, PROPORTIONS)), np.exp(rng.normal(0, WIDER))
    moved = places.clip(1e-3, 1) ** powers * (wider, 1) + rng.normal(0, ASIDE, places.shape)
    return moved.clip(0, 1)


def generator_for(places: NDArray[np.float64]) -> np.random.Generator:
    """One that gives the same numbers whenever the places are the same."""
    return np.random.default_rng(np.rint(places * 100).astype(int).ravel())


def strokes(places: NDArray[np.float64], label: int) -> list[NDArray[np.float64]]:
    """The places parted where the pen was lifted for a 5's or 7's bar, which they do not say.

    Of a bar that only its end tells of, nothing is left.
    """
    rising = -np.diff(places[:, 1]) > LIFTED.get(label, np.inf)
    lifted = LATE + int(np.argmax(rising[LATE:]))
    if not rising[lifted]:
        return [places]
    bar = lifted + int(np.argmin([*rising[lifted:], False]))
    return [stroke for stroke in (places[: lifted + 1], places[bar:]) if len(stroke) > 1]


def smooth(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """A curve through the places (n, 2): Catmull's and Rom's (1974)."""
    padded = np.vstack([2 * places[0] - places[1], places, 2 * places[-1] - places[-2]])
    a, b, c, d = (padded[i : i + len(places) - 1, np.newaxis] for i in range(4))
    t = FINER
    curve = b + t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a))) / 2
    return np.vstack([curve.reshape(-1, 2), places[-1:]])


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
