"""`digitnet train`."""

import contextlib
import os
import sys
import time
from typing import TYPE_CHECKING, Any, TextIO

import click

from digitnet.cli.options import format_option
from digitnet.cli.output import answer, answer_json, say, shown, silence_decoders
from digitnet.errors import ConfigError, DataError, OutputError
from digitnet.paths import absolute, names_file

if TYPE_CHECKING:
    from tqdm import tqdm

    from digitnet.config.definition import Config
    from digitnet.model.evaluation import Guessing
    from digitnet.training.loop import Progress
    from digitnet.training.state import Record, TrainingState

EPILOG = """
\b
Examples
  digitnet train --config configs/default.yaml
  digitnet train --config configs/3blue1brown.yaml --set seed=2 -o seed2.npz
  digitnet train --config my.yaml --set training.epochs=60 --resume
  digitnet train --config my.yaml --format json | jq .validation.accuracy
  digitnet train --config my.yaml --dry-run
"""


@click.command(epilog=EPILOG)
@click.option("--config", "path", metavar="FILE", required=True, help="YAML config to train by.")
@click.option(
    "--set",
    "overrides",
    metavar="KEY=VALUE",
    multiple=True,
    help="Put VALUE in place of what the config says, such as training.epochs=5. Repeatable.",
)
@click.option("-o", "--output", metavar="FILE", help="Checkpoint to write, in place of `model`.")
@click.option(
    "--resume", is_flag=True, help="Go on from the checkpoint, or begin if none is there."
)
@click.option("--overwrite", is_flag=True, help="Begin anew where a checkpoint is there already.")
@format_option("one object per epoch and one at the end, on stdout.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing when all is well (but JSON).")
@click.option("-v", "--verbose", is_flag=True, help="Say what is being trained, on what.")
@click.option(
    "--dry-run", is_flag=True, help="Check config and data, print the config; no training."
)
def train(
    path: str,
    overrides: tuple[str, ...],
    output: str | None,
    resume: bool,
    overwrite: bool,
    form: str,
    quiet: bool,
    verbose: bool,
    dry_run: bool,
) -> None:
    """Train the network that a config describes, and save it.

    The model kept is the one that was best on the examples held out for validation. Stopped by
    Ctrl-C, SIGTERM or SIGHUP, it saves its checkpoint, and --resume goes on from there; a second
    Ctrl-C ends it at once. SIGUSR1 has it save and go on.
    """
    started = time.perf_counter()
    from digitnet.config.reader import locate, locate_data, read_config
    from digitnet.config.threads import load_numpy

    if resume and overwrite:
        raise click.UsageError("--resume and --overwrite exclude each other.")
    if quiet and verbose:
        raise click.UsageError("-q and -v exclude each other.")
    if output == "":
        raise click.UsageError("-o takes the name of a file.")
    if output is not None and not names_file(output):
        raise OutputError(f"{output}: expected the name of a file, found a folder's")
    config = read_config(path, overrides)
    if output is not None:
        import msgspec

        config = msgspec.structs.replace(config, model=absolute(output))
    load_numpy(1)  # training has threads of its own
    silence_decoders()
    try:
        if dry_run:
            _dry_run(config, form)
        else:
            _train(config, started, resume, overwrite, form, quiet, verbose)
    except ConfigError as error:
        raise locate(error, path, overrides) from None
    except DataError as error:
        raise locate_data(error, config, path, overrides) from None


def _dry_run(config: "Config", form: str) -> None:
    import msgspec

    from digitnet.training.state import begin

    state = begin(config)
    _say_conventions(state, quiet=False)
    values, parameters = msgspec.to_builtins(state.config), len(state.network.parameters)
    if form == "json":
        answer_json({"config": values, "parameters": parameters})
    else:
        import yaml

        text = yaml.safe_dump(values, sort_keys=False, allow_unicode=True, default_flow_style=None)
        answer(f"{text}# parameters: {parameters:,}")


def _train(
    config: "Config",
    started: float,
    resume: bool,
    overwrite: bool,
    form: str,
    quiet: bool,
    verbose: bool,
) -> None:
    import msgspec

    from digitnet.session.driver import run

    session = run(config, overwrite=overwrite, resume=resume)
    progress = next(session)
    _say_conventions(progress.state, quiet)
    if verbose:
        say(_description(progress.state))
    json_there = form == "json" and _width(sys.stdout)
    bar = _bar(progress.state) if _width(sys.stderr) and not json_there and not quiet else None
    with contextlib.closing(session), bar or contextlib.nullcontext():
        for progress in session:
            record = progress.record
            if bar is not None:
                _draw(bar, progress)
            elif record and not quiet:
                say(_line(record, config.training.epochs))
            if record and form == "json":
                answer_json(msgspec.to_builtins(record))
    _summarise(progress.state, time.perf_counter() - started, form, quiet)


