"""Seams cut digits that touch where there is least ink."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from digitnet.image.marks.seams import seams_of


def seams(mask: np.ndarray) -> list[np.ndarray]:
    return seams_of(mask, mask.astype(np.float32), float(len(mask)))


def test_two_rings_are_cut_where_they_touch() -> None:
    y, x = np.mgrid[:40, :80]
    rings = [np.abs(np.hypot(y - 20, x - centre) - 17) < 2 for centre in (20, 57)]
    cuts = seams(rings[0] | rings[1])
    assert any(all(abs(seam - 38.5) < 4) for seam in cuts)


def test_a_bridge_is_cut() -> None:
    mask = np.zeros((40, 90), bool)
    mask[:, :40] = mask[:, 50:] = True
    mask[18:21, 40:50] = True
    assert any(((seam >= 40) & (seam < 50)).all() for seam in seams(mask))


@given(st.integers(0, 2**32), st.integers(1, 40), st.integers(1, 90))
def test_seams_are_sorted_and_move_at_most_one_column_per_row(
    seed: int, height: int, width: int
) -> None:
    mask = np.random.default_rng(seed).random((height, width)) < 0.4
    cuts = seams(mask)
    means = [float(seam.mean()) for seam in cuts]
    assert means == sorted(means)
    for seam in cuts:
        assert seam.shape == (height,)
        assert (np.abs(np.diff(seam)) <= 1).all()
        assert seam.min() >= 0
        assert seam.max() < width
