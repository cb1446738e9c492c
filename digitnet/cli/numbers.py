"""Format the numbers in a picture: as text, as JSON and as drawings."""

import shutil
from typing import TYPE_CHECKING, Any

from digitnet.cli.output import printable

if TYPE_CHECKING:
    from digitnet.image.marks.sheet import Box
    from digitnet.model.numbers import Number, NumberDigit, Numbers
    from digitnet.model.prediction import Model

BOX_SIDES = "top", "left", "bottom", "right"
DRAWING_GAP = 2  # columns between two drawings


def as_text(name: str, numbers: "Numbers", show: bool) -> str:
    """Return the line of a picture, with `show` followed by drawings of its digits."""
    line = f"{printable(name)}\t{numbers.text}\t{numbers.confidence:.4f}"
    return "\n".join([line, *_drawings(numbers)] if show else [line])


def as_json(name: str, numbers: "Numbers", model: "Model") -> dict[str, Any]:
    """Return the JSON object of a picture."""
    return {
        "path": name,
        "numbers": [_number(number) for number in numbers.numbers],
        "doubt": numbers.doubt,
        "model": model.path,
        "model_sha256": model.checkpoint.sha256,
    }


def _number(number: "Number") -> dict[str, Any]:
    return {
        "text": number.text,
        "confidence": number.confidence,
        "row": number.row,
        "box": _box(number.box),
        "digits": [
            {
                "digit": digit.digit,
                "confidence": digit.confidence,
                "evidence": digit.evidence,
                "probabilities": digit.probabilities.tolist(),
                "box": _box(digit.box),
            }
            for digit in number.digits
        ],
    }


def _box(box: "Box") -> dict[str, int]:
    return dict(zip(BOX_SIDES, box))


def _drawings(numbers: "Numbers") -> list[str]:
    """Return drawings of the digits as the network saw them, side by side if the width allows."""
    from digitnet.cli.show import picture_lines

    lines: list[str] = []
    for number in numbers.numbers:
        pictures = [(_caption(digit), picture_lines(digit.image)) for digit in number.digits]
        width = number.digits[0].image.shape[1]
        columns = shutil.get_terminal_size().columns
        per_row = max((columns + DRAWING_GAP) // (width + DRAWING_GAP), 1)
        gap = " " * DRAWING_GAP
        for start in range(0, len(pictures), per_row):
            row = pictures[start : start + per_row]
            lines.append(gap.join(f"{caption:<{width}}" for caption, _ in row).rstrip())
            lines += [gap.join(parts).rstrip() for parts in zip(*(rows for _, rows in row))]
    return lines


def _caption(digit: "NumberDigit") -> str:
    answer = "?" if digit.digit is None else digit.digit
    return f"{answer} {digit.confidence:.4f}, evidence {digit.evidence:.2f}"
