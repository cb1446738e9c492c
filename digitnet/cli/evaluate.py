"""`digitnet evaluate`."""

import math
from typing import TYPE_CHECKING, Any

import click

from digitnet.cli.options import SHARE, format_option, model_option
from digitnet.cli.output import answer, answer_json, printable, say, shown, silence_decoders
from digitnet.errors import BelowBar

if TYPE_CHECKING:
    from digitnet.model.comparison import Comparison
    from digitnet.model.evaluation import Evaluation
    from digitnet.model.examples import Examples

LONGEST_NAME = 20  # characters of a class name in a table
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
@click.option("--data", metavar="PATH", help="Labelled pictures; else those of the training.")
@click.option(
    "--split",
    type=click.Choice(["test", "validation", "train"]),
    help="Which part: test where there is one. The others of the model's own data only.",
)
@click.option(
    "--baseline", metavar="MODEL", help="Compare with another model on the same pictures."
)
@click.option(
    "--min-accuracy",
    metavar="P",
    type=SHARE,
    help="Exit with status 3 if the share of right answers is below P, 0 to 1, or if the model is "
    "worse than the --baseline and that is not chance.",
)
@format_option("one object on stdout.")
@click.option("-v", "--verbose", is_flag=True, help="Say which model is used.")
def evaluate(
    model: str | None,
    data: str | None,
    split: str | None,
    baseline: str | None,
    min_accuracy: float | None,
    form: str,
    verbose: bool,
) -> None:
    """Tell how good a model is: accuracy, cost, calibration, precision and recall, confusion."""
    from digitnet.config.threads import environment_threads, load_numpy

    load_numpy(environment_threads() or 1)
    silence_decoders()
    from digitnet.model import comparison
    from digitnet.model.checkpoint import find_model, load_checkpoint
    from digitnet.model.examples import (
        choose_examples,
        evaluate_model,
        has_learned_from,
        prepared_for,
    )

    path = find_model(model)
    if verbose:
        say(f"model {path}")
    checkpoint = load_checkpoint(path)
    other = None if baseline is None else comparison.load_baseline(baseline, checkpoint)
    examples = choose_examples(checkpoint, data, split)
    for remark in examples.dataset.remarks:
        say(remark)
    if has_learned_from(checkpoint, examples):
        source = shown(examples.path)
        say(f"{source}: the model was trained on these pictures; it does worse on others")
    result = evaluate_model(checkpoint, examples)
    compared = None
    if other is not None:
        if has_learned_from(other, examples):
            say(f"{shown(examples.path)}: the baseline was trained on these pictures")
        theirs = prepared_for(other, examples)
        compared = comparison.compare(result, evaluate_model(other, theirs))
    if form == "json":
        value = _as_json(path, examples, result)
        if compared is not None:
            value["baseline"] = _comparison_as_json(str(baseline), compared)
        answer_json(value)
    else:
        lines = _figures(path, examples, result)
        if compared is not None:
            lines += _comparison(path, str(baseline), compared)
        lines += _calibration(result) + _confusion(examples, result)
        answer("\n".join(lines))
    if min_accuracy is not None and result.accuracy < min_accuracy:
        raise BelowBar(f"{path}: accuracy {result.accuracy:.6g} is below {min_accuracy}")
    if min_accuracy is not None and compared is not None and compared.is_worse:
        worse = f"by {_points(-compared.difference)} points, {_p_value(compared)}"
        raise BelowBar(f"{path}: worse than {baseline} {worse}")


def _as_json(path: str, examples: "Examples", result: "Evaluation") -> dict[str, Any]:
    from digitnet.dataset.classes import as_answer

    names = examples.dataset.class_names
    return {
        "model": path,
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


def _comparison_as_json(path: str, compared: "Comparison") -> dict[str, Any]:
    return {
        "model": path,
        "accuracy": compared.baseline_accuracy,
        "difference": compared.difference,
        "interval": list(compared.interval),
        "only_model_right": compared.only_model_right,
        "only_baseline_right": compared.only_baseline_right,
        "p_value": compared.p_value,
    }


def _figures(path: str, examples: "Examples", result: "Evaluation") -> list[str]:
    """What was measured on what, and the single figures."""
    low, high = result.interval
    what = f"{examples.split}, " if examples.split else ""
    return [
        f"{shown(path)} on {shown(examples.path)} ({what}{result.images:,} pictures)",
        f"accuracy {result.accuracy:.2%}, 95 % interval {low:.2%} to {high:.2%}",
        f"cost {result.cost:.4f}",
        f"calibration error {result.calibration_error:.2%}, temperature {result.temperature:.3f}",
    ]


def _comparison(path: str, baseline: str, compared: "Comparison") -> list[str]:
    """Whether the model is better, and by which pictures."""
    points, (low, high) = compared.difference, compared.interval
    other = f"{shown(baseline)} ({compared.baseline_accuracy:.2%})"
    if not compared.is_significant:
        verdict = f"no difference from {other} can be told: {_points(points)} points"
    elif points > 0:
        verdict = f"better than {other} by {_points(points)} points"
    else:
        points, low, high = -points, -high, -low
        verdict = f"worse than {other} by {_points(points)} points"
    return [
        f"{verdict}, 95 % interval {_points(low)} to {_points(high)}, {_p_value(compared)}",
        f"{compared.only_model_right:,} pictures only {shown(path)} has right, "
        f"{compared.only_baseline_right:,} only {shown(baseline)}",
    ]


def _calibration(result: "Evaluation") -> list[str]:
    """How far confidence can be trusted, and how accurate the surest answers are."""
    lines = ["", "confidence    on average  accuracy  pictures"]
    for low, high, images, confidence, accuracy in result.reliability:
        lines.append(
            f"{low:.2f} to {high:.2f}  {confidence:>10.2%}  {accuracy:>8.2%}  {images:>8,}"
        )
    lines += ["", "--min-confidence  answered  accuracy"]
    for coverage, accuracy, least in result.coverages:
        lines.append(f"{least:>16.4f}  {coverage:>8.2%}  {accuracy:>8.2%}")
    return lines


def _confusion(examples: "Examples", result: "Evaluation") -> list[str]:
    """A line per class, and the confusion matrix."""
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
    lines += ["", "confusion: a row for each true digit, a column for each answer"]
    lines.append(" " * width + "".join(f"{name:>{cell}}" for name in names))
    for name, row in zip(names, result.confusion):
        lines.append(f"{name:>{width}}" + "".join(f"{count or '·':>{cell}}" for count in row))
    return lines


def _shortened(name: str) -> str:
    """Return a name that fits a table."""
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"


def _p_value(compared: "Comparison") -> str:
    return f"p = {compared.p_value:.2g}" if compared.p_value else "p < 1e-300"


def _points(share: float) -> str:
    """Percentage points, without a minus sign before 0.00."""
    return f"{round(100 * share, 2) + 0:.2f}"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.2%}"
