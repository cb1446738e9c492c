"""The candidates for the digit in a picture, and their priors."""

import time

import numpy as np
import pytest
from conftest import read_mnist
from hypothesis import given
from hypothesis.extra.numpy import array_shapes, arrays

from digitnet.image.digit import MAX_DIGIT_CANDIDATES, Candidate, candidates_of, count_digits
from digitnet.image.ink.components import connected_components
from digitnet.image.ink.ink import Bools, Ink

Masks = arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=12))
Box = tuple[slice, slice]
BODY = (slice(30, 70), slice(40, 50))


def ink_of(marked: Bools, sure: Bools | None = None) -> Ink:
    is_even = sure is None
    return Ink(marked.astype(np.float32), marked if is_even else sure, marked, True, 0.2, is_even)


def canvas(*boxes: Box, shape: tuple[int, int] = (100, 100)) -> Bools:
    marked = np.zeros(shape, np.bool_)
    for box in boxes:
        marked[box] = True
    return marked


def prior(candidates: list[Candidate], *boxes: Box) -> float:
    """Return the prior of the candidate that consists of these boxes."""
    rows, columns = zip(*boxes)
    top, left = min(row.start for row in rows), min(column.start for column in columns)
    bottom, right = max(row.stop for row in rows), max(column.stop for column in columns)
    area = np.count_nonzero(canvas(*boxes, shape=(bottom, right)))
    (found,) = [
        candidate.prior
        for candidate in candidates
        if candidate.box.slices == (slice(top, bottom), slice(left, right))
        and np.count_nonzero(candidate.mask) == area
    ]
    return found


@given(Masks)
def test_there_is_a_candidate_wherever_there_is_ink(marked: np.ndarray) -> None:
    if not marked.any():
        return
    candidates = candidates_of(ink_of(marked))
    assert 0 < len(candidates) <= MAX_DIGIT_CANDIDATES
    priors = [candidate.prior for candidate in candidates]
    assert priors == sorted(priors)
    for candidate in candidates:
        assert candidate.prior >= 0
        assert candidate.mask.any()
        assert not (candidate.mask & ~marked[candidate.box.slices]).any()
        assert count_digits(ink_of(marked), candidate, candidates) >= 1


def test_a_lone_component_is_the_only_candidate() -> None:
    for digit in read_mnist("t10k", 40)[0]:
        marked = digit > 50
        if len(connected_components(marked)) == 1:
            (candidate,) = candidates_of(ink_of(marked))
            assert candidate.alone
            assert candidate.prior == 0
            assert np.count_nonzero(candidate.mask) == np.count_nonzero(marked)


@pytest.mark.parametrize(
    "other",
    [
        (slice(28, 32), slice(54, 70)),  # the bar of a 5
        (slice(74, 90), slice(38, 52)),  # a foot that broke off
    ],
)
def test_pieces_of_a_digit_are_candidates_together_and_alone(other: Box) -> None:
    candidates = candidates_of(ink_of(canvas(BODY, other)))
    assert len(candidates) == 3
    assert prior(candidates, BODY, other) < 1
    assert prior(candidates, BODY) < prior(candidates, other)


