"""Write values as C source: numbers, strings, comments, arrays."""

import json
from collections.abc import Iterable
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

NUMBERS_PER_LINE = 12
PLAIN = frozenset(range(32, 127)) - frozenset(b'"\\?')  # ? begins trigraphs


def number(value: float) -> str:
    """Return a float literal: the shortest decimal that reads back as the same float32."""
    return f"{np.float32(value).astype(str)}f"


def string(text: str) -> str:
    """Return a string literal that holds text as UTF-8.

    Bytes of file names that are not UTF-8, which Python keeps as surrogates, are those bytes again.
    """
    return f'"{"".join(map(_character, _encoded(text)))}"'


def _encoded(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # a surrogate that stands for no byte
        return text.encode("utf-8", "surrogatepass")


def _character(byte: int) -> str:
    return chr(byte) if byte in PLAIN else f"\\{byte:03o}"


def in_comment(value: Any) -> str:
    """Return a value as JSON in ASCII without * and ?, which end comments and begin trigraphs."""
    return json.dumps(value).replace("*", "\\u002a").replace("?", "\\u003f")


def write_array(
    file: BinaryIO, declaration: str, rows: Iterable[NDArray[np.float32 | np.integer[Any]]]
) -> None:
    """Write a constant array, given row by row, each (n,): float32 or integers."""
    file.write(f"static const {declaration} = {{\n".encode())
    for row in rows:
        suffix = "f" if row.dtype.kind == "f" else ""
        texts = [text + suffix for text in row.astype(str).tolist()]
        for start in range(0, len(texts), NUMBERS_PER_LINE):
            file.write(f"{', '.join(texts[start : start + NUMBERS_PER_LINE])},\n".encode())
    file.write(b"};\n")
