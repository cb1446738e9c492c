"""Components are put into rows, and rows into reading order."""

import numpy as np

from digitnet.image.ink.components import Component, connected_components
from digitnet.image.marks.rows import rows_of


def bars(*boxes: tuple[int, int, int, int]) -> list[Component]:
    """Return the components that are filled boxes of top, left, height and width."""
    marked = np.zeros((400, 600), bool)
    for top, left, height, width in boxes:
        marked[top : top + height, left : left + width] = True
    return connected_components(marked)


def lefts(components: list[Component]) -> list[int]:
    return [component.left for component in components]


def test_rows_come_from_top_to_bottom_components_from_left_to_right() -> None:
    rows = rows_of(bars((200, 50, 40, 20), (20, 90, 40, 20), (20, 30, 40, 20), (205, 10, 40, 20)))
    assert [lefts(row.components) for row in rows] == [[30, 90], [10, 50]]
    assert [row.height for row in rows] == [40, 40]


def test_a_row_may_rise() -> None:
    boxes = [(200 - 5 * i, 20 + 50 * i, 40, 20) for i in range(10)]
    (row,) = rows_of(bars(*boxes))
    assert len(row.components) == 10
    assert row.y == 197.5


def test_low_components_join_the_row_that_they_lie_in_or_none() -> None:
    rows = rows_of(bars((100, 50, 40, 20), (100, 100, 40, 20), (136, 80, 4, 4), (300, 80, 4, 4)))
    (row,) = rows
    assert lefts(row.components) == [50, 80, 100]


def test_components_of_unlike_heights_are_in_different_rows() -> None:
    rows = rows_of(bars((100, 50, 80, 40), (100, 200, 25, 10), (100, 230, 25, 10)))
    assert [lefts(row.components) for row in rows] == [[200, 230], [50]]
