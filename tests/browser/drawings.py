"""What the tests draw on the page's pad: digits in many forms, and awkward drawings.

A stroke is a list of corners (x, y), joined by lines, in pixels of the 280×280 pad. Characters are
noted as in `digitnet.synthetic.strokes`: corners of column 0 to 4 and row 0 to 6.
"""

import math
from itertools import pairwise

import numpy as np

from digitnet.synthetic.handwriting import DIGIT_VARIANTS

Stroke = list[tuple[float, float]]
Drawing = list[Stroke]

PAD = 280  # pixels of the pad's side


def written(corners: str, box: tuple[float, float, float, float]) -> Drawing:
    """Return the strokes of a character that fills a box: left, top, right, bottom."""
    left, top, right, bottom = box
    places = [
        [(int(corner[0]) / 4, int(corner[1]) / 6) for corner in stroke.strip("~").split()]
        for stroke in corners.split(", ")
    ]
    return [
        [(left + x * (right - left), top + y * (bottom - top)) for x, y in stroke]
        for stroke in places
    ]


def rounded(stroke: Stroke) -> Stroke:
    """Return a stroke whose corners are cut three times (Chaikin 1974)."""
    for _ in range(3):
        cut = [
            (x + (x2 - x) * share, y + (y2 - y) * share)
            for (x, y), (x2, y2) in pairwise(stroke)
            for share in (0.25, 0.75)
        ]
        stroke = [stroke[0], *cut, stroke[-1]]
    return stroke


def circle(x: float, y: float, radius: float) -> Stroke:
    """Return points along a circle."""
    angles = np.linspace(0, 2 * math.pi, 24)
    return [(x + radius * math.cos(angle), y + radius * math.sin(angle)) for angle in angles]


def rectangle(left: float, top: float, right: float, bottom: float) -> Stroke:
    """Return the corners of a rectangle, back to the first."""
    return [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]


def digits(n: int, seed: int) -> list[tuple[int, Drawing]]:
    """Return n digits with their drawings: 0 to 9 in turn, of random form, size and place."""
    rng = np.random.default_rng(seed)
    drawings = []
    for k in range(n):
        variants = DIGIT_VARIANTS[k % 10]
        corners = variants[int(rng.integers(len(variants)))]
        height = rng.uniform(110, 200)
        width = height * rng.uniform(0.5, 0.8)
        left, top = rng.uniform(20, PAD - 20 - width), rng.uniform(20, PAD - 20 - height)
        slant = rng.uniform(-0.1, 0.25)
        drawing = [
            [
                (
                    min(max(x + slant * (top + height / 2 - y) + rng.normal(0, 1.5), 4), PAD - 4),
                    min(max(y + rng.normal(0, 1.5), 4), PAD - 4),
                )
                for x, y in stroke
            ]
            for stroke in written(corners, (left, top, left + width, top + height))
        ]
        drawings.append((k % 10, drawing))
    return drawings


def _form(digit: int, box: tuple[float, float, float, float], variant: int = 0) -> Drawing:
    return written(DIGIT_VARIANTS[digit][variant], box)


MIDDLE = (95, 60, 185, 220)  # a box in the middle of the pad
_SCRIBBLE = np.random.default_rng(7).uniform(40, 240, (18, 2)).tolist()

AWKWARD: dict[str, Drawing] = {
    "two digits": _form(3, (30, 70, 110, 210)) + _form(5, (165, 70, 245, 210)),
    "two close digits": _form(1, (70, 60, 110, 220)) + _form(7, (135, 60, 215, 220)),
    "three digits": [
        [(60, 70), (60, 210)],
        [(140, 70), (140, 210)],
        [(220, 70), (220, 210)],
    ],
    "small digit beside a large one": _form(2, (30, 50, 130, 220)) + _form(4, (200, 80, 235, 130)),
    "underlined": [*_form(2, (95, 40, 185, 180)), [(70, 235), (210, 235)]],
    "touching underline": [*_form(2, (95, 60, 185, 220)), [(50, 222), (230, 222)]],
    "boxed": [*_form(5, (105, 75, 175, 205)), rectangle(40, 30, 240, 250)],
    "touching box": [*_form(7, (60, 50, 220, 230)), rectangle(50, 40, 230, 240)],
    "circled": [*_form(4, (110, 95, 170, 190)), circle(140, 140, 105)],
    "empty box": [rectangle(60, 60, 220, 220)],
    "side-to-side line": [[(2, 140), (278, 140)]],
    "digit on a side-to-side line": [*_form(3, MIDDLE), [(2, 222), (278, 222)]],
    "top-to-bottom line": [[(140, 2), (140, 278)]],
    "scribble": [[(x, y) for x, y in _SCRIBBLE]],
    "plus": [[(60, 140), (220, 140)], [(140, 60), (140, 220)]],
    "far dot": [*_form(3, (40, 40, 130, 190)), [(255, 255), (256, 255)]],
    "dot alone": [[(140, 140), (141, 140)]],
    "struck through": [*_form(8, MIDDLE), [(50, 190), (230, 90)]],
    "equals sign": [[(80, 110), (200, 110)], [(80, 170), (200, 170)]],
    "two strokes apart": [
        [(110, 60), (95, 140), (180, 140)],
        [(170, 75), (165, 225)],
    ],
    "at the edge": _form(6, (2, 2, 90, 150)),
    "as large as the pad": _form(0, (6, 6, 274, 274)),
    "very small": _form(9, (120, 125, 142, 165)),
    "ruled paper": [
        *_form(2, MIDDLE),
        *[[(2, y), (278, y)] for y in (40, 140, 240)],
    ],
}
