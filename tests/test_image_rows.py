"""Components come into rows, and rows into reading order."""

import numpy as np

from digitnet.image.ink.parts import Part, parts_of
from digitnet.image.marks.rows import rows_of


def bars(*boxes: tuple[int, int, int, int]) -> list[Part]:
    """Filled boxes: top, left, height and width."""
    marked = np.zeros((400, 600), bool)
    for top, left, height, width in boxes:
        marked[top : top + height, left : left + width] = True
    return parts_of(marked)


def lefts(parts: list[Part]) -> list[int]:
    return [part.left for part in parts]


def test_rows_are_read_from_the_top_and_from_the_left() -> None:
    rows = rows_of(bars((200, 50, 40, 20), (20, 90, 40, 20), (20, 30, 40, 20), (205, 10, 40, 20)))
    assert [lefts(row.parts) for row in rows] == [[30, 90], [10, 50]]
    assert [row.height for row in rows] == [40, 40]


def test_a_row_may_rise() -> None:
    boxes = [(200 - 5 * i, 20 + 50 * i, 40, 20) for i in range(10)]
    (row,) = rows_of(bars(*boxes))
    assert len(row.parts) == 10
    assert row.y == 197.5


def test_low_parts_join_the_row_that_they_lie_in_or_none() -> None:
    rows = rows_of(bars((100, 50, 40, 20), (100, 100, 40, 20), (136, 80, 4, 4), (300, 80, 4, 4)))
    (row,) = rows
    assert lefts(row.parts) == [50, 80, 100]


def test_parts_of_other_heights_are_another_row() -> None:
    rows = rows_of(bars((100, 50, 80, 40), (100, 200, 25, 10), (100, 230, 25, 10)))
    assert [lefts(row.parts) for row in rows] == [[200, 230], [50]]
