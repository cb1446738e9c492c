"""Components are grouped by the distance between them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import array_shapes, arrays

from digitnet.image.ink.components import Component, connected_components, mask_of
from digitnet.image.marks.groups import REDUCED_SIDE, Neighbours

Masks = arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=12))


def bars(*columns: int, side: int = 100) -> np.ndarray:
    """Return a mask with an upright bar at each of the columns."""
    marked = np.zeros((side, side), np.bool_)
    for column in columns:
        marked[30:60, column : column + 4] = True
    return marked


def spans(groups: list[tuple[list[Component], int]]) -> list[tuple[int, int]]:
    return [
        (min(one.left for one in group), max(one.right for one in group)) for group, _ in groups
    ]


def test_closer_components_are_joined_first_and_each_group_comes_once() -> None:
    marked = bars(10, 18, 40)
    groups = list(Neighbours(connected_components(marked), marked.shape).groups())
    assert sorted(spans(groups[:3])) == [(10, 14), (18, 22), (40, 44)]
    assert spans(groups[3:]) == [(10, 22), (10, 44)]
    (_, near), (_, far) = groups[3:]
    assert 4 <= near <= 6
    assert 18 <= far <= 28


def test_components_far_apart_are_not_joined() -> None:
    marked = bars(5, 60)
    assert len(list(Neighbours(connected_components(marked), marked.shape).groups())) == 2


@pytest.mark.parametrize("times", [3, 10])
def test_large_pictures_are_grouped_like_small_pictures(times: int) -> None:
    small = bars(10, 18, 40)
    large = np.kron(small, np.ones((times, times), np.bool_))
    found = [list(Neighbours(connected_components(m), m.shape).groups()) for m in (small, large)]
    assert len(large) > REDUCED_SIDE
    assert [len(group) for group, _ in found[0]] == [len(group) for group, _ in found[1]]


@given(Masks)
def test_groups_are_made_of_all_components(marked: np.ndarray) -> None:
    components = connected_components(marked) if marked.any() else []
    groups = list(Neighbours(components, marked.shape).groups())
    assert [group for group, _ in groups[: len(components)]] == [[one] for one in components]
    assert len({frozenset(group) for group, _ in groups}) == len(groups)
    assert len(groups) < max(2 * len(components), 1)
    for group, distance in groups:
        assert (distance == 0) == (len(group) == 1)
        assert not (mask_of(group, marked.shape) & ~marked).any()
