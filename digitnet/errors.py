"""Errors that users can cause, and their exit statuses."""

import errno
from collections.abc import Collection
from enum import IntEnum
from itertools import islice
from typing import NamedTuple

MAX_LISTED = 12  # names in one message


class ExitStatus(IntEnum):
    """Exit status of the `digitnet` command."""

    DONE = 0
    FAILED = 1  # something could not be read or done
    USAGE = 2  # the command or the config is wrong
    BELOW_BAR = 3  # the model does not reach --min-accuracy, or is worse than --baseline
    SOME_UNREADABLE = 4  # the file of answers is complete; some pictures could not be read
    BUSY = 75  # another process is writing this output (EX_TEMPFAIL in sysexits.h)
    HANGUP = 129
    INTERRUPTED = 130
    BROKEN_PIPE = 141
    TERMINATED = 143


class DigitnetError(Exception):
    """Base class of errors that are shown as one line, without a traceback."""

    exit_status = ExitStatus.FAILED


class DataError(DigitnetError):
    """A data set is missing, damaged or in an unknown format.

    key: the config's key that names the data, in a training.
    """

    key = "data.path"


class ImageError(DigitnetError):
    """A picture cannot be read, or shows no ink."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"{name}: {problem}")
        self.problem = problem


class CheckpointError(DigitnetError):
    """A model file is missing, damaged, malicious or not a model at all."""


class TrainingError(DigitnetError):
    """A training cannot continue."""


class OutputError(DigitnetError):
    """A file cannot be written, or must not be overwritten."""


class ConfigError(DigitnetError):
    """A config is wrong.

    key: the full path of the wrong key, such as `training.epochs`; empty for the file as a whole.
    where: `FILE:LINE`, or the override that set the key; empty while unknown.
    """

    exit_status = ExitStatus.USAGE

    def __init__(self, key: str, problem: str, where: str = "") -> None:
        super().__init__(": ".join(part for part in (where, key, problem) if part))
        self.key = key
        self.problem = problem


class Busy(DigitnetError):
    """Another process is writing this output."""

    exit_status = ExitStatus.BUSY


class BelowBar(DigitnetError):
    """The model does not reach --min-accuracy, or is worse than --baseline."""

    exit_status = ExitStatus.BELOW_BAR


class Stopped(DigitnetError):
    """A signal stopped a training or answers to a file; the message says whether they are saved."""

    def __init__(self, message: str, exit_status: ExitStatus) -> None:
        super().__init__(message)
        self.exit_status = exit_status


class RankError(DigitnetError):
    """Another rank of the training has failed; the message names it."""

    def __init__(self, message: str, exit_status: int) -> None:
        super().__init__(message)
        self.exit_status = ExitStatus(exit_status)


class Elsewhere(DigitnetError):
    """The training has ended with an error that rank 0 prints; this rank only ends."""

    exit_status = ExitStatus.DONE

    def __init__(self) -> None:
        super().__init__("the training has ended; rank 0 says why")


def join_names(names: Collection[str]) -> str:
    """Return names for a message: all names, or the first ones and the total number."""
    first = ", ".join(islice(names, MAX_LISTED))
    return first if len(names) <= MAX_LISTED else f"{first}, … ({len(names):,} in all)"


class Shortage(NamedTuple):
    """A system resource that has run out, and what the user can do about it."""

    problem: str
    advice: str

    def __str__(self) -> str:
        return f"{self.problem}; {self.advice}"


MEMORY = Shortage("not enough memory", "free some, or raise the limit (ulimit -v)")
FILES = Shortage("too many open files", "raise the limit (ulimit -n)")
THREADS = Shortage(
    "cannot start more threads", "free memory, or raise the limits (ulimit -v, ulimit -u)"
)
_BY_ERRNO = {errno.ENOMEM: MEMORY, errno.EMFILE: FILES, errno.ENFILE: FILES}
_BY_PHRASE = {  # messages of the dynamic loader and of Python, which set no errno
    "failed to map segment": MEMORY,
    "annot allocate memory": MEMORY,
    "oo many open files": FILES,
    "can't start new thread": THREADS,
}


def shortage(error: BaseException | None) -> Shortage | None:
    """Return the shortage that caused an error, directly or through other errors, or None."""
    while error is not None:
        if isinstance(error, MemoryError):
            return MEMORY
        if isinstance(error, OSError) and error.errno in _BY_ERRNO:
            return _BY_ERRNO[error.errno]
        if isinstance(error, ImportError | RuntimeError):
            for phrase, short in _BY_PHRASE.items():
                if phrase in str(error):
                    return short
        error = error.__cause__ or error.__context__
    return None


def describe_import_error(error: ImportError) -> str:
    """Return the message for a module of digitnet or of a library that cannot be loaded."""
    first, *_ = str(error).strip().splitlines() or ["no reason given"]
    return f"digitnet cannot be loaded: {first}; try again, or reinstall digitnet"
