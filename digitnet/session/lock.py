"""A lock on an output, so that two trainings never write the same file."""

import contextlib
import fcntl
import os
from collections.abc import Iterator

from digitnet.errors import Busy, OutputError
from digitnet.paths import resolve_output


@contextlib.contextmanager
def hold(output: str) -> Iterator[None]:
    """Hold the output for this process; the system lets go of it when the process ends.

    Raises Busy if another process holds it, OutputError if it cannot be locked.
    """
    path = resolve_output(output) + ".lock"
    try:
        descriptor = _locked(path)
    except BlockingIOError:
        raise Busy(f"{output}: another training holds it; try later") from None
    except OSError as error:
        raise OutputError(f"{path}: cannot be locked: {error.strerror}") from None
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            os.unlink(path)
        with contextlib.suppress(OSError):  # the system lets go of it all the same
            os.close(descriptor)


def _locked(path: str) -> int:
    """The lock file, open and locked; again if its last holder unlinked it in between."""
    while True:
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o666)
        try:
            if _is_held(descriptor, path):
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            raise
        except OSError:
            with contextlib.suppress(OSError):  # only a holder may unlink it
                if _is_held(descriptor, path):
                    os.unlink(path)
            os.close(descriptor)
            raise
        os.close(descriptor)


def _is_held(descriptor: int, path: str) -> bool:
    """Lock the open file; return whether it is still the one at `path`."""
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with contextlib.suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    return False
