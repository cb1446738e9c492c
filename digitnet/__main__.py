"""The `digitnet` command and `python -m digitnet`, with Ctrl-C handled from the start."""

import os
import signal
import sys


def main() -> None:
    """Run the `digitnet` command."""
    if signal.getsignal(signal.SIGINT) == signal.default_int_handler:
        signal.signal(signal.SIGINT, _exit)  # an importing module might swallow KeyboardInterrupt
    if signal.getsignal(signal.SIGUSR1) == signal.SIG_DFL:
        signal.signal(signal.SIGUSR1, _ignore)  # there is no checkpoint to write yet
    try:
        _command()
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the work is done: keep its exit status


def _command() -> None:
    from digitnet.errors import describe_import_error, shortage

    try:
        from digitnet.cli import main
    except (ImportError, MemoryError, OSError) as error:
        if short := shortage(error):
            sys.exit(str(short))
        if isinstance(error, ImportError):
            sys.exit(describe_import_error(error))
        raise
    main()


def _ignore(*_: object) -> None:
    pass


def _exit(number: int, _: object) -> None:
    if "PMI_RANK" in os.environ:  # MPICH ends the other ranks only if a signal ends this one
        signal.signal(number, signal.SIG_DFL)
        signal.raise_signal(number)
    os._exit(128 + number)


if __name__ == "__main__":
    main()
