"""`digitnet evaluate`: measure a model on labelled pictures."""

from typing import TYPE_CHECKING

import click

from digitnet.cli.evaluation import as_json, as_text, comparison_as_json, p_value, percentage_points
from digitnet.cli.mistakes import mistakes_as_json, print_mistakes
from digitnet.cli.options import FRACTION, format_option, model_option
from digitnet.cli.output import (
    display_path,
    print_json,
    print_message,
    print_result,
    print_unreadable,
    silence_decoders,
)
from digitnet.cli.progress import preparing_bar
from digitnet.errors import BelowBar, ExitStatus

if TYPE_CHECKING:
    from digitnet.model.checkpoint import Checkpoint
    from digitnet.model.comparison import Comparison
    from digitnet.model.evaluation import Evaluation
    from digitnet.model.examples import Examples

EPILOG = """
\b
Examples
  digitnet evaluate
  digitnet evaluate -m other.npz --data scans/
  digitnet evaluate --data scans/ --mistakes | head
  digitnet evaluate --split validation --format json | jq .accuracy
  digitnet evaluate -m new.npz --baseline model.npz
  digitnet evaluate --min-accuracy 0.95 || echo not good enough
  digitnet evaluate -m new.npz --baseline model.npz --min-accuracy 0.95 && mv new.npz model.npz
"""


@click.command(epilog=EPILOG)
@model_option
@click.option(
    "--data",
    metavar="PATH",
    help="Labelled pictures: IDX, .npy, .npz or .csv files, or a folder with one subfolder per "
    "class. Default: the data that the model was trained on.",
)
@click.option(
    "--split",
    type=click.Choice(["test", "validation", "train"]),
    help="Part of the data to use. Default: test, or all of the data if they are not split. "
    "train, and validation where the data has no validation set of its own, require the data that "
    "the model was trained on.",
)
@click.option(
    "--baseline",
    metavar="MODEL",
    help="Compare with this model (a file, or shipped) on the same pictures.",
)
@click.option(
    "--min-accuracy",
    metavar="P",
    type=FRACTION,
    help="Exit with status 3 if the accuracy is below P, or if the model is significantly worse "
    "than the --baseline.",
)
@click.option(
    "--mistakes",
    is_flag=True,
    help="Print nothing but the wrong answers, most confident first, one per line: picture, digit, "
    "answer and confidence, separated by tabs. The answer is the likeliest digit, even where "
    "predict prints ?. With --format json: add them to the object.",
)
@click.option(
    "--strict",
    is_flag=True,
    help="Stop at the first picture that cannot be read. Default: leave it out, and exit with "
    "status 1 after the result.",
)
@format_option("one object.")
@click.option("-v", "--verbose", is_flag=True, help="Print the path of the model to stderr.")
@click.pass_context
def evaluate(
    context: click.Context,
    model: str | None,
    data: str | None,
    split: str | None,
    baseline: str | None,
    min_accuracy: float | None,
    mistakes: bool,
    strict: bool,
    output_format: str,
    verbose: bool,
) -> None:
    """Measure how accurate a model is.

    Prints accuracy, cost, calibration, how many answers predict replaces by ?, precision and
    recall of each digit, and the confusion matrix. `digitnet report` shows the same on a page, with
    the pictures of the mistakes.

    A picture that cannot be read is an error on stderr. The others are still evaluated, and the
    exit status is 1, or 3 if the model is below the bar.
    """
    from digitnet.config.threads import environment_threads, load_numpy

    load_numpy(environment_threads() or 1)
    silence_decoders()
    from digitnet.dataset.definition import ReadOptions
    from digitnet.model import comparison
    from digitnet.model.checkpoint import load_checkpoint
    from digitnet.model.examples import choose_examples, evaluate_model, prepared_for
    from digitnet.model.locations import find_model, locate_model

    path, is_json = find_model(model), output_format == "json"
    if verbose:
        print_message(f"model {path}")
    checkpoint = load_checkpoint(path, hashed=is_json)
    other = compared = None
    if baseline is not None:
        baseline = locate_model(baseline)
        other = comparison.load_baseline(baseline, checkpoint, hashed=is_json)
    with preparing_bar() as report:
        options = ReadOptions(strict=strict, parallel=True, report=report)
        examples = choose_examples(checkpoint, data, split, options)
        prepared = examples if other is None else prepared_for(other, examples, options)
    _print_messages(examples, checkpoint, other)
    result = evaluate_model(checkpoint, examples)
    if other is not None:
        compared = comparison.compare(result, evaluate_model(other, prepared))
    names = examples.dataset.class_names
    if is_json:
        value = as_json(path, checkpoint.sha256, examples, result)
        if compared is not None and other is not None:
            value["baseline"] = comparison_as_json(str(baseline), other.sha256, compared)
        if mistakes:
            value["mistakes"] = mistakes_as_json(result, names)
        print_json(value)
    elif mistakes:
        print_mistakes(result, names)
    else:
        print_result(as_text(path, examples, result, baseline, compared))
    if min_accuracy is not None:
        _check_bar(min_accuracy, path, result, baseline, compared)
    context.exit(ExitStatus.FAILED if examples.dataset.unreadable else ExitStatus.DONE)


def _print_messages(
    examples: "Examples", checkpoint: "Checkpoint", other: "Checkpoint | None"
) -> None:
    """Print what was converted, cannot be read, or was learned from by one of the two models."""
    from digitnet.model.examples import has_learned_from

    source = display_path(examples.path)
    for remark in examples.dataset.remarks:
        print_message(remark)
    print_unreadable(examples.dataset.unreadable)
    if has_learned_from(checkpoint, examples):
        problem = "the model was trained on these pictures; expect a lower accuracy on others"
        print_message(f"{source}: {problem}")
    if other is not None and has_learned_from(other, examples):
        print_message(f"{source}: the baseline was trained on these pictures")


def _check_bar(
    min_accuracy: float,
    path: str,
    result: "Evaluation",
    baseline: str | None,
    compared: "Comparison | None",
) -> None:
    """Raise BelowBar if the accuracy is too low, or significantly below that of the baseline."""
    if result.accuracy < min_accuracy:
        raise BelowBar(f"{path}: accuracy {result.accuracy:.6g} is below {min_accuracy}")
    if compared is not None and compared.is_worse:
        difference = f"by {percentage_points(-compared.difference)} points, {p_value(compared)}"
        raise BelowBar(f"{path}: worse than {baseline} {difference}")
