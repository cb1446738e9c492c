"""Chart how far an evaluation's confidence can be trusted."""

import math

from digitnet.model.evaluation import Evaluation
from digitnet.report.charts import Axis, Bar, Line, chart, round_ticks


def reliability_diagram(result: Evaluation) -> str:
    """Return the accuracy of the answers by their confidence, as SVG bars."""
    bins = result.reliability
    title = "Accuracy by confidence: " + "; ".join(
        f"{each.confidence:.2f}: {each.accuracy:.2f}" for each in bins
    )
    shares = round_ticks(0, 1)
    return chart(
        Axis(0, 1, shares, "{:g}".format),
        Axis(0, 1, shares, _percent),
        title,
        bars=[Bar(each.low, each.high, each.accuracy) for each in bins],
        lines=[Line([(0, 0), (1, 1)], "guide")],
    )


def coverage_diagram(result: Evaluation) -> str:
    """Return the accuracy of the most confident answers by their share, as an SVG line."""
    rows = result.coverages
    title = "Accuracy by share of answers: " + "; ".join(
        f"{row.coverage:.0%}: {row.accuracy:.2%}" for row in rows
    )
    points = [(row.coverage, row.accuracy) for row in rows]
    least = min(row.coverage for row in rows)
    low = math.floor(min(row.accuracy for row in rows) * 200) / 200
    low = min(low, 0.995)
    shares = [share / 10 for share in range(10, 0, -1) if share / 10 >= least - 0.001]
    return chart(
        Axis(1, least, shares, _percent),
        Axis(low, 1, round_ticks(low, 1), _percent),
        title,
        lines=[Line(points, "validation", dots=True)],
    )


def _percent(share: float) -> str:
    return f"{100 * share:.4g} %"
