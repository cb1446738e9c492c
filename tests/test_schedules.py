"""Schedules: where they begin, end and turn."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitnet.training.schedules import SCHEDULES, rate_factor

every_schedule = pytest.mark.parametrize("name", SCHEDULES)


@every_schedule
def test_it_begins_with_the_whole_rate_and_ends_with_final(name: str) -> None:
    assert rate_factor(name, 0, final=0.1) == 1
    end = 1 if name == "constant" else 0.1
    assert rate_factor(name, 1, final=0.1) == pytest.approx(end)


@every_schedule
@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1, exclude_max=True))
def test_it_never_rises_after_the_warmup_and_stays_within_its_bounds(
    name: str, one: float, other: float, final: float, warmup: float
) -> None:
    early, late = sorted([one, other])
    shares = [rate_factor(name, at, warmup=warmup, final=final) for at in (early, late)]
    assert all(-1e-9 <= s <= 1 + 1e-9 for s in shares)
    if early >= warmup:
        assert shares[1] <= shares[0] + 1e-9


def test_the_warmup_is_a_straight_line_from_0() -> None:
    assert [rate_factor("cosine", at, warmup=0.4) for at in (0, 0.1, 0.4)] == [0, 0.25, 1]


def test_the_cosine_is_half_down_in_the_middle() -> None:
    assert rate_factor("cosine", 0.5, final=0.2) == pytest.approx(0.6)
