"""The command, and `python -m digitnet`: it hears Ctrl-C from its first moment on."""

import os
import signal
import sys


def main() -> None:
    """The console script."""
    if signal.getsignal(signal.SIGINT) == signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)  # while modules load, an exception might be swallowed
    if signal.getsignal(signal.SIGUSR1) == signal.SIG_DFL:
        signal.signal(signal.SIGUSR1, _go_on)  # there is no checkpoint to write yet
    try:
        _command()
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # what there was to do is done


def _command() -> None:
    from digitnet.errors import not_loaded, shortage

    try:
        from digitnet.cli import main
    except (ImportError, MemoryError, OSError) as error:
        if short := shortage(error):
            sys.exit(str(short))
        if isinstance(error, ImportError):
            sys.exit(not_loaded(error))
        raise
    main()


def _go_on(*_: object) -> None:
    pass


def _end(number: int, _: object) -> None:
    os._exit(128 + number)


if __name__ == "__main__":
    main()
