"""Charts as SVG."""

import math
import xml.etree.ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from digitnet.report.charts import Axis, Bar, Line, Mark, chart, log_ticks, round_ticks

UNIT = Axis(0, 1, [0, 0.5, 1], "{:g}".format)


def test_points_lie_where_the_axes_say() -> None:
    y = Axis(0.01, 1, [0.1], "{:g}".format, log=True)
    svg = ET.fromstring(chart(UNIT, y, "t", lines=[Line([(0, 0.01), (0.5, 0.1), (1, 1)], "one")]))
    path = svg.find("path")
    assert path is not None
    points = [tuple(map(float, p.split(","))) for p in path.attrib["d"][1:].split(" L")]
    (x0, y0), (x1, y1), (x2, y2) = points
    assert math.isclose(x1, (x0 + x2) / 2, abs_tol=0.1)
    assert math.isclose(y1, (y0 + y2) / 2, abs_tol=0.1)  # 0.1 is halfway in logarithms
    assert y0 > y1 > y2
    grid = svg.find("line")
    assert grid is not None
    assert float(grid.attrib["y1"]) == y1


def test_names_do_not_overlap() -> None:
    lines = [Line([(0, 0.5), (1, 0.5)], "one", "first"), Line([(0, 0), (1, 0.51)], "two", "second")]
    svg = ET.fromstring(chart(UNIT, UNIT, "t", lines=lines))
    names = [text for text in svg.findall("text") if text.attrib["class"].startswith("name")]
    first, second = (float(text.attrib["y"]) for text in names)
    assert abs(first - second) >= 15


def test_texts_are_escaped() -> None:
    mark = Mark((1, 1), "</text><script>", "end")
    svg = chart(UNIT, UNIT, '"><script>', lines=[Line([(0, 0)], "one", "<b>")], mark=mark)
    assert "<script>" not in svg
    assert ET.fromstring(svg).attrib["aria-label"] == '"><script>'


def test_a_bar_is_as_high_as_its_value() -> None:
    svg = ET.fromstring(chart(UNIT, UNIT, "t", bars=[Bar(0, 0.5, 1), Bar(0.5, 1, 0.25)]))
    high, low = (float(bar.attrib["height"]) for bar in svg.findall("rect"))
    assert math.isclose(low, high / 4, abs_tol=0.1)


@given(st.floats(0, 0.99), st.floats(0.001, 1))
def test_ticks_are_within_the_axis_and_few(low: float, length: float) -> None:
    ticks = round_ticks(low, low + length)
    assert 2 <= len(ticks) <= 9
    assert all(low - 1e-6 <= tick <= low + length + 1e-6 for tick in ticks)


def test_log_ticks() -> None:
    assert log_ticks(0.04, 1.1) == [0.05, 0.1, 0.2, 0.5, 1]
    assert log_ticks(1e-4, 1) == [1e-4, 1e-3, 1e-2, 0.1, 1]
