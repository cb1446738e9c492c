"""Show a training and a landscape in characters, for a terminal."""

import math
from collections.abc import Iterator

import numpy as np

from digitnet.model.description import Measured, measured_epochs
from digitnet.model.landscape import Landscape
from digitnet.report.figures import Figures, Kind

SHADES = " .:-=+*#%@"  # from the lowest cost to the highest, in logarithms
MAX_ROWS = 12  # epochs in the table
MAP_ROWS = 20  # lines of the map; characters are about twice as high as wide
MAP_COLUMNS = 2 * MAP_ROWS


def epoch_lines(history: list[dict[str, object]]) -> list[str]:
    """Return a table of cost and accuracy by epoch, of at most MAX_ROWS epochs."""
    epochs = measured_epochs(history)
    if not epochs:
        return ["no epoch is recorded"]
    lines = ["epoch  training cost  validation cost  accuracy"]
    for number in _spread(len(epochs)):
        epoch = epochs[number]
        training, cost = (_number(each) for each in (epoch.training_cost, epoch.cost))
        accuracy = "–" if epoch.accuracy is None else f"{epoch.accuracy:.2%}"
        lines.append(f"{epoch.epoch:>5}  {training:>13}  {cost:>15}  {accuracy:>8}")
    best = max(epochs, key=Measured.rank)
    if best.accuracy is not None:
        lines.append(f"best: epoch {best.epoch}, accuracy {best.accuracy:.2%}")
    return lines


def _spread(count: int) -> list[int]:
    """Return at most MAX_ROWS of the numbers below `count`, closer together at the beginning."""
    if count <= MAX_ROWS:
        return list(range(count))
    spread = np.geomspace(1, count, MAX_ROWS)
    return sorted({round(each) - 1 for each in spread.tolist()})


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"


def landscape_lines(landscape: Landscape | None) -> list[str]:
    """Return a map of the cost with the path of training; without a landscape, how to get one."""
    if landscape is None:
        return [
            "no landscape of the cost; a model that is trained anew, for several epochs, has one"
        ]
    rows = [list(line) for line in _shaded(landscape)]
    for u, v in landscape.path.tolist():
        rows[_index(1 - v, MAP_ROWS)][_index(u, MAP_COLUMNS)] = "o"
    for (u, v), letter in ((landscape.path[0], "S"), (landscape.path[-1], "E")):
        rows[_index(1 - float(v), MAP_ROWS)][_index(float(u), MAP_COLUMNS)] = letter
    low, high = float(landscape.grid.min()), float(landscape.grid.max())
    return [
        f"cost in a plane that holds {landscape.share:.0%} of the path from start S to end E,",
        f"o after each epoch; from {low:.3g} to {high:.3g}, of {landscape.pictures:,} training "
        f"pictures, as {SHADES!r}:",
        *("".join(row).rstrip() for row in rows),
    ]


def _shaded(landscape: Landscape) -> Iterator[str]:
    """Yield the lines of the map, the highest row of the grid first."""
    heights = np.log(landscape.grid.astype(np.float64))
    heights -= heights.min()
    heights /= heights.max() or 1
    height, width = heights.shape
    for row in range(MAP_ROWS):
        line = heights[_nearest(MAP_ROWS - 1 - row, MAP_ROWS, height)]
        levels = (line[_nearest(column, MAP_COLUMNS, width)] for column in range(MAP_COLUMNS))
        yield "".join(SHADES[round(float(level) * (len(SHADES) - 1))] for level in levels)


def _nearest(index: int, count: int, points: int) -> int:
    return round(index * (points - 1) / (count - 1))


def _index(share: float, count: int) -> int:
    return min(max(math.floor(share * (count - 1) + 0.5), 0), count - 1)


def kind_lines(figures: Figures, kinds: list[Kind]) -> list[str]:
    """Return a line per kind of mistake: how often, and the surest picture of it."""
    names, result = figures.class_names, figures.evaluation
    return [
        f"{kind.images:>6,}  {names[kind.label]} as {names[kind.answer]}: "
        f"{result.name_of(kind.positions[0])} ({result.confidences[kind.positions[0]]:.2%})"
        for kind in kinds
    ]
