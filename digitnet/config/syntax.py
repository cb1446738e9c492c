"""What is wrong with a text that is no YAML, in words that name the cure."""

import re

import yaml

from digitnet.config.keys import pair_without_colon

CLOSING = {"[": "]", "{": "}"}
END = "<stream end>"
TOKENS = {END: "the end of the text", "<scalar>": "more text", "?": "more text"}


def explain(error: yaml.YAMLError, text: bytes) -> tuple[int | None, str]:
    """Return the number of the wrong line, from 1, if known, and `expected …, found …`."""
    if isinstance(error, yaml.MarkedYAMLError):
        return _explain_syntax(error)
    assert isinstance(error, yaml.reader.ReaderError)
    code, wanted = int(error.character), "expected YAML saved as UTF-8, found"
    if error.encoding == "utf-8":
        return text[: error.position].count(b"\n") + 1, f"{wanted} the byte 0x{code:02x}"
    return None, f"{wanted} the character U+{code:04X}"


def _explain_syntax(error: yaml.MarkedYAMLError) -> tuple[int, str]:
    """Explain by PyYAML's message, the place where something began and where it went wrong."""
    at = error.problem_mark or error.context_mark
    assert at is not None
    began = error.context_mark or at
    lines = [*str(at.buffer).strip("\ufeff\0").splitlines(), "", ""]
    first = max(began.line - 1, 0)  # the parser may go on from a pair without a colon
    for number, line in enumerate(lines[first : at.line + 1], first + 1):
        if pair := pair_without_colon(line):
            return number, f"expected {pair}, found {line.strip()!r:.60}"
    context, problem = str(error.context), str(error.problem)
    found = re.split("but (?:got|found) |^found ", problem)[-1].strip("'")
    what = TOKENS.get(found, found)
    line, start = lines[at.line], lines[began.line][began.column : began.column + 1]
    indent = line[: len(line) - len(line.lstrip())]
    below = f" in line {at.line + 1}" if at.line > began.line and found != END else ""
    odd = line[at.column : at.column + 1] if "cannot start" in problem else start
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
            f"expected a comma or a closing {CLOSING.get(start)}, found {what}{below}",
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
            f"expected as many spaces as before the keys above, found {len(indent)}",
        ),
        (
            "cannot start" in problem or "scanning an alias" in context,
            at,
            f"expected quotes around text that begins with {odd}, found none",
        ),
        (
            "<block end>" in problem or "<document start>" in problem,
            at,
            f"expected one KEY: VALUE a line, found {what} after it",
        ),
    )
    otherwise = (True, at, f"expected YAML, found {what}")
    return next((mark.line + 1, text) for holds, mark, text in (*rules, otherwise) if holds)
