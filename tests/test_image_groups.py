"""Components are grouped by the distance between them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import array_shapes, arrays

from digitnet.image.ink.parts import Part, mask_of, parts_of
from digitnet.image.marks.groups import COARSE, Neighbours

Masks = arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=12))


def bars(*columns: int, side: int = 100) -> np.ndarray:
    marked = np.zeros((side, side), np.bool_)
    for column in columns:
        marked[30:60, column : column + 4] = True
    return marked


def spans(groups: list[tuple[list[Part], int]]) -> list[tuple[int, int]]:
    return [(min(p.left for p in group), max(p.right for p in group)) for group, _ in groups]


def test_what_is_closer_is_joined_first_and_each_group_comes_once() -> None:
    marked = bars(10, 18, 40)
    groups = list(Neighbours(parts_of(marked), marked.shape).groups())
    assert sorted(spans(groups[:3])) == [(10, 14), (18, 22), (40, 44)]
    assert spans(groups[3:]) == [(10, 22), (10, 44)]
    (_, near), (_, far) = groups[3:]
    assert 4 <= near <= 6
    assert 18 <= far <= 28


def test_what_is_far_away_is_not_joined() -> None:
    marked = bars(5, 60)
    assert len(list(Neighbours(parts_of(marked), marked.shape).groups())) == 2


@pytest.mark.parametrize("times", [3, 10])
def test_large_pictures_are_grouped_as_small_ones(times: int) -> None:
    small = bars(10, 18, 40)
    large = np.kron(small, np.ones((times, times), np.bool_))
    found = [list(Neighbours(parts_of(m), m.shape).groups()) for m in (small, large)]
    assert len(large) > COARSE
    assert [len(group) for group, _ in found[0]] == [len(group) for group, _ in found[1]]


@given(Masks)
def test_groups_are_made_of_all_components(marked: np.ndarray) -> None:
    parts = parts_of(marked) if marked.any() else []
    groups = list(Neighbours(parts, marked.shape).groups())
    assert [group for group, _ in groups[: len(parts)]] == [[part] for part in parts]
    assert len({frozenset(group) for group, _ in groups}) == len(groups)
    assert len(groups) < max(2 * len(parts), 1)
    for group, distance in groups:
        assert (distance == 0) == (len(group) == 1)
        assert not (mask_of(group, marked.shape) & ~marked).any()
