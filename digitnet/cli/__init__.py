"""The command line: one file per verb. Errors become one line and an exit status here."""

import sys
import warnings

import click

from digitnet.cli.evaluate import evaluate
from digitnet.cli.output import prepare_streams, say
from digitnet.cli.predict import predict
from digitnet.cli.train import train
from digitnet.errors import DigitnetError, ExitStatus, not_loaded, shortage
from digitnet.version import __version__

EPILOG = """
\b
Begin with
  digitnet train --config configs/default.yaml -o model.npz
  digitnet evaluate
  digitnet predict picture.png

\b
Exit status
  0 done  1 something could not be read or done  2 the command or the config is wrong
  3 below --min-accuracy, or with it worse than --baseline
  75 another training holds the output: try later
  129, 130, 143 stopped by SIGHUP, SIGINT, SIGTERM, checkpoint saved  141 closed pipe
"""


@click.group(epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="digitnet")
def cli() -> None:
    """Train networks that read handwritten digits, and read pictures with them.

    Results go to stdout, everything else to stderr. `digitnet COMMAND --help` tells more.
    """


for command in (train, evaluate, predict):
    cli.add_command(command)


def main() -> None:
    """The console script."""
    prepare_streams()
    warnings.filterwarnings("ignore", module="PIL")  # of pictures that it could read all the same
    try:
        status = _guarded(sys.argv[1:])
    except BrokenPipeError:
        status = ExitStatus.BROKEN_PIPE
    sys.exit(status)


def _guarded(arguments: list[str]) -> int:
    """Run a command; what the system refused becomes one line, but for a closed pipe."""
    try:
        return _run(arguments)
    except KeyboardInterrupt:
        return ExitStatus.INTERRUPTED
    except BrokenPipeError:
        raise
    except Exception as error:
        say(_line(error))
        return ExitStatus.FAILED


def _line(error: Exception) -> str:
    """Say what the system refused, such as memory or room on a disk; raise any other error."""
    if short := shortage(error):
        return str(short)
    if isinstance(error, ImportError):  # of a module that is loaded where it is used
        return not_loaded(error)
    if isinstance(error, OSError):
        return f"{error.filename or 'digitnet'}: {error.strerror or error}"
    raise error


def _run(arguments: list[str]) -> int:
    try:
        with cli.make_context("digitnet", arguments) as context:
            cli.invoke(context)
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return ExitStatus.USAGE
    except click.UsageError as error:
        verb = [name for name in arguments[:1] if name in cli.commands]  # click may not tell
        command = error.ctx.command_path if error.ctx else " ".join(["digitnet", *verb])
        problem = error.format_message()
        stop = "" if problem.endswith((".", "?")) else "."
        say(f"{command}: {problem}{stop} See {command} --help.")
        return ExitStatus.USAGE
    except DigitnetError as error:
        short = shortage(error)
        say(f"{error}; {short.advice}" if short else str(error))
        return error.exit_status
    return ExitStatus.DONE
