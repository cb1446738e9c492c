"""The average of parameters, held against a plain loop."""

import numpy as np
import pytest

from digitnet.training.averaging import EVERY, Average

WHOLE = slice(None)


def test_it_begins_where_the_parameters_do() -> None:
    source = np.array([1.0, 2.0])
    average = Average(source, 0.9)
    source[:] = 5
    assert average.parameters.tolist() == [1, 2]


@pytest.mark.parametrize("decay", [0.5, 0.99])
def test_it_agrees_with_a_plain_loop(decay: float) -> None:
    source, expected = np.array([1.0, 2.0]), np.array([1.0, 2.0])
    average = Average(source, decay)
    for number in range(1, 200):
        source[:] = np.sin(number), number
        average.follow(number, WHOLE, np.empty(2))
        if number < EVERY:
            expected = source.copy()
            np.testing.assert_array_equal(average.parameters, source)
        if number % EVERY == 0:
            keep = min(decay, (1 + number) / (10 + number)) ** EVERY
            expected = keep * expected + (1 - keep) * source
    np.testing.assert_allclose(average.parameters, expected, rtol=1e-12)


def test_it_may_follow_part_by_part() -> None:
    source = np.random.default_rng(1).random(5)
    whole, parts = Average(source, 0.9), Average(source, 0.9)
    source += 1
    whole.follow(EVERY, WHOLE, np.empty(5))
    for part in (slice(3, 5), slice(0, 3)):
        parts.follow(EVERY, part, np.empty(part.stop - part.start))
    np.testing.assert_array_equal(parts.parameters, whole.parameters)
    assert (whole.parameters > Average(source - 1, 0.9).parameters).all()
