"""`digitnet train`: train a network and save it."""

import contextlib
import sys
import time
from typing import TYPE_CHECKING

import click

from digitnet.cli.options import format_option
from digitnet.cli.output import (
    print_json,
    print_message,
    print_result,
    silence_decoders,
)
from digitnet.cli.progress import (
    preparing_bar,
    terminal_width,
    training_bar,
    update_training_bar,
)
from digitnet.cli.train_text import (
    description,
    epoch_line,
    print_remarks,
    summarise,
    unreadable_pictures,
)
from digitnet.errors import ConfigError, DataError, ExitStatus, OutputError
from digitnet.fleet.launcher import launched
from digitnet.paths import absolute, names_file

if TYPE_CHECKING:
    from digitnet.config.definition import Config
    from digitnet.fleet.fleet import Fleet

EPILOG = """
\b
Examples
  digitnet train --config configs/default.yaml
  digitnet train --config configs/3blue1brown.yaml --set seed=2 -o seed2.npz
  digitnet train --config own --set data.path=my-digits -o my.npz
  digitnet train --config my.yaml --set training.epochs=60 --resume
  digitnet train --config my.yaml --format json | jq .validation.accuracy
  digitnet train --config my.yaml --dry-run --show
"""


@click.command(epilog=EPILOG)
@click.option(
    "--config",
    "path",
    metavar="FILE",
    required=True,
    help="Config file (YAML), or the name of a config that comes with digitnet, such as own.",
)
@click.option(
    "--set",
    "overrides",
    metavar="KEY=VALUE",
    multiple=True,
    help="Override a value of the config, such as training.epochs=5. Can be repeated.",
)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    help="Checkpoint to write. Default: `model` in the config.",
)
@click.option(
    "--resume",
    is_flag=True,
    help="Continue from the existing checkpoint; start a new training if there is none.",
)
@click.option(
    "--overwrite",
    is_flag=True,
    help="Replace an existing checkpoint, as soon as the first epoch has ended.",
)
@click.option(
    "--strict", is_flag=True, help="Stop at the first picture that cannot be read; do not train."
)
@format_option("one object per epoch, then a summary.")
@click.option(
    "-q", "--quiet", is_flag=True, help="Print nothing but warnings, errors and JSON results."
)
@click.option(
    "-v", "--verbose", is_flag=True, help="Print the network, the data and `training.threads`."
)
@click.option(
    "--dry-run",
    is_flag=True,
    help="Check the config and the data; print the complete config and what looks wrong in the "
    "data; do not train.",
)
@click.option(
    "--show", is_flag=True, help="With --dry-run: also draw some pictures as the network sees them."
)
@click.pass_context
def train(
    context: click.Context,
    path: str,
    overrides: tuple[str, ...],
    output: str | None,
    resume: bool,
    overwrite: bool,
    strict: bool,
    output_format: str,
    quiet: bool,
    verbose: bool,
    dry_run: bool,
    show: bool,
) -> None:
    """Train a network as described in a config file, and save it.

    The saved model is the network of the epoch with the best accuracy on the validation set.

    mpiexec -n 4 digitnet train … trains with 4 processes, which share training.shards.

    Ctrl-C, SIGTERM and SIGHUP save the checkpoint and stop; --resume continues from there. A second
    Ctrl-C stops at once, without saving. SIGUSR1 saves the checkpoint and does not stop.
    """
    started = time.perf_counter()
    from digitnet.config.reader import locate, locate_data
    from digitnet.config.threads import load_numpy

    if resume and overwrite:
        raise click.UsageError("--resume and --overwrite cannot be used together.")
    if quiet and verbose:
        raise click.UsageError("-q and -v cannot be used together.")
    if show and not dry_run:
        raise click.UsageError("--show requires --dry-run.")
    if show and output_format == "json":
        raise click.UsageError("--show requires --format text.")
    if output == "":
        raise click.UsageError("-o requires the name of a file.")
    if launched() is None:  # mistakes in the config are told before NumPy loads
        config = _config(path, overrides, output)
        load_numpy(1)  # training divides the work by itself
        fleet = context.obj.join()
    else:
        load_numpy(1)
        fleet = context.obj.join()
        config = fleet.lead(lambda: _config(path, overrides, output))
    silence_decoders()
    try:
        if dry_run:
            unreadable = _dry_run(config, strict, output_format, show, fleet)
        elif fleet.leads:
            unreadable = _train(
                config, started, resume, overwrite, strict, output_format, quiet, verbose, fleet
            )
        else:
            unreadable = _follow(config, resume, overwrite, strict, fleet)
    except ConfigError as error:
        raise locate(error, path, overrides) from None
    except DataError as error:
        raise locate_data(error, config, path, overrides) from None
    context.exit(ExitStatus.FAILED if unreadable else ExitStatus.DONE)


