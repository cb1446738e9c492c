"""Class names, and the answer that each class name stands for."""

import functools
import re
from collections.abc import Sequence

DIGITS = tuple("0123456789")
MAX_DIGITS = 1000  # of a number
MAX_CLASSES = 10_000  # of a model or data set: more than any script has signs in common use
MAX_CLASS_NAME = 255  # characters of a class name: no folder has a longer name


@functools.cache
def as_answer(class_name: str) -> int | str:
    """Return 7 for the class name "7" or "07" (1 to 18 of the digits 0 to 9), else the name."""
    return int(class_name) if re.fullmatch("[0-9]{1,18}", class_name) else class_name


def identity(class_name: str) -> int | str:
    """Return what class names have in common that a reader cannot tell apart.

    Leading zeros, spaces around a name, and whether é is one character or two (Unicode's normal
    form NFC, UAX #15) make no difference. Digits of other scripts stay other characters.
    """
    if not class_name.isascii():
        import unicodedata  # only here: predict starts without it

        class_name = unicodedata.normalize("NFC", class_name)
    return as_answer(class_name.strip())


def same_answer(class_names: Sequence[str]) -> tuple[str, str] | None:
    """Return two class names that stand for the same answer, if there are two."""
    first: dict[int | str, str] = {}
    for name in class_names:
        key = identity(name)
        if key in first:
            return first[key], name
        first[key] = name
    return None
