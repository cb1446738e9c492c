"""`digitnet train`: train a network and save it."""

import contextlib
import sys
import time
from typing import TYPE_CHECKING

import click

from digitnet.cli.options import format_option
from digitnet.cli.output import (
    display_path,
    print_json,
    print_message,
    print_result,
    print_unreadable,
    silence_decoders,
)
from digitnet.cli.progress import (
    preparing_bar,
    terminal_width,
    training_bar,
    update_training_bar,
)
from digitnet.errors import ConfigError, DataError, ExitStatus, OutputError, join_names
from digitnet.paths import absolute, names_file

if TYPE_CHECKING:
    from digitnet.config.definition import Config
    from digitnet.dataset.definition import Dataset, Unreadable
    from digitnet.model.evaluation import Guessing
    from digitnet.training.state import Record, TrainingState

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
    "-v", "--verbose", is_flag=True, help="Print the network, the data and the number of threads."
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

    Ctrl-C, SIGTERM and SIGHUP save the checkpoint and stop; --resume continues from there. A second
    Ctrl-C stops at once, without saving. SIGUSR1 saves the checkpoint and does not stop.
    """
    started = time.perf_counter()
    from digitnet.config.reader import locate, locate_data, read_config
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
    if output is not None and not names_file(output):
        raise OutputError(f"{output}: expected the name of a file, found the name of a folder")
    config = read_config(path, overrides)
    if output is not None:
        import msgspec

        config = msgspec.structs.replace(config, model=absolute(output))
    load_numpy(1)  # training starts its own threads
    silence_decoders()
    try:
        if dry_run:
            state = _dry_run(config, strict, output_format, show)
        else:
            state = _train(
                config, started, resume, overwrite, strict, output_format, quiet, verbose
            )
    except ConfigError as error:
        raise locate(error, path, overrides) from None
    except DataError as error:
        raise locate_data(error, config, path, overrides) from None
    context.exit(ExitStatus.FAILED if _unreadable(state) else ExitStatus.DONE)


def _dry_run(config: "Config", strict: bool, output_format: str, show: bool) -> "TrainingState":
    import msgspec

    from digitnet.cli.data_check import as_json, comment_lines, drawn_lines, inspect_data
    from digitnet.training.setup import begin

    with preparing_bar() as report:
        state = begin(config, strict=strict, parallel=True, report=report)
    _print_remarks(state, quiet=False, several=False)
    values, parameters = msgspec.to_builtins(state.config), len(state.network.parameters)
    found = inspect_data(state)
    if output_format == "json":
        print_json({"config": values, "parameters": parameters, "data": as_json(found)})
        return state
    import yaml

    text = yaml.safe_dump(values, sort_keys=False, allow_unicode=True, default_flow_style=None)
    print_result(f"{text}# parameters: {parameters:,}", flush=False)
    for line in comment_lines(found, balanced=state.config.data.balance):
        print_result(line, flush=False)
    for line in drawn_lines(state) if show else ():
        print_result(line, flush=False)
    sys.stdout.flush()
    return state


def _train(
    config: "Config",
    started: float,
    resume: bool,
    overwrite: bool,
    strict: bool,
    output_format: str,
    quiet: bool,
    verbose: bool,
) -> "TrainingState":
    import msgspec

    from digitnet.session.driver import run

    with contextlib.nullcontext() if quiet else preparing_bar() as report:
        session = run(config, overwrite=overwrite, resume=resume, strict=strict, report=report)
        progress = next(session)
    was_done = progress.state.done
    _print_remarks(progress.state, quiet)
    if verbose:
        print_message(_description(progress.state))
    shows_json = output_format == "json" and terminal_width(sys.stdout)
    shows_bar = terminal_width(sys.stderr) and not shows_json and not quiet
    bar = training_bar(progress.state) if shows_bar else None
    with contextlib.closing(session), bar or contextlib.nullcontext():
        for progress in session:
            record = progress.record
            if bar is not None:
                update_training_bar(bar, progress)
            elif record and not quiet:
                print_message(_epoch_line(record, config.training.epochs))
            if record and output_format == "json":
                print_json(msgspec.to_builtins(record))
    _summarise(progress.state, time.perf_counter() - started, output_format, quiet, was_done)
    return progress.state


def _unreadable(state: "TrainingState") -> "list[Unreadable]":
    """Return the pictures that were left out because they cannot be read."""
    return [each for dataset in state.data.sets for each in dataset.unreadable]


def _print_remarks(state: "TrainingState", quiet: bool, several: bool = True) -> None:
    """Print unreadable pictures, remarks unless quiet, and whether pictures look transposed.

    several: also print which pictures seem to hold several digits.
    """
    from digitnet.model.orientation import transposition

    training, transposed = state.data.training, state.config.data.transposed
    print_unreadable(_unreadable(state))
    if not quiet:
        for remark in (*training.remarks, *state.remarks):
            print_message(remark)
        if several and (names := _names_of_several(training)):
            problem = "expected one digit in each picture, found several in"
            print_message(f"{problem} {len(names):,}: {join_names(names)}")
    if orientation := transposition(training):
        advice = f"set data.transposed: {'false' if transposed else 'true'}"
        print_message(f"{display_path(state.config.data.path)}: {orientation}; {advice}")


def _names_of_several(dataset: "Dataset") -> list[str]:
    """Return the names of pictures that seem to hold several digits."""
    if dataset.digits is None:
        return []
    return [dataset.name_of(index) for index in (dataset.digits > 1).nonzero()[0].tolist()]


def _description(state: "TrainingState") -> str:
    threads = int(state.config.training.threads)
    sizes = "-".join(map(str, state.config.network.layer_sizes))
    data = display_path(state.config.data.path)
    return (
        f"{sizes}, {len(state.network.parameters):,} parameters; {data}: "
        f"{len(state.train_indices):,} training pictures, "
        f"{len(state.validation_indices):,} validation pictures; "
        f"{threads} thread{'s' if threads > 1 else ''}; output {display_path(state.config.model)}"
    )


def _epoch_line(record: "Record", epochs: int) -> str:
    validation = record.validation
    validated = (
        f"validation cost {validation.cost:.4g}, accuracy {validation.accuracy:.2%}, "
        if validation
        else ""
    )
    return (
        f"epoch {record.epoch}/{epochs}: cost {record.training.cost:.4g}, {validated}"
        f"{record.seconds:.1f} s, {record.images_per_second:,.0f} images/s"
    )


def _left_out(state: "TrainingState") -> str:
    n = len(_unreadable(state))
    return f"; {n:,} picture{'' if n == 1 else 's'} left out" if n else ""


def _guessing_warning(state: "TrainingState", guess: "Guessing", accuracy: float) -> str:
    """Return the warning for a model that is no better than guessing, and what to try."""
    from digitnet.config.definition import LEARNING_RATES

    optimizer, key = state.config.training.optimizer, "training.optimizer.learning_rate"
    rate, usual = optimizer.learning_rate or 0.0, LEARNING_RATES[optimizer.name]
    advice = f"another {key} than {rate:g}"
    if rate > usual:
        advice = f"a smaller {key} than {rate:g}, such as {usual:g}"
    return (
        f"{display_path(state.config.model)}: expected a validation accuracy clearly above the "
        f"{guess.share:.2%} of always answering {state.examples.class_names[guess.label]}, "
        f"found {accuracy:.2%} on {guess.images:,} pictures, no better than guessing; "
        f"try {advice}, or more epochs"
    )


def _ending(state: "TrainingState", was_done: bool) -> str:
    """Return how training ended, for the summary; was_done: nothing was left to train."""
    settings = state.config.training
    if was_done and state.position.epoch > settings.epochs:
        return f"; nothing was left to train (training.epochs: {settings.epochs})"
    if was_done:
        return f"; nothing was left to train (training.patience: {settings.patience})"
    return "" if state.done else "; not finished, --resume continues it"


def _summarise(
    state: "TrainingState", seconds: float, output_format: str, quiet: bool, was_done: bool
) -> None:
    best, model, epochs = state.best_record, state.config.model, len(state.history)
    validation, guess = best.validation if best else None, state.guessing
    better = guess.beaten_by(validation.accuracy) if guess and validation else None
    if output_format == "json":
        import msgspec

        print_json(
            {
                "model": model,
                "epochs": epochs,
                "seconds": seconds,
                "done": state.done,
                "validation": msgspec.to_builtins(validation),
                "better_than_guessing": better,
                "unreadable": len(_unreadable(state)),
            }
        )
    elif not quiet:
        accuracy = (
            f"validation accuracy {validation.accuracy:.2%} (epoch {best.epoch}), "
            if best and validation
            else ""
        )
        print_result(
            f"{display_path(model)}: {accuracy}{epochs} epoch{'' if epochs == 1 else 's'}, "
            f"{len(state.network.parameters):,} parameters, {seconds:.1f} s"
            f"{_left_out(state)}{_ending(state, was_done)}"
        )
        if terminal_width(sys.stderr):
            print_message(f"digitnet report -m {display_path(model)} shows what it has learned")
    if guess and validation and better is False:
        print_message(_guessing_warning(state, guess, validation.accuracy))
