"""Class names, and the answer that each stands for."""

import pytest

from digitnet.dataset.classes import as_answer, same_answer

COMPOSED, DECOMPOSED = "caf\u00e9", "cafe\u0301"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1", "01"),
        ("0", "000"),
        ("1", " 1"),
        ("one", "one\u00a0"),
        (COMPOSED, DECOMPOSED),
        ("\u1ea5", "\u00e2\u0301"),
        ("seven", "seven"),
        ("", " "),
    ],
)
def test_names_that_look_alike_stand_for_the_same_answer(one: str, other: str) -> None:
    assert same_answer(["x", one, "y", other]) == (one, other)
    assert same_answer([other, one]) == (other, one)


@pytest.mark.parametrize(
    "names",
    [
        "0123456789",
        ("1", "10", "100"),
        ("3", "\u0663", "\u0969", "\uff13"),  # Arabic, Devanagari, full width
        ("2", "\u00b2", "\u2461"),
        ("A", "a"),
        ("0" * 20 + "1", "1"),
        ("-1", "1", "1.0"),
        (),
    ],
)
def test_other_names_stand_for_different_answers(names: tuple[str, ...]) -> None:
    assert same_answer(names) is None
    assert len({as_answer(name) for name in names}) == len(names)


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        *(("7", 7), ("07", 7), ("10", 10), ("seven", "seven"), ("-1", "-1"), ("1.5", "1.5")),
        *(("", ""), ("٣", "٣"), ("1" * 18, int("1" * 18)), ("1" * 19, "1" * 19)),
    ],
)
def test_names_that_are_decimal_numbers_are_numbers(name: str, answer: int | str) -> None:
    assert as_answer(name) == answer
    assert type(as_answer(name)) is type(answer)
