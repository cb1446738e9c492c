"""Write training data from the digits of many writers and fonts.

    python tests/hands.py FOLDER SOURCE...

A source is a font or a file of the UCI repository with one digit per line. In optdigits, a line has
64 values from 0 to 16 (8×8 pixels) and a label. In pendigits, it has 16 values from 0 to 100 (eight
points of the pen, x and y from the lower left, equally spaced along its path) and a label; each
line gives two digits, the second with other proportions. Lines with @ are KEEL's header. The
pictures are prepared by `digitnet.image` and sorted by their bytes: the same sources give the same
files.
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

SIZE = 120  # px: size of a font's em
SIDE = 28  # px: to which pictures of 8×8 pixels are enlarged
EXPONENT_SD = 0.2, 0.35  # standard deviations of log exponent for x and y
WIDTH_SD = 0.15  # standard deviation of log width
POINT_SD = 0.025  # of the height: standard deviation of a point
PEN_WIDTHS = 0.05, 0.17  # of the height: narrowest and widest pen
# of the height, by digit: a late step up by more than this means that the pen was lifted for a bar
LIFT_HEIGHTS = {5: 0.25, 7: 0.12}
FIRST_LIFT = 3  # steps: only from this one on, a step up may be a lift
CURVE_STEPS = np.linspace(0, 1, 12, endpoint=False)[:, np.newaxis]  # from point to point


def pictures_of(source: Path) -> Iterator[tuple[Image.Image, int]]:
    """Yield each picture in a source with its label."""
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
            points = np.reshape(values, (8, 2)) / (100, -100) + (0, 1)
            yield written(points, label), label
            yield written(varied(points), label), label
        else:
            small = Image.fromarray((np.reshape(values, (8, 8)) / 16 * 255).astype(np.uint8))
            yield small.resize((SIDE, SIDE), Image.Resampling.BICUBIC), label


def written(points: NDArray[np.float64], label: int) -> Image.Image:
    """Return a digit drawn along the points of its pen, with a pen width of its own.

    points: (8, 2), x and y from the upper left, in units of the digit's height.
    """
    pen = generator_for(points).uniform(*PEN_WIDTHS) * SIZE
    page = Image.new("L", (2 * SIZE, 2 * SIZE), 255)
    draw = ImageDraw.Draw(page)
    for stroke in strokes(points, label):
        line = [tuple(point) for point in smooth(stroke) * SIZE + SIZE / 2]
        draw.line(line, 0, round(pen))
        for point in line:
            draw.circle(point, pen / 2, 0)
    return page


def varied(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the points (8, 2) as another writer may set them: other loops, another width."""
    rng = generator_for(points)
    exponents, wider = np.exp(rng.normal(0, EXPONENT_SD)), np.exp(rng.normal(0, WIDTH_SD))
    moved = points.clip(1e-3, 1) ** exponents * (wider, 1) + rng.normal(0, POINT_SD, points.shape)
    return moved.clip(0, 1)


def generator_for(points: NDArray[np.float64]) -> np.random.Generator:
    """Return a generator that is seeded with the points."""
    return np.random.default_rng(np.rint(points * 100).astype(int).ravel())


def strokes(points: NDArray[np.float64], label: int) -> list[NDArray[np.float64]]:
    """Return the strokes of a digit: a 5 or a 7 is split where the pen was lifted for its bar.

    The data does not mark lifts. A bar with a single point is dropped.
    """
    rising = -np.diff(points[:, 1]) > LIFT_HEIGHTS.get(label, np.inf)
    lifted = FIRST_LIFT + int(np.argmax(rising[FIRST_LIFT:]))
    if not rising[lifted]:
        return [points]
    bar = lifted + int(np.argmin([*rising[lifted:], False]))
    return [stroke for stroke in (points[: lifted + 1], points[bar:]) if len(stroke) > 1]


def smooth(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a Catmull-Rom spline (1974) through the points (n, 2)."""
    padded = np.vstack([2 * points[0] - points[1], points, 2 * points[-1] - points[-2]])
    a, b, c, d = (padded[i : i + len(points) - 1, np.newaxis] for i in range(4))
    t = CURVE_STEPS
    curve = b + t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a))) / 2
    return np.vstack([curve.reshape(-1, 2), points[-1:]])


def main(folder: Path, sources: list[Path]) -> None:
    """Write the prepared digits of the sources to a folder, as two gzipped IDX files."""
    digits: list[tuple[bytes, int]] = []
    for source in sources:
        for picture, label in pictures_of(source):
            try:
                digits.append((prepare(picture).tobytes(), label))
            except ImageError as error:
                print(f"{source}: skipped a {label}: {error}", file=sys.stderr)
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