def _say_conventions(state: "TrainingState", quiet: bool) -> None:
    """Say which pixels were mended, unless quiet, and whether pictures seem to be transposed."""
    from digitnet.model.orientation import transposition

    training, transposed = state.data.training, state.config.data.transposed
    if not quiet:
        for remark in training.remarks:
            say(remark)
    if problem := transposition(training):
        cure = f"set data.transposed: {'false' if transposed else 'true'}"
        say(f"{shown(state.config.data.path)}: {problem}; {cure}")


def _description(state: "TrainingState") -> str:
    threads = int(state.config.training.threads)
    sizes = "-".join(map(str, state.config.network.layer_sizes))
    return (
        f"{sizes}, {len(state.network.parameters):,} parameters; {shown(state.config.data.path)}: "
        f"{len(state.train_indices):,} pictures to learn from, "
        f"{len(state.validation_indices):,} held out; "
        f"{threads} thread{'s' if threads > 1 else ''}; to {shown(state.config.model)}"
    )


def _width(stream: TextIO | None) -> int:
    """Columns of the terminal that a stream goes to; 0 if it goes to none, or to one of no size."""
    if stream is None or not stream.isatty():
        return 0
    return os.get_terminal_size(stream.fileno()).columns


def _bar(state: "TrainingState") -> "tqdm[Any]":
    """One bar for the whole training, counted in pictures."""
    from tqdm import tqdm

    epochs, n = state.config.training.epochs, len(state.train_indices)
    return tqdm(
        total=epochs * n,
        initial=_pictures(state),
        unit="",
        unit_scale=True,
        dynamic_ncols=True,
        file=sys.stderr,
        bar_format="{desc} {percentage:3.0f}% |{bar}| {elapsed}<{remaining} {rate_fmt}{postfix}",
    )


def _draw(bar: "tqdm[Any]", progress: "Progress") -> None:
    state = progress.state
    last = state.history[-1] if state.history else None
    epoch = min(state.place.epoch, state.config.training.epochs)
    figures = {"cost": f"{progress.cost:.4g}"} if progress.cost is not None else {}
    if last and last.validation:
        figures["val"] = f"{last.validation.accuracy:.2%}"
    bar.set_description_str(f"epoch {epoch}/{state.config.training.epochs}", refresh=False)
    bar.set_postfix(figures, refresh=False)
    bar.update(_pictures(state) - bar.n)


def _pictures(state: "TrainingState") -> int:
    """Pictures learned from so far, in all epochs."""
    return (state.place.epoch - 1) * len(state.train_indices) + state.pictures_seen


def _line(record: "Record", epochs: int) -> str:
    validation = record.validation
    held_out = (
        f"validation cost {validation.cost:.4g}, accuracy {validation.accuracy:.2%}, "
        if validation
        else ""
    )
    return (
        f"epoch {record.epoch}/{epochs}: cost {record.training.cost:.4g}, {held_out}"
        f"{record.seconds:.1f} s, {record.images_per_second:,.0f} images/s"
    )


def _warning(state: "TrainingState", guess: "Guessing", accuracy: float) -> str:
    """What is said of a model that is no better than guessing, and what to try."""
    from digitnet.config.definition import LEARNING_RATES

    optimizer, key = state.config.training.optimizer, "training.optimizer.learning_rate"
    rate, usual = optimizer.learning_rate or 0.0, LEARNING_RATES[optimizer.name]
    advice = f"another {key} than {rate:g}"
    if rate > usual:
        advice = f"a smaller {key} than {rate:g}, such as {usual:g}"
    return (
        f"{shown(state.config.model)}: expected clearly more right answers on validation than the "
        f"{guess.share:.2%} of always answering {state.data.training.class_names[guess.label]}, "
        f"found {accuracy:.2%} of {guess.images:,}, no better than guessing; "
        f"try {advice}, or more epochs"
    )


def _summarise(state: "TrainingState", seconds: float, form: str, quiet: bool) -> None:
    best, model, epochs = state.best_record, state.config.model, len(state.history)
    validation, guess = best.validation if best else None, state.guessing
    better = guess.beaten_by(validation.accuracy) if guess and validation else None
    if form == "json":
        import msgspec

        answer_json(
            {
                "model": model,
                "epochs": epochs,
                "seconds": seconds,
                "done": state.done,
                "validation": msgspec.to_builtins(validation),
                "better_than_guessing": better,
            }
        )
    elif not quiet:
        accuracy = (
            f"{validation.accuracy:.2%} right on validation (epoch {best.epoch}), "
            if best and validation
            else ""
        )
        answer(
            f"{shown(model)}: {accuracy}{epochs} epoch{'' if epochs == 1 else 's'}, "
            f"{len(state.network.parameters):,} parameters, {seconds:.1f} s"
            f"{'' if state.done else '; not done, --resume goes on'}"
        )
    if guess and validation and better is False:
        say(_warning(state, guess, validation.accuracy))
