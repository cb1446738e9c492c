"""What goes to stdout and stderr, and in what form."""

import codecs
import contextlib
import io
import os
import re
import sys
from typing import Any

from digitnet.errors import OutputError

CONTROLS = re.compile("[\0-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\udc80-\udc9f]")


def printable(text: str) -> str:
    """Text with control characters escaped: no name can steer a terminal or fake a line."""
    return CONTROLS.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    if match[0] >= "\udc80":  # a byte of a name that is not UTF-8
        return f"\\x{ord(match[0]) - 0xDC00:02x}"
    return match[0].encode("unicode_escape").decode()


def shown(path: str | tuple[str, ...]) -> str:
    """A path for a reader's eyes, relative to where the user is if below; or several, each once."""
    if isinstance(path, tuple):
        return ", ".join(map(shown, dict.fromkeys(path)))
    with contextlib.suppress(FileNotFoundError):  # where the user is may be gone
        here = os.getcwd()
        path = path if here == "/" else path.removeprefix(here + "/")
    return printable(path)


def prepare_streams() -> None:
    """Let any name through: bytes that are not UTF-8 as they came, what has no bytes escaped."""
    codecs.register_error("digitnet", _encoded)
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.reconfigure(errors="digitnet")  # type: ignore[union-attr]
    _keep_stderr()


def _keep_stderr() -> None:
    """Make stderr digitnet's own: decoders in C, such as libtiff, write to it past any check."""
    if sys.stderr is not None:
        own, encoding = io.FileIO(os.dup(2), "w"), sys.stderr.encoding
        sys.stderr = io.TextIOWrapper(  # keeps nothing back that would be written at the end
            own,
            encoding=encoding,
            errors="digitnet",
            line_buffering=True,
            write_through=True,
        )
    nowhere = os.open(os.devnull, os.O_WRONLY)
    if nowhere != 2:  # where it was closed, else a file of ours would be what they write to
        os.dup2(nowhere, 2)
        os.close(nowhere)


def _encoded(error: UnicodeError) -> tuple[bytes, int]:
    assert isinstance(error, UnicodeEncodeError)
    part = error.object[error.start : error.end]
    try:
        return part.encode("ascii", "surrogateescape"), error.end
    except UnicodeEncodeError:
        return part.encode("ascii", "backslashreplace"), error.end


def say(text: str) -> None:
    """One line to stderr, if it is open and takes one: what is said has no part in the status."""
    if sys.stderr is not None:
        try:
            print(printable(text), file=sys.stderr, flush=True)
        except BrokenPipeError:
            raise
        except OSError:  # a full disk, a terminal that hung up
            pass


def answer(text: str, *, flush: bool = True) -> None:
    """Text to stdout, at once unless `flush` is false and more is to follow at once."""
    if sys.stdout is None:
        raise OutputError("standard output is closed")
    print(text, flush=flush)


def answer_json(value: Any, *, flush: bool = True) -> None:
    """One line of JSON to stdout, like `answer`."""
    import json

    answer(json.dumps(value, allow_nan=False), flush=flush)


def flush_answers() -> None:
    """Send off the answers that were not."""
    if sys.stdout is not None:
        sys.stdout.flush()
