"""Format an evaluation, and its comparison with a baseline: as text and as JSON."""

import math
from typing import TYPE_CHECKING, Any

from digitnet.cli.output import display_path, printable

if TYPE_CHECKING:
    from digitnet.model.comparison import Comparison
    from digitnet.model.evaluation import Evaluation
    from digitnet.model.examples import Examples

MAX_SHOWN_NAME = 20  # characters of a class name in a table


def as_json(path: str, sha256: str, examples: "Examples", result: "Evaluation") -> dict[str, Any]:
    """Return the JSON object of an evaluation. path, sha256: of the model."""
    from digitnet.dataset.classes import as_answer

    names = examples.dataset.class_names
    value = {
        "model": path,
        "model_sha256": sha256,
        "data": examples.path,
        "split": examples.split,
        "images": result.images,
        "unreadable": len(examples.dataset.unreadable),
        "accuracy": result.accuracy,
        "interval": list(result.interval),
        "cost": result.cost if math.isfinite(result.cost) else None,
        "doubtful": len(result.doubts),
        "sure_accuracy": result.sure_accuracy,
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
    if result.non_digits:
        value["non_digits"] = result.non_digits._asdict()
    if len(result.sources) > 1:
        value["sources"] = [source._asdict() for source in result.sources]
    return value


def comparison_as_json(path: str, sha256: str, compared: "Comparison") -> dict[str, Any]:
    """Return the JSON object of a comparison. path, sha256: of the baseline."""
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


def as_text(
    path: str,
    examples: "Examples",
    result: "Evaluation",
    baseline: str | None,
    compared: "Comparison | None",
) -> str:
    """Return an evaluation, and the comparison with a baseline if there is one, as lines.

    path, baseline: of the models.
    """
    lines = _summary_lines(path, examples, result)
    if compared is not None:
        lines += _comparison_lines(path, str(baseline), compared)
    lines += _doubt_lines(result) + _source_lines(result)
    return "\n".join(lines + _calibration_lines(result) + _class_lines(examples, result))


def _summary_lines(path: str, examples: "Examples", result: "Evaluation") -> list[str]:
    """Return the lines on model, data, accuracy, cost and calibration."""
    low, high = result.interval
    data = display_path(examples.path)
    split = f"{examples.split}, " if examples.split else ""
    unreadable = len(examples.dataset.unreadable)
    left_out = f", {unreadable:,} cannot be read" * bool(unreadable)
    return [
        f"{display_path(path)} on {data} ({split}{result.images:,} pictures{left_out})",
        f"accuracy {result.accuracy:.2%}, 95 % interval {low:.2%} to {high:.2%}",
        f"cost {result.cost:.4f}",
        f"calibration error {result.calibration_error:.2%}, temperature {result.temperature:.3f}",
    ]


def _comparison_lines(path: str, baseline: str, compared: "Comparison") -> list[str]:
    """Return the lines on whether the model is better, and on how many pictures."""
    points, (low, high) = compared.difference, compared.interval
    other = f"{display_path(baseline)} ({compared.baseline_accuracy:.2%})"
    if not compared.is_significant:
        verdict = f"no significant difference from {other}: {percentage_points(points)} points"
    elif points > 0:
        verdict = f"better than {other} by {percentage_points(points)} points"
    else:
        points, low, high = -points, -high, -low
        verdict = f"worse than {other} by {percentage_points(points)} points"
    interval = f"{percentage_points(low)} to {percentage_points(high)}"
    return [
        f"{verdict}, 95 % interval {interval}, {p_value(compared)}",
        f"only {display_path(path)} is right on {compared.only_model_right:,} pictures, "
        f"only {display_path(baseline)} on {compared.only_baseline_right:,}",
    ]


def _doubt_lines(result: "Evaluation") -> list[str]:
    """Return the lines on answers that are `?`, and on pictures without a digit."""
    doubtful = len(result.doubts)
    others = f", accuracy of the others {_percent(result.sure_accuracy)}" * bool(doubtful)
    lines = [f"answered ?: {doubtful:,} ({doubtful / result.images:.2%}){others}"]
    if result.non_digits:
        images, answered = result.non_digits
        lines.append(f"pictures without a digit: {images:,}, of which {answered:,} answered ?")
    return lines


def _source_lines(result: "Evaluation") -> list[str]:
    """Return the table of sources, if there are several."""
    if len(result.sources) < 2:
        return []
    lines = ["", "accuracy  pictures  source"]
    for source, images, accuracy in result.sources:
        lines.append(f"{accuracy:>8.2%}  {images:>8,}  {display_path(source)}")
    return lines


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


def p_value(compared: "Comparison") -> str:
    """Return the p-value of a comparison as text."""
    return f"p = {compared.p_value:.2g}" if compared.p_value else "p < 1e-300"


def percentage_points(difference: float) -> str:
    """Return a difference of accuracies in percentage points, without a minus before 0.00."""
    return f"{round(100 * difference, 2) + 0:.2f}"


def _percent(fraction: float | None) -> str:
    return "–" if fraction is None else f"{fraction:.2%}"
