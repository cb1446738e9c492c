"""Paths of users: what lies there, and where a relative one leads.

Unlike `os.path.exists`, an error of the system, such as a folder that may not be searched or a disk
that fails for a moment, is not taken for an empty place: it would turn `--resume` into a new
training, or one model into another.
"""

import errno
import os
import stat
from typing import Literal

from digitnet.errors import DigitnetError, OutputError

AnyPath = str | os.PathLike[str]
Kind = Literal["file", "folder", "other"]


def status_at(path: AnyPath) -> os.stat_result | None:
    """Return `os.stat` of a path, at the end of links; None if nothing is there.

    Raises OSError if the system cannot tell.
    """
    try:
        return os.stat(path)
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: a NUL in the path
        return None


def kind_of(path: AnyPath) -> Kind | None:
    """Return what lies at a path, at the end of links; None if nothing does.

    Raises OSError if the system cannot tell.
    """
    status = status_at(path)
    if status is None:
        return None
    mode = status.st_mode
    return "file" if stat.S_ISREG(mode) else "folder" if stat.S_ISDIR(mode) else "other"


def why_missing(path: AnyPath, wanted: str = "file") -> str:
    """Say in a message why `kind_of` found nothing: there is nothing, or a link to nothing."""
    try:
        return f"expected a {wanted}, found a link to {os.readlink(path)}, which does not exist"
    except (OSError, ValueError):  # it is no link
        return f"no such {wanted}"


def absolute(path: AnyPath) -> str:
    """Return a path that no longer depends on the working directory.

    Raises DigitnetError if the working directory has been deleted.
    """
    try:
        return os.path.abspath(path)
    except FileNotFoundError:
        raise DigitnetError(
            f"{os.fspath(path)}: expected a path in the working directory, found that directory "
            "deleted; change to another one"
        ) from None


def resolve_output(path: str) -> str:
    """Return the absolute path to write to, symbolic links followed; nothing needs to be there yet.

    Raises OutputError if the links go in a circle or cannot be read.
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
    """Whether a path can be that of a file: it does not end in a slash, `.` or `..`."""
    return os.path.basename(path) not in ("", ".", "..")
