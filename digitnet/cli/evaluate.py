"""`digitnet evaluate`."""

import math
from typing import TYPE_CHECKING, Any

import click

from digitnet.cli.options import SHARE, format_option, model_option
from digitnet.cli.output import answer, answer_json, printable, say, shown
from digitnet.errors import BelowBar

if TYPE_CHECKING:
    from digitnet.evaluation import Evaluation, Examples

EPILOG = """
\b
Examples
  digitnet evaluate
  digitnet evaluate -m other.npz --data scans/
  digitnet evaluate --split validation --format json | jq .accuracy
  digitnet evaluate --min-accuracy 0.95 || echo not good enough
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
    "--min-accuracy",
    metavar="P",
    type=SHARE,
    help="Exit with status 3 if the share of right answers is below P, 0 to 1.",
)
@format_option("one object on stdout.")
@click.option("-v", "--verbose", is_flag=True, help="Say which model is used.")
def evaluate(
    model: str | None,
    data: str | None,
    split: str | None,
    min_accuracy: float | None,
    form: str,
    verbose: bool,
) -> None:
    """Tell how good a model is: accuracy, cost, calibration, precision and recall, confusion."""
    from digitnet.threads import environment_threads, limit_blas

    limit_blas(environment_threads() or 1)
    from digitnet import evaluation
    from digitnet.checkpoint import find_model, load_checkpoint

    path = find_model(model)
    if verbose:
        say(f"model {path}")
    checkpoint = load_checkpoint(path)
    examples = evaluation.choose_examples(checkpoint, data, split)
    if examples.learned_from:
        say(f"{examples.path}: the model was trained on these pictures; it does worse on others")
    result = evaluation.evaluate_model(checkpoint, examples)
    if form == "json":
        answer_json(_as_json(path, examples, result))
    else:
        lines = _figures(path, examples, result)
        lines += _calibration(result) + _confusion(examples, result)
        answer("\n".join(lines))
    if min_accuracy is not None and result.accuracy < min_accuracy:
        raise BelowBar(f"{path}: accuracy {result.accuracy:.4f} is below {min_accuracy}")


def _as_json(path: str, examples: "Examples", result: "Evaluation") -> dict[str, Any]:
    from digitnet.prediction import as_answer

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
    names = [printable(name) for name in examples.dataset.class_names]
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


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.2%}"
