"""What goes to stdout and stderr, and in what form."""

import json
import re
import sys
from typing import Any

CONTROLS = re.compile("[\0-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\udc80-\udc9f]")


def printable(text: str) -> str:
    """Text with control characters escaped: no name can steer a terminal or fake a line."""
    return CONTROLS.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code >= 0xDC00:  # a byte of a name that is not UTF-8
        code -= 0xDC00
    return match[0].encode("unicode_escape").decode() if code == ord(match[0]) else f"\\x{code:02x}"


def say(text: str) -> None:
    """One line to stderr."""
    print(printable(text), file=sys.stderr, flush=True)


def answer(text: str) -> None:
    """Text to stdout, at once."""
    print(text, flush=True)


def answer_json(value: Any) -> None:
    """One line of JSON to stdout, at once."""
    answer(json.dumps(value))
