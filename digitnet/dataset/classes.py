"""Class names, and the answer that each class name stands for."""

import functools
import re
from collections.abc import Iterable, Sequence

DIGITS = tuple("0123456789")
MAX_DIGITS = 1000  # digits of one number in a picture
MAX_CLASSES = 10_000  # classes of a model or data set: more characters than any script has in use
MAX_CLASS_NAME = 255  # characters: no file system allows longer folder names


@functools.cache
def as_answer(class_name: str) -> int | str:
    """Return 7 for the class name "7" or "07" (1 to 18 of the digits 0 to 9), else the name."""
    return int(class_name) if re.fullmatch("[0-9]{1,18}", class_name) else class_name


def normalise_name(class_name: str) -> int | str:
    """Return the answer of a class name after normalisation, so that lookalike names are equal.

    Leading zeros and surrounding spaces are removed, and é as two characters becomes é as one
    (Unicode normalization form NFC, UAX #15). Digits of other scripts remain different.
    """
    if not class_name.isascii():
        import unicodedata  # rarely needed; `predict` starts faster without it

        class_name = unicodedata.normalize("NFC", class_name)
    return as_answer(class_name.strip())


def sort_key(class_name: str) -> tuple[int, str]:
    """Return the key that sorts class names: text first, then numbers in numeric order."""
    answer = as_answer(class_name)
    return (answer, class_name) if isinstance(answer, int) else (-1, class_name)


def name_classes(labels: Iterable[str]) -> tuple[str, ...]:
    """Return the class names of labels that are text, without leading zeros or spaces.

    DIGITS if all labels are numbers from 0 to 9; otherwise the distinct labels, sorted.
    """
    answers = {normalise_name(label) for label in labels}
    names = {str(answer) for answer in answers}
    return DIGITS if names <= {*DIGITS} else tuple(sorted(names, key=sort_key))


def has_all_classes(class_names: Sequence[str], others: Sequence[str]) -> bool:
    """Return whether the answers of `others` are all among those of `class_names`."""
    known = set(map(normalise_name, class_names))
    return known.issuperset(map(normalise_name, others))


def same_answer(class_names: Sequence[str]) -> tuple[str, str] | None:
    """Return two class names that stand for the same answer, or None if all differ."""
    first: dict[int | str, str] = {}
    for name in class_names:
        key = normalise_name(name)
        if key in first:
            return first[key], name
        first[key] = name
    return None
