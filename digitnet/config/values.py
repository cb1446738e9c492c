"""Suggest what to write instead of a wrong config value."""

import json
import math
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import yaml

WORDS = {"yes": True, "on": True, "no": False, "off": False, "none": None}
QUOTES = "\"'`“”„‘’«»"
TRAILING = re.compile(r"[,;]?\s*(?:(?:#|//).*)?$", re.DOTALL)  # separator or comment after a value
NUMBER_LIST = re.compile(r"[\s\d,;×x()\[\]-]+")  # whole numbers in any notation
MAX_SUGGESTION = 60  # characters


def suggest(name: str, value: Any, keys: Sequence[str], fits: Callable[[Any], bool]) -> str:
    """Return `; write …` with the first interpretation of the value that fits, or "".

    name: the key's name. keys: the keys of the section if a section was expected, else empty.
    """
    if keys and value is None:
        return "; write the keys of the section below, indented by two spaces"
    for candidate in _interpretations(value):
        if isinstance(candidate, float) and not math.isfinite(candidate):
            continue
        for meant in (*({key: candidate} for key in keys), *(() if keys else (candidate,))):
            if fits(meant):
                text = yaml.safe_dump(
                    meant, default_flow_style=True, allow_unicode=True, width=1000
                )
                text = text.removesuffix("\n").removesuffix("\n...")
                text = f"{name}: {text}" if keys else text
                return f"; write {text}" if len(text) <= MAX_SUGGESTION else ""
    return ""


def _interpretations(value: Any) -> Iterator[Any]:
    """Yield the value itself, then what the user may have meant, likeliest first."""
    yield value
    if isinstance(value, float) and value.is_integer():
        yield int(value)
    if type(value) is int:
        yield str(value)
    if isinstance(value, list) and len(value) == 1:
        yield from _interpretations(value[0])
    if not isinstance(value, str):
        return
    text = TRAILING.sub("", value).strip(QUOTES)
    lower = text.lower()
    if lower in WORDS:
        yield WORDS[lower]
    for spelling in (text, lower, lower.replace("-", "_"), text.replace(",", ".")):
        yield _parse_json(spelling)
    if re.fullmatch(r"[0-9]{1,3}([,_][0-9]{3})+", text):
        yield int(re.sub("[,_]", "", text))
    if re.fullmatch(r"[0-9]{1,3}(\.[0-9]+)? ?%", text):
        yield float(text.rstrip(" %")) / 100
    if NUMBER_LIST.fullmatch(text):
        yield [int(number) for number in re.findall("[0-9]{1,9}", text)]


def _parse_json(text: str) -> Any:
    """Return the value of text that is JSON, else the text."""
    try:
        return json.loads(text, parse_constant=str)
    except (ValueError, RecursionError):
        return text
