"""Look up, resolve and replace the files that users name.

Unlike `os.path.exists`, these functions do not report a path as missing when the system cannot look
it up, for example in a folder without search permission or on a failing disk. Otherwise `--resume`
could start a new training, and a wrong model could be used.
"""

import contextlib
import errno
import os
import stat
import threading
from collections.abc import Iterator
from typing import BinaryIO, Literal

from digitnet.errors import DigitnetError, OutputError

SHIPPED_NAME = "shipped"  # stands for the model that ships, wherever a model is named
TEMPORARY = ".tmp"  # suffix of a file until it is complete
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


def is_hidden(name: str) -> bool:
    """Return whether a name in a folder is hidden, or the folder of a Mac's resource forks."""
    return name.startswith(".") or name == "__MACOSX"


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

    Raises OutputError if the path names no file, or if its links form a cycle or cannot be read.
    """
    if not names_file(path):
        raise OutputError(f"{path}: expected the name of a file, found the name of a folder")
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
    except ValueError as error:  # a NUL in the path
        raise OutputError(f"{path!r}: cannot be written: {error}") from None


def names_file(path: str) -> bool:
    """Return whether a path can name a file: it does not end in a slash, `.` or `..`."""
    return os.path.basename(path) not in ("", ".", "..")


def kind_to_write(output: str) -> Kind | None:
    """Return what exists at an output; raises OutputError if the system cannot look it up."""
    return _kind_for(output, output)


def file_to_write(output: str) -> bool:
    """Return whether a file exists at an output.

    Raises OutputError for a folder, a device and -, and unless the output's folder exists and is
    writable.
    """
    if output == "-":
        raise OutputError("-: expected a file to write; ./- is a file of this name")
    require_folder(output)
    kind = kind_to_write(output)
    if kind not in ("file", None):
        found = "a folder" if kind == "folder" else "a device or a pipe"
        raise OutputError(f"{output}: expected a file to write, found {found}")
    return kind == "file"


def own_suffix() -> str:
    """Return the suffix of a temporary file that no other thread or process uses."""
    return f".{os.getpid()}-{threading.get_ident()}{TEMPORARY}"


def require_folder(output: str) -> None:
    """Raise OutputError unless an output's folder exists and is writable."""
    folder = os.path.dirname(resolve_output(output))
    if _kind_for(folder, output) != "folder":
        raise OutputError(f"{output}: expected the folder {folder} to exist, found none; create it")
    if not os.access(folder, os.W_OK):
        raise OutputError(f"{output}: the folder {folder} is not writable")


def _kind_for(path: str, output: str) -> Kind | None:
    try:
        return kind_of(path)
    except OSError as error:
        raise OutputError(f"{output}: cannot be written: {error.strerror}") from None


def same_file(one: AnyPath, other: AnyPath) -> bool:
    """Return whether two paths name the same file; False if one cannot be looked up."""
    try:
        return os.path.samefile(one, other)
    except (OSError, ValueError):
        return False


@contextlib.contextmanager
def replace_file(path: str, suffix: str = TEMPORARY) -> Iterator[BinaryIO]:
    """Yield a new file that replaces `path` atomically: a reader sees the old or the new file.

    The new file is written beside `path`, with the access rights of the old one. When the block
    ends, it is flushed to disk and renamed. Raises OutputError if writing fails, in the block too;
    the old file is then unchanged.

    suffix: of the temporary file. A process that is killed leaves this file; the next writer with
    the same suffix discards it. A writer without a lock on `path` needs a suffix of its own.
    """
    path, temporary = resolve_output(path), _temporary_path(path, suffix)
    try:
        discard_unfinished(path, suffix)
        old = status_at(path)
        # An old file may be private: the new file stays private until it has the old file's mode.
        with open(temporary, "xb", opener=_open_private if old else None) as file:
            if old:
                _copy_access(file.fileno(), old)
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        flush_folder(os.path.dirname(path))
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from None
    finally:
        with contextlib.suppress(OSError):
            os.unlink(temporary)


def _open_private(path: str, flags: int) -> int:
    """Open a new file that only its owner can access; `_copy_access` sets the final mode."""
    return os.open(path, flags, 0o600)


def _copy_access(descriptor: int, old: os.stat_result) -> None:
    """Give a new file the owner, group and mode of the old file.

    If the system does not allow the owner or group to change, the mode is restricted: a different
    group gets only the permissions that both the old group and all other users had.
    """
    new = os.fstat(descriptor)
    if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
        try:
            os.fchown(descriptor, old.st_uid, old.st_gid)
        except OSError:  # only root may change the owner; users may choose among their groups
            with contextlib.suppress(OSError):
                os.fchown(descriptor, -1, old.st_gid)
        new = os.fstat(descriptor)
    mode = stat.S_IMODE(old.st_mode)
    if new.st_gid != old.st_gid:
        common = (mode >> 3) & mode & 0o7
        mode = (mode & 0o700) | common << 3 | common
    elif new.st_uid != old.st_uid:
        mode &= 0o777  # no set-user-ID for another user
    os.fchmod(descriptor, mode)


def discard_unfinished(path: str, suffix: str = TEMPORARY) -> None:
    """Remove the temporary file that a process left when it was killed while writing `path`.

    No other process may be writing `path` with this suffix. Raises OutputError if the file cannot
    be removed.
    """
    temporary = _temporary_path(path, suffix)
    try:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:  # such a file cannot exist; writing it says so
            return
        raise OutputError(f"{temporary}: cannot be removed: {error.strerror}") from None


def _temporary_path(path: str, suffix: str) -> str:
    return resolve_output(path) + suffix


def flush_folder(folder: str) -> None:
    """Flush the names in a folder to disk. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        with contextlib.suppress(OSError):  # a failed close loses nothing: the folder is flushed
            os.close(descriptor)
