"""When an answer is `?`, and why."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitnet.image.look import PHOTO_ADVICE
from digitnet.model.calibration import NO_CALIBRATION, Calibration
from digitnet.model.doubt import Grounds, is_doubtful, picture_problem, why_doubtful

BOTH = Calibration(1.0, 0.6, 2.0)


@pytest.mark.parametrize(
    ("grounds", "calibration", "doubtful"),
    [
        (Grounds(0.6, 2.0), BOTH, False),
        (Grounds(0.59, 2.0), BOTH, True),
        (Grounds(0.6, 1.9), BOTH, True),
        (Grounds(0.6, 2.4, prior=0.5), BOTH, True),
        (Grounds(0.6, 2.5, prior=0.5), BOTH, False),
        (Grounds(0.9, 9.0, digits=2), BOTH, True),
        (Grounds(0.6, 0.0, prior=0.5), Calibration(1.0, 0.6, 0.0), False),
        (Grounds(0.0, 2.0), Calibration(1.0, 0.0, 2.0), False),
        (Grounds(0.1, 0.0, digits=2, prior=9.0), NO_CALIBRATION, False),
    ],
)
def test_a_doubtful_answer_misses_a_threshold_or_shows_several_digits(
    grounds: Grounds, calibration: Calibration, doubtful: bool
) -> None:
    assert is_doubtful(grounds, calibration) is doubtful
    assert (why_doubtful(grounds, calibration) is not None) is doubtful


def test_the_reason_names_what_was_expected_and_found() -> None:
    low, little = Grounds(0.5, 3.0), Grounds(0.9, 1.25)
    assert why_doubtful(low, BOTH) == "expected a confidence of 0.6000 or more, found 0.5000"
    assert why_doubtful(little, BOTH) == "expected evidence of 2.00 or more, found 1.25"
    assert picture_problem(low, BOTH) is picture_problem(little, BOTH) is None
    several = "expected one digit, found 3 possible digits; to read numbers, use --digits any"
    assert picture_problem(Grounds(0.1, 0.1, digits=3), BOTH) == several
    part = f"expected one digit, found a line, or a part of something larger; {PHOTO_ADVICE}"
    assert picture_problem(Grounds(0.9, 3.0, prior=2.0), BOTH) == part


@given(
    st.builds(Grounds, st.floats(0, 1), st.floats(0, 88), st.integers(1, 3), st.floats(0, 20)),
    st.builds(Calibration, st.just(1.0), st.floats(0, 1), st.floats(0, 88)),
)
def test_every_doubt_has_one_reason(grounds: Grounds, calibration: Calibration) -> None:
    why, problem = why_doubtful(grounds, calibration), picture_problem(grounds, calibration)
    assert (why is not None) == is_doubtful(grounds, calibration)
    assert problem in (None, why)
