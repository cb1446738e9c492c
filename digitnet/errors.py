"""What can go wrong, and the exit status that tells a script about it."""

import errno
from collections.abc import Collection
from enum import IntEnum
from itertools import islice
from typing import NamedTuple

LISTED = 12  # names in a message, at most


class ExitStatus(IntEnum):
    """What `digitnet` tells the shell when it ends."""

    DONE = 0
    FAILED = 1  # something could not be read or done
    USAGE = 2  # the command or the config is wrong
    BELOW_BAR = 3  # the model is less accurate than was asked for
    BUSY = 75  # another training holds this output (EX_TEMPFAIL of sysexits.h)
    HANGUP = 129
    INTERRUPTED = 130
    BROKEN_PIPE = 141
    TERMINATED = 143


class DigitnetError(Exception):
    """Anything that digitnet has to say to its user instead of a traceback: one clear line."""

    exit_status = ExitStatus.FAILED


class DataError(DigitnetError):
    """A data set that is missing, damaged or not what it claims to be."""


class ImageError(DigitnetError):
    """A picture that cannot be read, or has nothing to read on it."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"{name}: {problem}")
        self.problem = problem


class CheckpointError(DigitnetError):
    """A model file that is missing, damaged, hostile or of another kind."""


class TrainingError(DigitnetError):
    """A training that cannot go on."""


class OutputError(DigitnetError):
    """A file that must not or cannot be written."""


class ConfigError(DigitnetError):
    """A config that is wrong.

    `key` is the path of the wrong key, such as `training.epochs` (empty for the file as a whole);
    `where` is `FILE:LINE` or the override that set it, once that is known.
    """

    exit_status = ExitStatus.USAGE

    def __init__(self, key: str, problem: str, where: str = "") -> None:
        super().__init__(": ".join(part for part in (where, key, problem) if part))
        self.key = key
        self.problem = problem


class Busy(DigitnetError):
    """Another training holds the output."""

    exit_status = ExitStatus.BUSY


class BelowBar(DigitnetError):
    """The model is less accurate than was asked for."""

    exit_status = ExitStatus.BELOW_BAR


class Stopped(DigitnetError):
    """A signal ended the training, and the checkpoint is saved if there was anything to save."""

    def __init__(self, message: str, exit_status: ExitStatus) -> None:
        super().__init__(message)
        self.exit_status = exit_status


def listed(names: Collection[str]) -> str:
    """Return names for a message: all of them, or the first ones and how many there are."""
    first = ", ".join(islice(names, LISTED))
    return first if len(names) <= LISTED else f"{first}, … ({len(names):,} in all)"


class Shortage(NamedTuple):
    """What the system has too little of, and what the user can do about it."""

    problem: str
    advice: str

    def __str__(self) -> str:
        return f"{self.problem}; {self.advice}"


MEMORY = Shortage("there is not enough memory", "free some, or raise the limit (ulimit -v)")
FILES = Shortage("too few files may be open at once", "raise the limit (ulimit -n)")
THREADS = Shortage(
    "too few threads may run at once", "free memory, or raise the limits (ulimit -v, ulimit -u)"
)
_NUMBERS = {errno.ENOMEM: MEMORY, errno.EMFILE: FILES, errno.ENFILE: FILES}
_PHRASES = {  # of the dynamic loader and of Python, which have no number for it
    "failed to map segment": MEMORY,
    "annot allocate memory": MEMORY,
    "oo many open files": FILES,
    "can't start new thread": THREADS,
}


def shortage(error: BaseException | None) -> Shortage | None:
    """Return the shortage that caused an error, directly or through other errors; else None."""
    while error is not None:
        if isinstance(error, MemoryError):
            return MEMORY
        if isinstance(error, OSError) and error.errno in _NUMBERS:
            return _NUMBERS[error.errno]
        if isinstance(error, ImportError | RuntimeError):
            for phrase, short in _PHRASES.items():
                if phrase in str(error):
                    return short
        error = error.__cause__ or error.__context__
    return None


def not_loaded(error: ImportError) -> str:
    """Return the line for a part of the program, or of a library, that cannot be loaded."""
    first, *_ = str(error).strip().splitlines() or ["no reason given"]
    return f"digitnet cannot be loaded: {first}; try again, or install it again"
