"""`digitnet evaluate`: measure a model on labelled pictures."""

import math
from typing import TYPE_CHECKING, Any

import click

from digitnet.cli.options import FRACTION, format_option, model_option
from digitnet.cli.output import (
    display_path,
    print_json,
    print_message,
    print_result,
    printable,
    silence_decoders,
)
from digitnet.errors import BelowBar

if TYPE_CHECKING:
    from digitnet.model.comparison import Comparison
    from digitnet.model.evaluation import Evaluation
    from digitnet.model.examples import Examples

MAX_SHOWN_NAME = 20  # characters of a class name in a table
EPILOG = """
\b
Examples
  digitnet evaluate
  digitnet evaluate -m other.npz --data scans/
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
    "validation and train require the data that the model was trained on.",
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
@format_option("one object.")
@click.option("-v", "--verbose", is_flag=True, help="Print the path of the model to stderr.")
def evaluate(
    model: str | None,
    data: str | None,
    split: str | None,
    baseline: str | None,
    min_accuracy: float | None,
    output_format: str,
    verbose: bool,
) -> None:
    """Measure how accurate a model is.

    Prints accuracy, cost, calibration, precision and recall of each digit, and the confusion
    matrix.
    """
    from digitnet.config.threads import environment_threads, load_numpy

    load_numpy(environment_threads() or 1)
    silence_decoders()
    from digitnet.model import comparison
    from digitnet.model.checkpoint import load_checkpoint
    from digitnet.model.examples import (
        choose_examples,
        evaluate_model,
        has_learned_from,
        prepared_for,
    )
    from digitnet.model.locations import find_model, locate_model

    path, is_json = find_model(model), output_format == "json"
    if verbose:
        print_message(f"model {path}")
    checkpoint = load_checkpoint(path, hashed=is_json)
    other = None
    if baseline is not None:
        baseline = locate_model(baseline)
        other = comparison.load_baseline(baseline, checkpoint, hashed=is_json)
    examples = choose_examples(checkpoint, data, split)
    for remark in examples.dataset.remarks:
        print_message(remark)
    if has_learned_from(checkpoint, examples):
        problem = "the model was trained on these pictures; expect a lower accuracy on others"
        print_message(f"{display_path(examples.path)}: {problem}")
    result = evaluate_model(checkpoint, examples)
    compared = None
    if other is not None:
        if has_learned_from(other, examples):
            source = display_path(examples.path)
            print_message(f"{source}: the baseline was trained on these pictures")
        prepared = prepared_for(other, examples)
        compared = comparison.compare(result, evaluate_model(other, prepared))
    if is_json:
        value = _as_json(path, checkpoint.sha256, examples, result)
        if compared is not None and other is not None:
            value["baseline"] = _comparison_as_json(str(baseline), other.sha256, compared)
        print_json(value)
    else:
        lines = _summary_lines(path, examples, result)
        if compared is not None:
            lines += _comparison_lines(path, str(baseline), compared)
        lines += _calibration_lines(result) + _class_lines(examples, result)
        print_result("\n".join(lines))
    if min_accuracy is not None and result.accuracy < min_accuracy:
        raise BelowBar(f"{path}: accuracy {result.accuracy:.6g} is below {min_accuracy}")
    if min_accuracy is not None and compared is not None and compared.is_worse:
        difference = f"by {_points(-compared.difference)} points, {_p_value(compared)}"
        raise BelowBar(f"{path}: worse than {baseline} {difference}")


def _as_json(path: str, sha256: str, examples: "Examples", result: "Evaluation") -> dict[str, Any]:
    from digitnet.dataset.classes import as_answer

    names = examples.dataset.class_names
    return {
        "model": path,
        "model_sha256": sha256,
        "data": examples.path,
        "split": examples.split,
        "images": result.images,
        "accuracy": result.accuracy,
        "interval": list(result.interval),
        "cost": result.cost if math.isfinite(result.cost) else None,
        "temperature": result.temperature,
        "calibration_error": result.calibration_error,
        "reliability": [
            {
                "from": low,
                "to": high,
                "images": images,
                "confidence": confidence,
                "accuracy": accuracy,
            }
            for low, high, images, confidence, accuracy in result.reliability
        ],
        "coverage": [row._asdict() for row in result.coverages],
        "confusion": result.confusion.tolist(),
        "digits": [
            {"digit": as_answer(name), "precision": precision, "recall": recall}
            for name, precision, recall in zip(names, result.precision, result.recall)
        ],
    }


def _comparison_as_json(path: str, sha256: str, compared: "Comparison") -> dict[str, Any]:
    return {
        "model": path,
        "model_sha256": sha256,
        "accuracy": compared.baseline_accuracy,
        "difference": compared.difference,
        "interval": list(compared.interval),
        "only_model_right": compared.only_model_right,
        "only_baseline_right": compared.only_baseline_right,
        "p_value": compared.p_value,
    }


def _summary_lines(path: str, examples: "Examples", result: "Evaluation") -> list[str]:
    """Return the lines on model, data, accuracy, cost and calibration."""
    low, high = result.interval
    data = display_path(examples.path)
    split = f"{examples.split}, " if examples.split else ""
    return [
        f"{display_path(path)} on {data} ({split}{result.images:,} pictures)",
        f"accuracy {result.accuracy:.2%}, 95 % interval {low:.2%} to {high:.2%}",
        f"cost {result.cost:.4f}",
        f"calibration error {result.calibration_error:.2%}, temperature {result.temperature:.3f}",
    ]


def _comparison_lines(path: str, baseline: str, compared: "Comparison") -> list[str]:
    """Return the lines on whether the model is better, and on how many pictures."""
    points, (low, high) = compared.difference, compared.interval
    other = f"{display_path(baseline)} ({compared.baseline_accuracy:.2%})"
    if not compared.is_significant:
        verdict = f"no significant difference from {other}: {_points(points)} points"
    elif points > 0:
        verdict = f"better than {other} by {_points(points)} points"
    else:
        points, low, high = -points, -high, -low
        verdict = f"worse than {other} by {_points(points)} points"
    return [
        f"{verdict}, 95 % interval {_points(low)} to {_points(high)}, {_p_value(compared)}",
        f"only {display_path(path)} is right on {compared.only_model_right:,} pictures, "
        f"only {display_path(baseline)} on {compared.only_baseline_right:,}",
    ]


def _calibration_lines(result: "Evaluation") -> list[str]:
    """Return the reliability table, and the accuracy of the most confident answers."""
    lines = ["", "confidence    on average  accuracy  pictures"]
    for low, high, images, confidence, accuracy in result.reliability:
        lines.append(
            f"{low:.2f} to {high:.2f}  {confidence:>10.2%}  {accuracy:>8.2%}  {images:>8,}"
        )
    lines += ["", "--min-confidence  answered  accuracy"]
    for coverage, accuracy, min_confidence in result.coverages:
        lines.append(f"{min_confidence:>16.4f}  {coverage:>8.2%}  {accuracy:>8.2%}")
    return lines


def _class_lines(examples: "Examples", result: "Evaluation") -> list[str]:
    """Return precision and recall of each class, and the confusion matrix."""
    names = [_shortened(printable(name)) for name in examples.dataset.class_names]
    width = max(len("digit"), *map(len, names))
    cell = max(5, *(len(name) + 1 for name in names), len(str(result.confusion.max())) + 1)
    lines = ["", f"{'digit':>{width}}  precision  recall  pictures"]
    for name, precision, recall, row in zip(
        names, result.precision, result.recall, result.confusion
    ):
        lines.append(
            f"{name:>{width}}  {_percent(precision):>9}  {_percent(recall):>6}  {row.sum():>8,}"
        )
    lines += ["", "confusion matrix: rows are true digits, columns are answers"]
    lines.append(" " * width + "".join(f"{name:>{cell}}" for name in names))
    for name, row in zip(names, result.confusion):
        lines.append(f"{name:>{width}}" + "".join(f"{count or '·':>{cell}}" for count in row))
    return lines


def _shortened(name: str) -> str:
    """Return a name cut to MAX_SHOWN_NAME characters."""
    return name if len(name) <= MAX_SHOWN_NAME else name[: MAX_SHOWN_NAME - 1] + "…"


def _p_value(compared: "Comparison") -> str:
    return f"p = {compared.p_value:.2g}" if compared.p_value else "p < 1e-300"


def _points(difference: float) -> str:
    """Return a difference of accuracies in percentage points, without a minus before 0.00."""
    return f"{round(100 * difference, 2) + 0:.2f}"


def _percent(fraction: float | None) -> str:
    return "–" if fraction is None else f"{fraction:.2%}"
