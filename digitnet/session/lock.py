"""Lock an output, so that two trainings never write the same file."""

import contextlib
import fcntl
import os
from collections.abc import Iterator

from digitnet.errors import Busy, OutputError
from digitnet.paths import resolve_output


@contextlib.contextmanager
def lock_output(output: str) -> Iterator[None]:
    """Lock the output for this process; the system releases the lock when the process ends.

    Raises Busy if another process has locked it, OutputError if it cannot be locked.
    """
    path = resolve_output(output) + ".lock"
    try:
        descriptor = _open_locked(path)
    except BlockingIOError:
        raise Busy(f"{output}: another training is writing it; try later") from None
    except OSError as error:
        raise OutputError(f"{path}: cannot be locked: {error.strerror}") from None
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            os.unlink(path)
        with contextlib.suppress(OSError):  # the system releases the lock all the same
            os.close(descriptor)


def _open_locked(path: str) -> int:
    """Open and lock the lock file; return its descriptor."""
    while True:  # again if the last holder unlinked the file in between
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o666)
        try:
            if _lock(descriptor, path):
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            raise
        except OSError:
            with contextlib.suppress(OSError):  # only the holder of the lock may unlink the file
                if _lock(descriptor, path):
                    os.unlink(path)
            os.close(descriptor)
            raise
        os.close(descriptor)


def _lock(descriptor: int, path: str) -> bool:
    """Lock the open file; return whether it is still the file at `path`."""
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with contextlib.suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    return False