def _config(path: str, overrides: tuple[str, ...], output: str | None) -> "Config":
    """Return the config, with the output of the command line if there is one."""
    from digitnet.config.reader import read_config

    if output is not None and not names_file(output):
        raise OutputError(f"{output}: expected the name of a file, found the name of a folder")
    config = read_config(path, overrides)
    if output is None:
        return config
    import msgspec

    return msgspec.structs.replace(config, model=absolute(output))


def _dry_run(config: "Config", strict: bool, output_format: str, show: bool, fleet: "Fleet") -> int:
    """Print the config and the data check; return the number of unreadable pictures."""
    import msgspec

    from digitnet.cli.data_check import as_json, comment_lines, drawn_lines, inspect_data
    from digitnet.training.replicas import follow, start
    from digitnet.training.setup import begin

    with preparing_bar() as report:
        state = start(
            config,
            fleet,
            lambda: begin(config, strict=strict, parallel=True, report=report, fleet=fleet),
            lambda: follow(config, strict=strict, fleet=fleet),
        )
    fleet.is_over = True
    if not fleet.leads:
        return 0
    print_remarks(state, quiet=False, several=False)
    values, parameters = msgspec.to_builtins(state.config), len(state.network.parameters)
    found = inspect_data(state)
    if output_format == "json":
        print_json({"config": values, "parameters": parameters, "data": as_json(found)})
        return len(unreadable_pictures(state))
    import yaml

    text = yaml.safe_dump(values, sort_keys=False, allow_unicode=True, default_flow_style=None)
    print_result(f"{text}# parameters: {parameters:,}", flush=False)
    for line in comment_lines(found, balanced=state.config.data.balance):
        print_result(line, flush=False)
    for line in drawn_lines(state) if show else ():
        print_result(line, flush=False)
    sys.stdout.flush()
    return len(unreadable_pictures(state))


def _train(
    config: "Config",
    started: float,
    resume: bool,
    overwrite: bool,
    strict: bool,
    output_format: str,
    quiet: bool,
    verbose: bool,
    fleet: "Fleet",
) -> int:
    """Train and print what happens; return the number of unreadable pictures."""
    import msgspec

    from digitnet.session.driver import run

    with contextlib.nullcontext() if quiet else preparing_bar() as report:
        session = run(
            config, overwrite=overwrite, resume=resume, strict=strict, report=report, fleet=fleet
        )
        progress = next(session)
    was_done = progress.state.done
    print_remarks(progress.state, quiet)
    if verbose:
        print_message(description(progress.state, fleet.size))
    shows_json = output_format == "json" and terminal_width(sys.stdout)
    shows_bar = terminal_width(sys.stderr) and not shows_json and not quiet
    bar = training_bar(progress.state) if shows_bar else None
    with contextlib.closing(session), bar or contextlib.nullcontext():
        for progress in session:
            record = progress.record
            if bar is not None:
                update_training_bar(bar, progress)
            elif record and not quiet:
                print_message(epoch_line(record, config.training.epochs))
            if record and output_format == "json":
                print_json(msgspec.to_builtins(record))
    summarise(progress.state, time.perf_counter() - started, output_format, quiet, was_done)
    return len(unreadable_pictures(progress.state))


def _follow(config: "Config", resume: bool, overwrite: bool, strict: bool, fleet: "Fleet") -> int:
    """Train in a rank other than 0, which prints nothing."""
    from digitnet.session.driver import run

    for _ in run(config, resume=resume, overwrite=overwrite, strict=strict, fleet=fleet):
        pass
    return 0
