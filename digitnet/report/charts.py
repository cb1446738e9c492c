"""Draw charts as inline SVG; the style sheet of the page gives the colours."""

import math
from collections.abc import Callable, Sequence
from html import escape
from typing import NamedTuple

WIDTH, HEIGHT = 460, 250  # units of the SVG
LEFT, TOP, BOTTOM = 46, 14, 30  # units: margins
TEXT_RIGHT, RIGHT = 76, 24  # units: right margin with and without texts there
NAME_DISTANCE = 15  # units between the names of two lines, at least
Point = tuple[float, float]


class Axis(NamedTuple):
    """An axis from `first` to `last`, which may be the lower one.

    ticks: values with a label. text: from a value to its label. log: whether it is logarithmic.
    """

    first: float
    last: float
    ticks: Sequence[float]
    text: Callable[[float], str]
    log: bool = False
    label: str = ""

    def place(self, value: float) -> float:
        """Return where on the axis a value lies, 0 to 1."""
        first, last, at = (math.log10(v) if self.log else v for v in (self.first, self.last, value))
        return (at - first) / ((last - first) or 1)


class Line(NamedTuple):
    """A line through points. style: a class of the style sheet. dots: whether points are marked."""

    points: Sequence[Point]
    style: str
    name: str = ""
    dots: bool = False


class Bar(NamedTuple):
    """A bar from `first` to `last` on the horizontal axis, of a height."""

    first: float
    last: float
    height: float


class Mark(NamedTuple):
    """A point with a text below it. anchor: end, middle or start of the text is at the point."""

    point: Point
    text: str
    anchor: str


def chart(
    x: Axis,
    y: Axis,
    title: str,
    *,
    lines: Sequence[Line] = (),
    bars: Sequence[Bar] = (),
    mark: Mark | None = None,
) -> str:
    """Return a chart as an SVG element. title: what a screen reader says."""
    has_text = x.label or any(line.name for line in lines)
    right = WIDTH - (TEXT_RIGHT if has_text else RIGHT)

    def across(value: float) -> float:
        return LEFT + x.place(value) * (right - LEFT)

    def down(value: float) -> float:
        return TOP + (1 - y.place(value)) * (HEIGHT - TOP - BOTTOM)

    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" class="chart" '
        f'aria-label="{escape(title, quote=True)}">'
    ]
    for value in y.ticks:
        at = down(value)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{right}" y1="{at:.1f}" y2="{at:.1f}"/>')
        parts.append(_text("tick", LEFT - 8, at + 4, y.text(value), "end"))
    for value in x.ticks:
        parts.append(_text("tick", across(value), HEIGHT - BOTTOM + 18, x.text(value), "middle"))
    if x.label:
        parts.append(_text("tick", WIDTH - 2, HEIGHT - BOTTOM + 18, x.label, "end"))
    for first, last, height in bars:
        left, top = across(first) + 0.7, down(height)
        parts.append(
            f'<rect class="bar" x="{left:.1f}" y="{top:.1f}" '
            f'width="{across(last) - left - 0.7:.1f}" height="{down(y.first) - top:.1f}"/>'
        )
    for line in lines:
        path = " L".join(f"{across(a):.1f},{down(b):.1f}" for a, b in line.points)
        parts.append(f'<path class="line {line.style}" d="M{path}"/>')
        parts += [
            f'<circle class="dot {line.style}" cx="{across(a):.1f}" cy="{down(b):.1f}" r="3.4"/>'
            for a, b in (line.points if line.dots else ())
        ]
    parts += _names([(down(l.points[-1][1]), across(l.points[-1][0]), l) for l in lines if l.name])
    if mark:
        a, b = across(mark.point[0]), down(mark.point[1])
        shift = {"end": 8, "start": -8}.get(mark.anchor, 0)
        parts.append(f'<circle class="mark" cx="{a:.1f}" cy="{b:.1f}" r="4.5"/>')
        parts.append(_text("marktext", a + shift, b + 24, mark.text, mark.anchor))
    return "".join(parts) + "</svg>"


def _names(ends: list[tuple[float, float, Line]]) -> list[str]:
    """Return the names of lines beside their ends (y, x), none on top of another."""
    texts, lowest = [], -math.inf
    for at, end, line in sorted(ends, key=lambda each: each[0]):
        lowest = max(at, lowest + NAME_DISTANCE)
        texts.append(_text(f"name {line.style}", end + 7, lowest + 4, line.name))
    return texts


def _text(style: str, x: float, y: float, text: str, anchor: str = "start") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text class="{style}" {place}>{escape(text)}</text>'


def round_ticks(low: float, high: float, count: int = 4) -> list[float]:
    """Return about `count` round numbers from low to high, evenly spaced."""
    step = (high - low) / count or 1
    size: float = 10.0 ** math.floor(math.log10(step))
    step = min((m * size for m in (1, 2, 5, 10)), key=lambda each: abs(each - step))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(k * step, 10) for k in range(first, last + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Return round numbers from low to high for a logarithmic axis."""
    steps = (1, 2, 5) if high / low < 200 else (1,)
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return [m * 10.0**e for e in powers for m in steps if low <= m * 10.0**e <= high]
