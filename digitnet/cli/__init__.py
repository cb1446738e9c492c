"""The command line: one module per verb. Errors become one line and an exit status here."""

import sys
import warnings

import click

from digitnet.cli.evaluate import evaluate
from digitnet.cli.export import export
from digitnet.cli.info import info
from digitnet.cli.output import prepare_streams, print_message
from digitnet.cli.predict import predict
from digitnet.cli.ranks import Job
from digitnet.cli.report import report
from digitnet.cli.train import train
from digitnet.errors import DigitnetError, Elsewhere, ExitStatus, describe_import_error, shortage
from digitnet.version import __version__

EPILOG = """
\b
Getting started
  digitnet train --config own --set data.path=my-digits -o model.npz
  digitnet evaluate
  digitnet predict picture.png

\b
Exit status
    0  done
    1  something could not be read or done
    2  the command or the config is wrong
    3  below --min-accuracy, or (with it) worse than --baseline
    4  predict -o: the file is complete, some pictures could not be read
   75  another process is writing the output: try later
  129  stopped by SIGHUP, checkpoint or answers saved
  130  stopped by SIGINT (Ctrl-C), checkpoint or answers saved
  141  output pipe closed
  143  stopped by SIGTERM, checkpoint or answers saved
"""


@click.group(epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="digitnet")
def cli() -> None:
    """Train neural networks on handwritten digits, and read digits in pictures.

    Results go to stdout, messages to stderr. `digitnet COMMAND --help` shows the options and
    examples of a command.
    """


for command in (train, evaluate, predict, info, report, export):
    cli.add_command(command)


def main() -> None:
    """Run the command in sys.argv and exit with its status."""
    prepare_streams()
    warnings.filterwarnings("ignore", module="PIL")  # Pillow warns about pictures that it can read
    with Job() as job:
        try:
            status = _guarded(sys.argv[1:], job)
        except BrokenPipeError:
            status = ExitStatus.BROKEN_PIPE
        sys.exit(job.end(status))


def _guarded(arguments: list[str], job: Job) -> int:
    """Run a command and report system errors in one line. Raises BrokenPipeError."""
    try:
        return _run(arguments, job)
    except Elsewhere as error:
        return error.exit_status
    except KeyboardInterrupt:
        return ExitStatus.INTERRUPTED
    except BrokenPipeError:
        raise
    except Exception as error:
        print_message(job.prefix + _system_message(error))
        return ExitStatus.FAILED


def _system_message(error: Exception) -> str:
    """Return the message for a system error, such as a full disk. Raises any other error."""
    if short := shortage(error):
        return str(short)
    if isinstance(error, ImportError):  # modules are imported where they are used
        return describe_import_error(error)
    if isinstance(error, OSError):
        return f"{error.filename or 'digitnet'}: {error.strerror or error}"
    raise error


def _run(arguments: list[str], job: Job) -> int:
    try:
        with cli.make_context("digitnet", arguments, obj=job) as context:
            cli.invoke(context)
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return ExitStatus.USAGE
    except click.UsageError as error:
        if job.follows:
            return ExitStatus.DONE
        verb = [name for name in arguments[:1] if name in cli.commands]  # click may not know it
        command = error.ctx.command_path if error.ctx else " ".join(["digitnet", *verb])
        problem = error.format_message()
        stop = "" if problem.endswith((".", "?")) else "."
        print_message(f"{command}: {problem}{stop} See {command} --help.")
        return ExitStatus.USAGE
    except Elsewhere:
        raise
    except DigitnetError as error:
        short = shortage(error)
        print_message(job.prefix + (f"{error}; {short.advice}" if short else str(error)))
        return error.exit_status
    return ExitStatus.DONE
