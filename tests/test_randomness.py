"""One seed, many independent streams."""

from itertools import product

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from digitnet.randomness import Purpose, generator


def drawn(seed: int, purpose: Purpose, *numbers: int) -> tuple[int, ...]:
    """Return the first numbers of a stream."""
    return tuple(generator(seed, purpose, *numbers).integers(2**63, size=4).tolist())


def test_the_same_key_gives_the_same_stream() -> None:
    assert drawn(1, Purpose.SHUFFLE, 3) == drawn(1, Purpose.SHUFFLE, 3)


def test_every_seed_purpose_and_epoch_has_its_own_stream() -> None:
    keys = [(), (0,), (1,), (2,), (0, 0), (0, 1), (1, 0)]
    streams = [drawn(s, p, *key) for s, p, key in product((0, 1, 2, 2**32, 2**64), Purpose, keys)]
    assert len({number for stream in streams for number in stream}) == 4 * len(streams)


@given(st.integers(0, 2**128), st.integers(0, 10**6))
def test_any_seed_and_epoch_is_valid(seed: int, epoch: int) -> None:
    order = generator(seed, Purpose.SHUFFLE, epoch).permutation(10)
    assert sorted(order) == list(range(10))
    np.testing.assert_array_equal(generator(seed, Purpose.SHUFFLE, epoch).permutation(10), order)


def test_drawing_from_one_stream_does_not_shift_another() -> None:
    undisturbed = drawn(5, Purpose.INITIALISE)
    generator(5, Purpose.SPLIT).random(1000)
    assert drawn(5, Purpose.INITIALISE) == undisturbed


def test_global_state_is_unchanged() -> None:
    np.random.seed(3)
    expected = np.random.random()
    np.random.seed(3)
    generator(1, Purpose.SHUFFLE, 2).random(10)
    assert np.random.random() == expected


def test_purposes_keep_their_numbers() -> None:
    # With other numbers, the same seed would give other trainings.
    known = {"SPLIT": 0, "INITIALISE": 1, "SHUFFLE": 2}
    assert {name: Purpose[name].value for name in known} == known
    assert len({purpose.value for purpose in Purpose}) == len(Purpose.__members__)


def test_a_stream_is_numpys_for_seed_and_key() -> None:
    sequence = np.random.SeedSequence(9, spawn_key=(2, 4))
    expected = np.random.default_rng(sequence).integers(2**63, size=4)
    assert drawn(9, Purpose.SHUFFLE, 4) == tuple(expected.tolist())
