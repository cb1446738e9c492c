"""How the numbers in a picture are printed: as text, as JSON and drawn."""

import shutil
from typing import TYPE_CHECKING, Any

from digitnet.cli.output import printable

if TYPE_CHECKING:
    from digitnet.image.marks.sheet import Box
    from digitnet.model.numbers import Number, NumberDigit, Numbers

SIDES = "top", "left", "bottom", "right"
GAP = 2  # columns between two drawings


def as_text(name: str, numbers: "Numbers", show: bool) -> str:
    """Return a line, and below it the drawings where they are asked for."""
    line = f"{printable(name)}\t{numbers.text}\t{numbers.confidence:.4f}"
    return "\n".join([line, *_drawings(numbers)] if show else [line])


def as_json(name: str, numbers: "Numbers", model: str) -> dict[str, Any]:
    """Return the object of a picture."""
    return {
        "path": name,
        "numbers": [_number(number) for number in numbers.numbers],
        "doubt": numbers.doubt,
        "model": model,
    }


def _number(number: "Number") -> dict[str, Any]:
    return {
        "text": number.text,
        "confidence": number.confidence,
        "row": number.row,
        "box": _box(number.box),
        "digits": [
            {
                "digit": one.digit,
                "confidence": one.confidence,
                "evidence": one.evidence,
                "probabilities": one.probabilities.tolist(),
                "box": _box(one.box),
            }
            for one in number.digits
        ],
    }


def _box(box: "Box") -> dict[str, int]:
    return dict(zip(SIDES, box))


def _drawings(numbers: "Numbers") -> list[str]:
    """Return what the network saw of each digit, as many beside each other as the width holds."""
    from digitnet.cli.show import picture_lines

    lines: list[str] = []
    for number in numbers.numbers:
        pictures = [(_caption(one), picture_lines(one.image)) for one in number.digits]
        width = number.digits[0].image.shape[1]
        beside = max((shutil.get_terminal_size().columns + GAP) // (width + GAP), 1)
        for start in range(0, len(pictures), beside):
            some = pictures[start : start + beside]
            lines.append((" " * GAP).join(f"{caption:<{width}}" for caption, _ in some).rstrip())
            lines += [
                (" " * GAP).join(parts).rstrip() for parts in zip(*(rows for _, rows in some))
            ]
    return lines


def _caption(one: "NumberDigit") -> str:
    digit = "?" if one.digit is None else one.digit
    return f"{digit} {one.confidence:.4f}, evidence {one.evidence:.2f}"
