"""Explain YAML syntax errors, and say how to correct them."""

import re

import yaml

from digitnet.config.keys import pair_without_colon

CLOSING = {"[": "]", "{": "}"}
END = "<stream end>"
TOKENS = {END: "the end of the text", "<scalar>": "more text", "?": "more text"}


def explain(error: yaml.YAMLError, text: bytes) -> tuple[int | None, str]:
    """Return the line number of the error, from 1, or None if unknown, and the message."""
    if isinstance(error, yaml.MarkedYAMLError):
        return _explain_syntax(error)
    assert isinstance(error, yaml.reader.ReaderError)
    code, expected = int(error.character), "expected YAML saved as UTF-8, found"
    if error.encoding == "utf-8":
        return text[: error.position].count(b"\n") + 1, f"{expected} the byte 0x{code:02x}"
    return None, f"{expected} the character U+{code:04X}"


def _explain_syntax(error: yaml.MarkedYAMLError) -> tuple[int, str]:
    """Return line number and message, derived from PyYAML's messages and marks."""
    at = error.problem_mark or error.context_mark
    assert at is not None
    began = error.context_mark or at
    lines = [*str(at.buffer).strip("\ufeff\0").splitlines(), "", ""]
    first = max(began.line - 1, 0)  # PyYAML may report a pair without a colon one line later
    for number, line in enumerate(lines[first : at.line + 1], first + 1):
        if pair := pair_without_colon(line):
            return number, f"expected {pair}, found {line.strip()!r:.60}"
    context, problem = str(error.context), str(error.problem)
    found = re.split("but (?:got|found) |^found ", problem)[-1].strip("'")
    token = TOKENS.get(found, found)
    line, start = lines[at.line], lines[began.line][began.column : began.column + 1]
    indent = line[: len(line) - len(line.lstrip())]
    below = f" in line {at.line + 1}" if at.line > began.line and found != END else ""
    reserved = line[at.column : at.column + 1] if "cannot start" in problem else start
    rules = (
        ("\t" in indent or r"'\t'" in problem, at, "expected spaces, found a tab"),
        (
            "double-quoted" in context and "escape" in problem,
            at,
            "expected / or \\\\ in double quotes, found a single \\",
        ),
        ("quoted scalar" in context, began, f"expected a closing {start}, found none"),
        (
            "while parsing a flow" in context and start in CLOSING,
            began,
            f"expected a comma or a closing {CLOSING.get(start)}, found {token}{below}",
        ),
        (
            "could not find expected ':'" in problem,
            began,
            f"expected KEY: VALUE, found {lines[began.line].strip()!r:.60}",
        ),
        (
            "mapping values" in problem and ": " in line[: at.column],
            at,
            "expected quotes around text with a colon in it, found none",
        ),
        (
            "mapping values" in problem or found == "<block mapping start>",
            at,
            f"expected as many leading spaces as the keys above, found {len(indent)}",
        ),
        (
            "cannot start" in problem or "scanning an alias" in context,
            at,
            f"expected quotes around text that begins with {reserved}, found none",
        ),
        (
            "<block end>" in problem or "<document start>" in problem,
            at,
            f"expected one KEY: VALUE per line, found {token} after it",
        ),
    )
    default = (True, at, f"expected YAML, found {token}")
    return next((mark.line + 1, text) for applies, mark, text in (*rules, default) if applies)
