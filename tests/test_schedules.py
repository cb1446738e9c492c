"""Learning-rate schedules: the factor at the start, at the end and between."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitnet.training.schedules import SCHEDULES, rate_factor

every_schedule = pytest.mark.parametrize("name", SCHEDULES)


@every_schedule
def test_the_factor_begins_at_1_and_ends_at_final(name: str) -> None:
    assert rate_factor(name, 0, final=0.1) == 1
    end = 1 if name == "constant" else 0.1
    assert rate_factor(name, 1, final=0.1) == pytest.approx(end)


@every_schedule
@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1, exclude_max=True))
def test_the_factor_never_rises_after_the_warmup_and_stays_within_0_and_1(
    name: str, one: float, other: float, final: float, warmup: float
) -> None:
    early, late = sorted([one, other])
    factors = [rate_factor(name, at, warmup=warmup, final=final) for at in (early, late)]
    assert all(-1e-9 <= factor <= 1 + 1e-9 for factor in factors)
    if early >= warmup:
        assert factors[1] <= factors[0] + 1e-9


def test_the_warmup_is_linear_from_0() -> None:
    assert [rate_factor("cosine", at, warmup=0.4) for at in (0, 0.1, 0.4)] == [0, 0.25, 1]


def test_the_cosine_is_halfway_to_final_in_the_middle() -> None:
    assert rate_factor("cosine", 0.5, final=0.2) == pytest.approx(0.6)
