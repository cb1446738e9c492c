"""How many digits are beside and above each other, and what is none."""

import numpy as np

from digitnet.image.count import count_digits
from digitnet.image.parts import parts_of


def count(*bars: tuple[int, int, int, int], height: int = 60) -> int:
    """How many there are among bars: top, left, height, width; the first is the main one."""
    marked = np.zeros((200, 300), np.bool_)
    for top, left, high, wide in bars:
        marked[top : top + high, left : left + wide] = True
    parts = parts_of(marked)
    (main,) = (part for part in parts if (part.top, part.left) == bars[0][:2])
    return count_digits(parts, main, height)


def test_ones_beside_each_other_are_as_many() -> None:
    assert count((20, 20, 60, 8)) == 1
    assert count((20, 20, 60, 8), (22, 60, 58, 8)) == 2
    assert count((20, 20, 60, 8), (22, 60, 58, 8), (18, 100, 62, 9)) == 3


def test_the_halves_of_one_are_one() -> None:
    assert count((20, 20, 60, 8), (22, 32, 58, 8)) == 1


def test_what_is_lower_or_higher_is_no_digit_beside_it() -> None:
    assert count((20, 20, 60, 8), (40, 60, 30, 8)) == 1
    assert count((20, 20, 60, 8), (10, 60, 100, 8)) == 1


def test_what_is_much_thicker_is_a_thing_and_what_is_finer_another_digit() -> None:
    assert count((20, 20, 60, 8), (20, 60, 60, 45)) == 1
    assert count((20, 20, 60, 30), (20, 90, 60, 11)) == 2
    assert count((20, 20, 60, 8), (20, 60, 60, 13)) == 2


def test_a_line_that_lies_is_none() -> None:
    assert count((20, 20, 12, 60), (20, 120, 12, 60), height=12) == 1
