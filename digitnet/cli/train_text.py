"""What `digitnet train` says: about the data, per epoch, and at the end."""

import sys
from typing import TYPE_CHECKING

from digitnet.cli.output import (
    display_path,
    print_json,
    print_message,
    print_result,
    print_unreadable,
)
from digitnet.cli.progress import terminal_width
from digitnet.errors import join_names

if TYPE_CHECKING:
    from digitnet.dataset.definition import Dataset, Unreadable
    from digitnet.model.evaluation import Guessing
    from digitnet.training.state import Record, TrainingState


def unreadable_pictures(state: "TrainingState") -> "list[Unreadable]":
    """Return the pictures that were left out because they cannot be read."""
    return [each for dataset in state.data.sets for each in dataset.unreadable]


def print_remarks(state: "TrainingState", quiet: bool, several: bool = True) -> None:
    """Print unreadable pictures, remarks unless quiet, and whether pictures look transposed.

    several: also print which pictures seem to hold several digits.
    """
    from digitnet.model.orientation import transposition

    training, transposed = state.data.training, state.config.data.transposed
    print_unreadable(unreadable_pictures(state))
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


def description(state: "TrainingState", ranks: int) -> str:
    """Return what is trained, on what, and how the work is shared."""
    threads, shards = int(state.config.training.threads), int(state.config.training.shards)
    shared = (
        f"; {shards} shards" + (f" on {ranks} ranks" if ranks > 1 else "") if shards > 1 else ""
    )
    sizes = "-".join(map(str, state.config.network.layer_sizes))
    data = display_path(state.config.data.path)
    return (
        f"{sizes}, {len(state.network.parameters):,} parameters; {data}: "
        f"{len(state.train_indices):,} training pictures, "
        f"{len(state.validation_indices):,} validation pictures; "
        f"threads: {threads}{shared}; "
        f"output {display_path(state.config.model)}"
    )


def epoch_line(record: "Record", epochs: int) -> str:
    """Return the line of an epoch on stderr."""
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
    n = len(unreadable_pictures(state))
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


def summarise(
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
                "unreadable": len(unreadable_pictures(state)),
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
