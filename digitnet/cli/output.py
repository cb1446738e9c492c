"""Write results to stdout and messages to stderr, in whole lines of safe characters."""

import codecs
import contextlib
import io
import os
import re
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from digitnet.errors import OutputError, join_names

if TYPE_CHECKING:
    from digitnet.dataset.definition import Unreadable

ATOMIC_WRITE = 4096  # bytes: PIPE_BUF, the largest write that a pipe never splits (pipe(7))
MAX_UNREADABLE = 20  # pictures that are listed
MAX_MESSAGE = 1000  # characters per line on stderr
INVISIBLE = {"Cc", "Cf", "Zl", "Zp"}  # Unicode categories: controls, formats, line separators
JOINERS = "\u200c\u200d"  # in Cf, but part of ordinary names: emoji and Persian words
IGNORABLE = re.compile(  # Default_Ignorable_Code_Point in DerivedCoreProperties.txt, outside Cf
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u3164\uffa0\ufff0-\ufff8"
    "\U000e0000-\U000e0fff]"
)


def printable(text: str) -> str:
    """Escape control and invisible characters, which could steer a terminal or fake a line."""
    if text.isprintable() and (text.isascii() or not IGNORABLE.search(text)):
        return text
    return "".join(map(_escaped, text))


def _escaped(character: str) -> str:
    import unicodedata  # few names need it

    if "\udc80" <= character < "\udca0":  # a byte that is not UTF-8, a control in Latin-1
        return f"\\x{ord(character) - 0xDC00:02x}"
    if character in JOINERS:
        return character
    if unicodedata.category(character) in INVISIBLE or IGNORABLE.match(character):
        return character.encode("unicode_escape").decode()
    return character


def display_path(path: str | tuple[str, ...]) -> str:
    """Return a path for a message, relative if it is below the working directory.

    Several paths are joined, each named once.
    """
    if isinstance(path, tuple):
        return join_names([display_path(each) for each in dict.fromkeys(path)])
    with contextlib.suppress(OSError):  # the working directory may have been deleted
        folder = os.getcwd()
        path = path if folder == "/" else path.removeprefix(folder + "/")
    return printable(path)


class Lines(io.TextIOBase):
    """A stream that writes whole lines, so that several processes can share one file.

    Lines that fit into ATOMIC_WRITE bytes are written together; a longer line is a write of its
    own. descriptor: None if the stream is closed.
    """

    encoding = "utf-8"
    errors = "digitnet"  # bytes that are not UTF-8 pass unchanged, other characters are escaped

    def __init__(self, name: str, descriptor: int | None, encoding: str) -> None:
        self.name, self.descriptor, self.encoding = name, descriptor, encoding
        self._pending = b""

    def write(self, text: str) -> int:
        """Buffer whole lines until flush, or until ATOMIC_WRITE bytes are full."""
        line = text.encode(self.encoding, self.errors)
        if self.descriptor is None:
            raise OutputError(f"{self.name} is closed")
        if len(self._pending) + len(line) > ATOMIC_WRITE:
            self.flush()
        self._pending += line
        return len(text)

    def flush(self) -> None:
        """Write the buffer. A buffer that cannot be written is dropped: it would fail again."""
        pending, self._pending = self._pending, b""
        while pending and self.descriptor is not None:
            try:
                pending = pending[os.write(self.descriptor, pending) :]
            except BlockingIOError:  # a full pipe in non-blocking mode
                _wait_until_writable(self.descriptor)
            except OSError as error:
                error.filename = error.filename or self.name
                raise

    def fileno(self) -> int:
        if self.descriptor is None:
            raise OSError(f"{self.name} is closed")
        return self.descriptor

    def isatty(self) -> bool:
        return self.descriptor is not None and os.isatty(self.descriptor)


def _wait_until_writable(descriptor: int) -> None:
    import select

    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    poll.poll()


def prepare_streams() -> None:
    """Replace stdout and stderr by streams of whole lines. A closed stderr stays None."""
    codecs.register_error("digitnet", _encode_unencodable)
    out, err = sys.stdout, sys.stderr
    number, encoding = (None, "utf-8") if out is None else (out.fileno(), out.encoding)
    sys.stdout = Lines("standard output", number, encoding)
    if err is not None:
        sys.stderr = Lines("standard error", err.fileno(), err.encoding)


def silence_decoders() -> None:
    """Send file descriptor 2 to /dev/null, because decoders in C, such as libtiff, write to it.

    sys.stderr keeps working, through a copy of the descriptor.
    """
    if isinstance(sys.stderr, Lines):
        sys.stderr.descriptor = os.dup(2)
    null = os.open(os.devnull, os.O_WRONLY)
    if null != 2:  # if stderr was closed, null takes descriptor 2 before a data file can
        os.dup2(null, 2)
        os.close(null)


def _encode_unencodable(error: UnicodeError) -> tuple[bytes, int]:
    assert isinstance(error, UnicodeEncodeError)
    part = error.object[error.start : error.end]
    try:
        return part.encode("ascii", "surrogateescape"), error.end
    except UnicodeEncodeError:
        return part.encode("ascii", "backslashreplace"), error.end


def print_message(text: str) -> None:
    """Write one line to stderr, after the results so far.

    If stderr is closed or its disk full, the message is lost and nothing else changes. Raises
    BrokenPipeError.
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


def print_unreadable(unreadable: "Sequence[Unreadable]") -> None:
    """Write the pictures that were left out to stderr: at most MAX_UNREADABLE, then a count."""
    for each in unreadable[:MAX_UNREADABLE]:
        print_message(str(each))
    if (others := len(unreadable) - MAX_UNREADABLE) > 0:
        print_message(f"… and {others:,} more pictures that cannot be read")


def _shortened(text: str) -> str:
    """Return text of at most MAX_MESSAGE characters, its middle replaced by … if necessary."""
    if len(text) <= MAX_MESSAGE:
        return text
    return f"{text[: MAX_MESSAGE // 2]}…{text[1 - MAX_MESSAGE // 2 :]}"


def print_result(text: str, *, flush: bool = True) -> None:
    """Write text and a newline to stdout. flush: False if more follows at once."""
    sys.stdout.write(text + "\n")
    if flush:
        sys.stdout.flush()


def print_json(value: Any, *, flush: bool = True) -> None:
    """Write a value to stdout as one line of JSON, like `print_result`."""
    import json

    print_result(json.dumps(value, allow_nan=False), flush=flush)
