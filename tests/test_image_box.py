"""A printed box is removed, the writing in it stays."""

import numpy as np
import pytest
from conftest import read_mnist
from kinds import cropped, drawn

from digitnet.image.marks.box import remove_box

DIGITS, _ = read_mnist("train", 40)


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_a_box_is_removed_even_if_open_above(missing: int) -> None:
    marked = np.zeros((80, 60), np.bool_)
    sides = [np.s_[:3], np.s_[-3:], np.s_[:, :3], np.s_[:, -3:]]
    for side in sides[missing:]:
        marked[side] = True
    marked[30:77, 20:30] = True
    left = remove_box(marked)
    assert left[30:77, 20:30].all()
    assert (left.sum() == 47 * 10) == (missing < 2)


def test_no_digit_is_a_box() -> None:
    for digit in DIGITS:
        marked = cropped(drawn(digit)) > 0.5
        np.testing.assert_array_equal(remove_box(marked), marked)
