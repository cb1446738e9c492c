"""What a wrong value of a config may be meant to be, so that a message can say what to write."""

import json
import math
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import yaml

WORDS = {"yes": True, "on": True, "no": False, "off": False, "none": None}
QUOTES = "\"'`“”„‘’«»"
AFTER = re.compile(r"[,;]?\s*(?:(?:#|//).*)?$", re.DOTALL)  # what may follow a value by mistake
NUMBERS = re.compile(r"[\s\d,;×x()\[\]-]+")  # a list of whole numbers in any notation
MAX_SUGGESTION = 60  # characters of a suggestion


def suggestion(name: str, value: Any, keys: Sequence[str], fits: Callable[[Any], bool]) -> str:
    """Return `; write …` with the first reading of a value that fits; else nothing.

    name: of the key. keys: of the section that was expected there, if one was.
    """
    if keys and value is None:
        return "; indent its keys below it, by two spaces"
    for reading in _readings(value):
        if isinstance(reading, float) and not math.isfinite(reading):
            continue
        for meant in (*({key: reading} for key in keys), *(() if keys else (reading,))):
            if fits(meant):
                text = yaml.safe_dump(
                    meant, default_flow_style=True, allow_unicode=True, width=1000
                )
                text = text.removesuffix("\n").removesuffix("\n...")
                text = f"{name}: {text}" if keys else text
                return f"; write {text}" if len(text) <= MAX_SUGGESTION else ""
    return ""


def _readings(value: Any) -> Iterator[Any]:
    """Yield a value as it is, then what it may be meant to be, the likeliest first."""
    yield value
    if isinstance(value, float) and value.is_integer():
        yield int(value)
    if type(value) is int:
        yield str(value)
    if isinstance(value, list) and len(value) == 1:
        yield from _readings(value[0])
    if not isinstance(value, str):
        return
    text = AFTER.sub("", value).strip(QUOTES)
    lower = text.lower()
    if lower in WORDS:
        yield WORDS[lower]
    for spelling in (text, lower, lower.replace("-", "_"), text.replace(",", ".")):
        yield _plain(spelling)
    if re.fullmatch(r"[0-9]{1,3}([,_][0-9]{3})+", text):
        yield int(re.sub("[,_]", "", text))
    if re.fullmatch(r"[0-9]{1,3}(\.[0-9]+)? ?%", text):
        yield float(text.rstrip(" %")) / 100
    if NUMBERS.fullmatch(text):
        yield [int(number) for number in re.findall("[0-9]{1,9}", text)]


def _plain(text: str) -> Any:
    """Text as the number, word or list that JSON sees in it, else as it is."""
    try:
        return json.loads(text, parse_constant=str)
    except (ValueError, RecursionError):
        return text
