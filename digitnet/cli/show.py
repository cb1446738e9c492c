"""Draw in characters what the network saw, its probabilities and the decisions before it."""

import os
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from digitnet.arrays import SIDE
from digitnet.cli.output import printable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitnet.model.prediction import Prediction

BAR_WIDTH = 12  # columns
EIGHTHS = " ▏▎▍▌▋▊▉█"
GAP = "  "  # between images
HALVES = " ▄▀█"  # by 2 × (upper pixel is ink) + (lower pixel is ink)


def drawing(prediction: "Prediction") -> str:
    """Return the 28×28 pixels, the probabilities and the decisions side by side, 14 lines or more.

    Pixels are grey if the terminal has colours; otherwise pixels of 128 or more are black.
    """
    image = prediction.reading.image
    columns = picture_lines(image), _bars(prediction), _decisions(prediction)
    lines = max(map(len, columns))
    blank = " " * image.shape[1], " " * len(columns[1][0]), ""
    padded = (column + [empty] * (lines - len(column)) for column, empty in zip(columns, blank))
    return "\n".join("  ".join(parts).rstrip() for parts in zip(*padded))


def picture_lines(image: "NDArray[np.uint8]") -> list[str]:
    """Return an image uint8 (28, 28) as 14 lines, in grey if the terminal has colours."""
    return _in_grey(image) if _has_colours() else _in_black(image)


def gallery(
    images: "Sequence[NDArray[np.uint8]]", captions: Sequence[str], width: int
) -> Iterator[str]:
    """Yield images uint8 (28, 28) as lines, side by side in `width` columns, under captions.

    The middle of a caption that is wider than its image is replaced by ….
    """
    per_row = max(1, (width + len(GAP)) // (SIDE + len(GAP)))
    for start in range(0, len(images), per_row):
        row = slice(start, start + per_row)
        yield GAP.join(f"{_shortened(caption):<{SIDE}}" for caption in captions[row])
        yield from map(GAP.join, zip(*map(picture_lines, images[row])))


def _shortened(caption: str) -> str:
    if len(caption) <= SIDE:
        return caption
    start = SIDE // 3
    return f"{caption[:start]}…{caption[start + 1 - SIDE :]}"


def _has_colours() -> bool:
    is_plain = os.environ.get("TERM", "dumb") == "dumb" or os.environ.get("NO_COLOR")
    return sys.stdout.isatty() and not is_plain


def _in_grey(image: "NDArray[np.uint8]") -> list[str]:
    """Draw two rows per line, the upper row as foreground: greys 232 to 255 of 256 colours."""
    levels = 232 + image.astype(int) * 23 // 255
    return [
        "".join(f"\x1b[38;5;{a};48;5;{b}m▀" for a, b in zip(upper, lower)) + "\x1b[0m"
        for upper, lower in zip(levels[::2], levels[1::2])
    ]


def _in_black(image: "NDArray[np.uint8]") -> list[str]:
    ink = (image >= 128).astype(int)
    return ["".join(HALVES[i] for i in line) for line in 2 * ink[::2] + ink[1::2]]


def _bars(prediction: "Prediction") -> list[str]:
    width = max(map(len, map(printable, prediction.class_names)))
    lines = []
    for name, probability in zip(prediction.class_names, prediction.probabilities):
        whole, eighths = divmod(round(8 * BAR_WIDTH * probability), 8)
        bar = EIGHTHS[-1] * whole + (EIGHTHS[eighths] if eighths else "")
        lines.append(f"{printable(name):>{width}} {bar:<{BAR_WIDTH}} {probability:.4f}")
    return lines


def _decisions(prediction: "Prediction") -> list[str]:
    reading, min_evidence = prediction.reading, prediction.calibration.min_evidence
    needed = f", needed {min_evidence:.2f}" * bool(min_evidence)
    evidence = f"evidence {prediction.evidence:.2f}{needed}"
    if prediction.is_prepared:
        return ["not prepared", evidence]
    top, left, bottom, right = reading.box
    return [
        "dark on light" if reading.dark else "light on dark",
        f"threshold {reading.threshold:.2f}",
        f"box {right - left}×{bottom - top} at {left}, {top}",
        f"stroke width {reading.stroke:.1f} of 20 px",
        f"placed at {reading.corner[1]}, {reading.corner[0]}",
        f"{reading.digits} digit{'' if reading.digits == 1 else 's'}",
        evidence,
    ]
