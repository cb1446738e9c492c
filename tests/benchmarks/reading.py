"""Measure how well a model reads digits in pictures of many kinds, and rejects non-digits.

    python tests/benchmarks/reading.py [MODEL]

Digits: MNIST's test digits unchanged, drawn in 28, 150 and 1000 pixels, and in each kind of picture
of `tests/kinds.py`; scans, and the small pictures of scikit-learn if it is installed, by writers
that no model is trained on. Print the share of likeliest digits that are right, and of answers `?`.

Non-digits: noise; clothing, if Debian's dataset-fashion-mnist is installed; handwritten letters, if
Debian's fonts-breip, fonts-bwht, fonts-femkeklaver and fonts-dkg-handwriting are installed. Print
the share of answers `?`.
"""

import gzip
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from digitnet.dataset.reader import read_data
from digitnet.errors import ImageError
from digitnet.model.prediction import Model, load

TESTS = Path(__file__).parent.parent
DATA = TESTS.parent / "data"
FASHION_MNIST = Path("/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz")
FONTS = [
    path
    for name in ("breip", "bwht", "femkeklaver", "fifthhorseman")
    for path in sorted(Path("/usr/share/fonts").glob(f"*/{name}/*.[to]tf"))
]
LETTERS = "AEFHKLMNPRTUVWXYaefhkmnrtuvwx"  # other letters look like digits: B D G I O Q S Z b d g …
COUNT_BY_SIDE = {28: 1000, 150: 1000, 1000: 200}  # number of pictures by side, px


def print_row(
    model: Model, kind: str, pictures: list[Image.Image], labels: Iterable[int] = ()
) -> None:
    """Print a row of the table. labels: given for pictures of digits only."""
    likeliest: list[int | str | None] = []
    unsure = 0
    for picture in pictures:
        try:
            prediction = model.predict(picture)
        except ImageError:  # no ink
            likeliest.append(None)
            unsure += 1
        else:
            likeliest.append(prediction.top(1)[0][0])
            unsure += prediction.digit is None
    right = [digit == label for digit, label in zip(likeliest, labels)]
    share = f"{np.mean(right):.2%}" if right else ""
    print(f"{kind:<28}{len(pictures):>9,}{share:>10}{unsure / len(pictures):>10.2%}", flush=True)


def noise(rng: np.random.Generator) -> list[Image.Image]:
    """Return 500 noise pictures: grey, black and white, coloured or smooth, side 28 to 300 px."""
    pictures = []
    for number in range(500):
        side = int(rng.choice([28, 60, 150, 300]))
        values = rng.integers(0, 256, (side, side, 3 if number % 5 == 2 else 1), np.uint8)
        if number % 5 == 1:
            values = (values > 127).astype(np.uint8) * 255
        picture = Image.fromarray(values.squeeze())
        if number % 5 > 2:
            picture = picture.filter(ImageFilter.GaussianBlur(side / 28 * rng.uniform(0.3, 3)))
        pictures.append(picture)
    return pictures


def letter(text: str, font: Path, rng: np.random.Generator) -> Image.Image:
    picture = Image.new("L", (160, 160), 255)
    ImageDraw.Draw(picture).text((50, 40), text, 0, ImageFont.truetype(font, 60))
    return picture.rotate(rng.uniform(-8, 8), fillcolor=255)


def main() -> None:
    sys.path.insert(0, str(TESTS))
    from kinds import KINDS, image, light

    model, rng = load(*sys.argv[1:2]), np.random.default_rng(1)
    test = read_data(DATA / "mnist").test
    assert test is not None
    print(f"{'':<28}{'pictures':>9}{'right':>10}{'?':>10}")
    plain = [Image.fromarray(digit) for digit in test.images]
    print_row(model, "MNIST unchanged", plain, test.labels)
    for n in sorted(set(COUNT_BY_SIDE.values())):
        print_row(model, f"the first {n:,} of MNIST", plain[:n], test.labels)
    for side, n in COUNT_BY_SIDE.items():
        drawn = [
            image(light(np.asarray(picture.resize((side, side), Image.Resampling.BICUBIC)) / 255))
            for picture in plain[:n]
        ]
        print_row(model, f"drawn in {side} pixels", drawn, test.labels)
    for kind in KINDS:
        name = kind.__name__.replace("_", " ")
        print_row(model, name, [kind(digit, rng) for digit in test.images[:200]], test.labels)
    scans = sorted((DATA / "scans" / "test").glob("*/*.png"))
    labels = np.array([int(path.parent.name) for path in scans])
    print_row(model, "scans of other writers", [Image.open(path) for path in scans], labels)
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        pass
    else:
        digits = load_digits()
        small = [image(picture / 16) for picture in digits.images]
        for side in (8, 28):
            drawn = [picture.resize((side, side), Image.Resampling.BICUBIC) for picture in small]
            print_row(model, f"optdigits in {side} pixels", drawn, digits.target)
    print_row(model, "noise", noise(rng))
    print_row(model, "blank", [Image.new("L", (90, 120), shade) for shade in (0, 90, 200, 255)])
    if FASHION_MNIST.exists():
        with gzip.open(FASHION_MNIST) as file:
            clothes = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 28, 28)
        print_row(model, "clothing", [Image.fromarray(picture) for picture in clothes])
    if FONTS:
        letters = [letter(text, font, rng) for text in LETTERS for font in FONTS]
        print_row(model, "handwritten letters", letters)


if __name__ == "__main__":
    main()
