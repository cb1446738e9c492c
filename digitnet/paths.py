"""Look up and resolve the paths that users give.

Unlike `os.path.exists`, these functions do not report a path as missing when the system cannot look
it up, for example in a folder without search permission or on a failing disk. Otherwise `--resume`
could start a new training, and a wrong model could be used.
"""

import errno
import os
import stat
from typing import Literal

from digitnet.errors import DigitnetError, OutputError

AnyPath = str | os.PathLike[str]
Kind = Literal["file", "folder", "other"]


def status_at(path: AnyPath) -> os.stat_result | None:
    """Return `os.stat` of a path, following links; None if nothing exists there.

    Raises OSError if the system cannot look it up.
    """
    try:
        return os.stat(path)
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: a NUL in the path
        return None


def kind_of(path: AnyPath) -> Kind | None:
    """Return what exists at a path, following links; None if nothing does.

    Raises OSError if the system cannot look it up.
    """
    status = status_at(path)
    if status is None:
        return None
    mode = status.st_mode
    return "file" if stat.S_ISREG(mode) else "folder" if stat.S_ISDIR(mode) else "other"


def why_missing(path: AnyPath, wanted: str = "file") -> str:
    """Return the message for a path where `kind_of` found nothing, or only a broken link."""
    try:
        return f"expected a {wanted}, found a link to {os.readlink(path)}, which does not exist"
    except (OSError, ValueError):  # not a link
        return f"no such {wanted}"


def absolute(path: AnyPath) -> str:
    """Return the absolute form of a path.

    Raises DigitnetError if the working directory has been deleted.
    """
    try:
        return os.path.abspath(path)
    except FileNotFoundError:
        raise DigitnetError(
            f"{os.fspath(path)}: expected an existing working directory, found it deleted; "
            "change to another directory"
        ) from None


def resolve_output(path: str) -> str:
    """Return the absolute path to write to, following links; the file need not exist yet.

    Raises OutputError if the links form a cycle or cannot be read.
    """
    try:
        return os.path.realpath(path, strict=True)
    except FileNotFoundError:
        return os.path.realpath(path)
    except OSError as error:
        if error.errno == errno.ELOOP:
            problem = "expected a file to write, found a link to itself"
        else:
            problem = f"cannot be written: {error.strerror}"
        raise OutputError(f"{path}: {problem}") from None


def names_file(path: str) -> bool:
    """Return whether a path can name a file: it does not end in a slash, `.` or `..`."""
    return os.path.basename(path) not in ("", ".", "..")
