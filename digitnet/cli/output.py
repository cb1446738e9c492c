"""What goes to stdout and stderr, and in what form."""

import codecs
import contextlib
import io
import os
import re
import sys
from typing import Any

from digitnet.errors import OutputError, listed

BLOCK = 4096  # bytes: PIPE_BUF, the most that a pipe takes from one write as one piece (pipe(7))
MAX_MESSAGE = 1000  # characters of a line on stderr
UNSEEN = {"Cc", "Cf", "Zl", "Zp"}  # Unicode categories: controls, formats, ends of lines
JOINERS = "\u200c\u200d"  # of Cf, but part of ordinary names: of emoji and of Persian words
IGNORABLE = re.compile(  # default ignorable, of other categories: DerivedCoreProperties.txt
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u3164\uffa0\ufff0-\ufff8"
    "\U000e0000-\U000e0fff]"
)


def printable(text: str) -> str:
    """Escape control and invisible characters: no name can steer a terminal or fake a line."""
    if text.isprintable() and (text.isascii() or not IGNORABLE.search(text)):
        return text
    return "".join(map(_escaped, text))


def _escaped(character: str) -> str:
    import unicodedata  # only few names need it

    if "\udc80" <= character < "\udca0":  # a byte of a name that is not UTF-8, a control in others
        return f"\\x{ord(character) - 0xDC00:02x}"
    if character in JOINERS:
        return character
    if unicodedata.category(character) in UNSEEN or IGNORABLE.match(character):
        return character.encode("unicode_escape").decode()
    return character


def shown(path: str | tuple[str, ...]) -> str:
    """A path for a reader's eyes, relative to where the user is if below; or several, each once."""
    if isinstance(path, tuple):
        return listed([shown(one) for one in dict.fromkeys(path)])
    with contextlib.suppress(OSError):  # where the user is may be gone
        here = os.getcwd()
        path = path if here == "/" else path.removeprefix(here + "/")
    return printable(path)


class Lines(io.TextIOBase):
    """A stream of whole lines, of which others may write to the same file.

    Lines that fit into a block are one write; a longer line is one write alone. So no line is
    divided by another process's. `descriptor` is None where the stream is closed.
    """

    encoding = "utf-8"
    errors = "digitnet"  # bytes of names that are not UTF-8 as they came, the rest escaped

    def __init__(self, name: str, descriptor: int | None, encoding: str) -> None:
        self.name, self.descriptor, self.encoding = name, descriptor, encoding
        self._pending = b""

    def write(self, text: str) -> int:
        """Keep text, which is whole lines, until it is flushed or its block is full."""
        line = text.encode(self.encoding, self.errors)
        if self.descriptor is None:
            raise OutputError(f"{self.name} is closed")
        if len(self._pending) + len(line) > BLOCK:
            self.flush()
        self._pending += line
        return len(text)

    def flush(self) -> None:
        """Write what was kept. What cannot be written is dropped: it would fail again."""
        pending, self._pending = self._pending, b""
        while pending and self.descriptor is not None:
            try:
                pending = pending[os.write(self.descriptor, pending) :]
            except BlockingIOError:  # a full pipe that was made not to block
                _wait_for_room(self.descriptor)
            except OSError as error:
                error.filename = error.filename or self.name
                raise

    def fileno(self) -> int:
        if self.descriptor is None:
            raise OSError(f"{self.name} is closed")
        return self.descriptor

    def isatty(self) -> bool:
        return self.descriptor is not None and os.isatty(self.descriptor)


def _wait_for_room(descriptor: int) -> None:
    import select

    room = select.poll()
    room.register(descriptor, select.POLLOUT)
    room.poll()


def prepare_streams() -> None:
    """Make stdout and stderr streams of whole lines. A closed stderr stays None."""
    codecs.register_error("digitnet", _encoded)
    out, err = sys.stdout, sys.stderr
    number, encoding = (None, "utf-8") if out is None else (out.fileno(), out.encoding)
    sys.stdout = Lines("standard output", number, encoding)
    if err is not None:
        sys.stderr = Lines("standard error", err.fileno(), err.encoding)


def silence_decoders() -> None:
    """Make stderr digitnet's own: decoders in C, such as libtiff, write to it past any check."""
    if isinstance(sys.stderr, Lines):
        sys.stderr.descriptor = os.dup(2)
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
    """One line to stderr, after the answers so far, if it is open and takes one.

    What is said has no part in the status.
    """
    sys.stdout.flush()
    if sys.stderr is not None:
        try:
            sys.stderr.write(_shortened(printable(text)) + "\n")
            sys.stderr.flush()
        except BrokenPipeError:
            raise
        except OSError:  # a full disk, a terminal that hung up
            pass


def _shortened(text: str) -> str:
    """Text with its middle left out if it is too long for a line."""
    if len(text) <= MAX_MESSAGE:
        return text
    return f"{text[: MAX_MESSAGE // 2]}…{text[1 - MAX_MESSAGE // 2 :]}"


def answer(text: str, *, flush: bool = True) -> None:
    """Text to stdout, at once unless `flush` is false and more is to follow at once."""
    sys.stdout.write(text + "\n")
    if flush:
        sys.stdout.flush()


def answer_json(value: Any, *, flush: bool = True) -> None:
    """One line of JSON to stdout, like `answer`."""
    import json

    answer(json.dumps(value, allow_nan=False), flush=flush)
