"""Pictures of a drawing pad: strokes of a round pen, white on black."""

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

PAD_SIDE = 280  # px
PEN_WIDTH = 22.0  # px
OVERSAMPLING = 4  # drawn larger and reduced, so that strokes have soft edges

Stroke = Sequence[tuple[float, float]]


def drawn(
    strokes: Sequence[Stroke], width: float = PEN_WIDTH, ink: int = 255, paper: int = 0
) -> NDArray[np.uint8]:
    """Return strokes, points (x, y) in px, on a pad: uint8 (PAD_SIDE, PAD_SIDE)."""
    image = Image.new("L", (OVERSAMPLING * PAD_SIDE,) * 2, paper)
    pen = ImageDraw.Draw(image)
    radius = OVERSAMPLING * width / 2
    for stroke in strokes:
        points = [(OVERSAMPLING * x, OVERSAMPLING * y) for x, y in stroke]
        pen.line(points, ink, round(2 * radius))
        for x, y in points:
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), ink)
    return np.asarray(image.reduce(OVERSAMPLING))


def as_png(pad: NDArray[np.uint8]) -> bytes:
    """Return a pad as the PNG that a canvas saves: RGBA, opaque."""
    file = io.BytesIO()
    Image.fromarray(pad).convert("RGBA").save(file, "PNG", compress_level=1)
    return file.getvalue()
