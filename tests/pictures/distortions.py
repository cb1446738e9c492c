"""Draw a digit and twelve distortions of it: the picture in configs/README.md.

python tests/pictures/distortions.py data/pictures/seven.png distortions.png
"""

import sys

import numpy as np
from PIL import Image

from digitnet.arrays import PIXELS, SIDE
from digitnet.image.reading import prepare
from digitnet.synthetic.distortions import Distorter, Distortions

DISTORTIONS = Distortions(rotation=15, scale=0.15, shear=0.15, shift=1, elastic=34)
COUNT = 12
SCALE = 2  # px of the drawing per pixel of a digit
GAP = 8  # px of the drawing between digits


def draw(picture: str) -> Image.Image:
    """Return the network's input for a picture, followed by its distortions, dark on white."""
    pixels = prepare(picture).reshape(1, PIXELS)
    out = np.empty((COUNT, PIXELS), np.float32)
    Distorter(DISTORTIONS)(np.repeat(pixels, COUNT, axis=0), out, np.random.default_rng(1))
    side = SIDE * SCALE
    canvas = Image.new("L", ((COUNT + 1) * (side + GAP), side), 255)
    for i, digit in enumerate([pixels[0], *out]):
        tile = Image.fromarray(np.uint8(255 - digit.reshape(SIDE, SIDE)))
        canvas.paste(tile.resize((side, side), Image.Resampling.NEAREST), (i * (side + GAP), 0))
    return canvas


if __name__ == "__main__":
    draw(sys.argv[1]).save(sys.argv[2])