def test_dots_of_a_stroke_are_one_candidate() -> None:
    dots = [(slice(y, y + 3), slice(50 + y // 8, 53 + y // 8)) for y in range(20, 80, 6)]
    candidates = candidates_of(ink_of(canvas(*dots)))
    assert prior(candidates, *dots) == candidates[0].prior < 1


def frame(top: int, bottom: int, left: int, right: int, thick: int = 3) -> list[Box]:
    rows, columns = slice(top, bottom), slice(left, right)
    return [
        (slice(top, top + thick), columns),
        (slice(bottom - thick, bottom), columns),
        (rows, slice(left, left + thick)),
        (rows, slice(right - thick, right)),
    ]


@pytest.mark.parametrize("top", [20, 16], ids=["free", "touching"])
def test_ink_in_a_frame_is_a_candidate_without_the_frame(top: int) -> None:
    body = slice(top, 70), slice(45, 55)
    candidates = candidates_of(ink_of(canvas(*frame(15, 85, 20, 80), body)))
    assert prior(candidates, (slice(max(top, 18), 70), slice(45, 55))) < 1


def test_leaving_out_ink_inside_the_box_costs_more_than_ink_beside_it() -> None:
    y, x = np.mgrid[:100, :100] - 40
    ring = np.abs(np.hypot(y, x) - 30) < 3
    inside, beside = canvas((slice(37, 43), slice(37, 43))), canvas((slice(37, 43), slice(80, 86)))
    prior_inside, prior_beside = (
        next(c.prior for c in candidates_of(ink_of(ring | dot)) if c.box.width == 65)
        for dot in (inside, beside)
    )
    assert prior_inside > prior_beside


@pytest.mark.parametrize(
    ("line", "is_expensive"),
    [
        ((slice(0, 28), slice(0, 2)), True),
        ((slice(2, 26), slice(1, 4)), True),
        ((slice(25, 27), slice(1, 27)), True),
        ((slice(2, 26), slice(12, 15)), False),  # in the middle
        ((slice(8, 20), slice(2, 5)), False),  # short
        ((slice(2, 26), slice(1, 14)), False),  # thick
    ],
)
def test_a_line_along_the_border_costs_more_than_a_digit(line: Box, is_expensive: bool) -> None:
    (candidate,) = candidates_of(ink_of(canvas(line, shape=(28, 28))))
    assert (candidate.prior > 1) == is_expensive


def test_ink_that_crosses_the_picture_beside_other_ink_costs_more() -> None:
    edge = slice(0, 100), slice(0, 30)
    candidates = candidates_of(ink_of(canvas(BODY, edge)))
    assert prior(candidates, edge) > prior(candidates, BODY) + 3


def test_pieces_that_fill_the_picture_may_be_a_digit() -> None:
    stem, bar = (slice(8, 40), slice(12, 18)), (slice(0, 5), slice(0, 30))
    candidates = candidates_of(ink_of(canvas(stem, bar, shape=(40, 30))))
    assert prior(candidates, stem, bar) < 1


def test_rivals_apart_from_the_digit_are_counted() -> None:
    high, low = (slice(20, 80), slice(10, 40)), (slice(45, 80), slice(60, 90))
    ink = ink_of(canvas(high, low))
    candidates = candidates_of(ink)
    (main,) = [candidate for candidate in candidates if candidate.box.slices == high]
    assert count_digits(ink, main, []) == 1
    assert count_digits(ink, main, candidates) == 2


def test_components_without_sure_ink_are_ignored() -> None:
    shade = slice(10, 90), slice(60, 90)
    (candidate,) = candidates_of(ink_of(canvas(BODY, shade), canvas(BODY)))
    assert candidate.box.slices == BODY
    assert not candidate.alone


@pytest.mark.parametrize(
    ("others", "digits"),
    [
        ([], 1),
        ([(slice(30, 70), slice(60, 70))], 2),
        ([(slice(30, 70), slice(60, 70)), (slice(32, 68), slice(80, 90))], 3),
        ([(slice(60, 70), slice(60, 66))], 1),  # a full stop
        ([(slice(30, 70), slice(92, 100))], 1),  # cut off by the border
        ([(slice(10, 90), slice(60, 90))], 1),  # an object
    ],
)
def test_digits_of_about_one_height_are_counted(others: list[Box], digits: int) -> None:
    ink = ink_of(canvas(BODY, *others))
    (main,) = [candidate for candidate in candidates_of(ink) if candidate.box.slices == BODY]
    assert count_digits(ink, main, []) == digits


@pytest.mark.parametrize("seed", range(3))
def test_thousands_of_dots_take_little_time(seed: int) -> None:
    marked = np.random.default_rng(seed).random((320, 320)) < 0.04
    start = time.process_time()
    assert len(candidates_of(ink_of(marked))) <= MAX_DIGIT_CANDIDATES
    assert time.process_time() - start < 2
