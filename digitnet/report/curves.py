"""Chart the history of a training: cost and accuracy by epoch."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from digitnet.model.description import Measured, measured_epochs
from digitnet.report.charts import Axis, Line, Mark, Point, chart, log_ticks, round_ticks

LEAST_COST = 1e-30  # smaller costs, and costs above 1 / LEAST_COST, are left out


class Curve(NamedTuple):
    """A chart with its title. svg: the SVG element."""

    title: str
    svg: str


def curves(history: list[dict[str, Any]]) -> list[Curve]:
    """Return the charts of cost and, with validation examples, of accuracy; none without epochs."""
    epochs = measured_epochs(history)
    charts = []
    training = _points([(each.epoch, each.training_cost) for each in epochs])
    validation = _points([(each.epoch, each.cost) for each in epochs])
    if training:
        charts.append(Curve("Cost", _cost_chart(training, validation)))
    known = [each for each in epochs if each.accuracy is not None]
    if known:
        charts.append(Curve("Accuracy on validation", _accuracy_chart(known)))
    return charts


def _points(costs: list[tuple[int, float | None]]) -> list[Point]:
    """Return the costs that a logarithmic axis can show, each with its epoch."""
    return [(epoch, cost) for epoch, cost in costs if cost and LEAST_COST <= cost <= 1 / LEAST_COST]


def _epoch_axis(epochs: list[float]) -> Axis:
    first, last = (epochs[0], epochs[-1]) if len(epochs) > 1 else (0, epochs[0])
    ticks = [tick for tick in round_ticks(first, last, 5) if tick.is_integer()]
    return Axis(first, last, ticks, "{:g}".format, label="epoch")


def _cost_chart(training: Sequence[Point], validation: list[tuple[float, float]]) -> str:
    costs = [cost for _, cost in (*training, *validation)]
    low, high = min(costs) * 0.9, max(costs) * 1.05
    lines = [Line(training, "training", "training" if validation else "")]
    if validation:
        lines.append(Line(validation, "validation", "validation"))
    title = f"Cost by epoch, in training from {training[0][1]:.3g} to {training[-1][1]:.3g}"
    y = Axis(low, high, log_ticks(low, high), "{:g}".format, log=True)
    return chart(_epoch_axis([epoch for epoch, _ in training]), y, title, lines=lines)


def _accuracy_chart(epochs: list[Measured]) -> str:
    points = [(each.epoch, float(each.accuracy or 0)) for each in epochs]
    best = max(epochs, key=Measured.rank)
    accuracies = [accuracy for _, accuracy in points]
    low = min(math.floor(min(accuracies) * 50) / 50, 0.98)
    high = min(max(accuracies) + 0.15 * (1 - low), 1)
    axis = _epoch_axis([epoch for epoch, _ in points])
    anchor = "end" if axis.place(best.epoch) > 0.75 else "middle"
    text = f"best: {100 * float(best.accuracy or 0):.2f} %, epoch {best.epoch}"
    return chart(
        axis,
        Axis(low, high, round_ticks(low, high), lambda value: f"{100 * value:.4g} %"),
        f"Accuracy by epoch, {text}",
        lines=[Line(points, "validation")],
        mark=Mark((best.epoch, float(best.accuracy or 0)), text, anchor),
    )
