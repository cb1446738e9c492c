"""How many threads the matrix products get."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from digitnet.config.threads import (
    VARIABLES,
    choose_threads,
    environment_threads,
    limit_blas,
    require_memory,
)

SMALL, LARGE = ([784, 16, 16, 10], 10), ([784, 512, 512, 10], 128)


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    environment_threads.cache_clear()
    yield
    environment_threads.cache_clear()


def test_small_layers_get_one_thread() -> None:
    assert choose_threads("auto", *SMALL) == 1


def test_large_layers_get_every_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(6)))
    assert choose_threads("auto", *LARGE) == 6


def test_no_more_threads_than_the_step_has_work_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(1000)))
    assert 6 < choose_threads("auto", *LARGE) < 50


@pytest.mark.parametrize("variable", VARIABLES)
def test_auto_is_at_most_what_the_environment_says(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(2)))
    monkeypatch.setenv(variable, "3")
    assert choose_threads("auto", *LARGE) == environment_threads() == 3
    assert choose_threads("auto", *SMALL) == 1


def test_what_blas_is_told_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLES[0], "4")
    limit_blas(1)
    assert os.environ[VARIABLES[0]] == "1"
    assert environment_threads() == 4


def test_a_number_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLES[0], "3")
    assert choose_threads(5, *SMALL) == 5


@pytest.mark.parametrize("value", ["", "many", "-2", "1.5"])
def test_no_number_in_the_environment_is_passed_over(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv(VARIABLES[0], value)
    monkeypatch.setenv(VARIABLES[1], "4")
    assert environment_threads() == 4


def test_zero_in_the_environment_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLES[0], "0")
    assert environment_threads() == 1


def test_an_environment_that_says_nothing_leaves_the_choice_open() -> None:
    assert environment_threads() is None


def test_limit_blas_tells_every_blas(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in VARIABLES:
        monkeypatch.setenv(variable, "9")
    limit_blas(2)
    assert [os.environ[variable] for variable in VARIABLES] == ["2", "2"]


def test_threads_are_chosen_before_numpy_is_loaded() -> None:
    code = "import sys, digitnet.config.threads; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_memory_that_is_not_there_is_a_memory_error() -> None:
    require_memory(1 << 20)
    with pytest.raises(MemoryError):
        require_memory(1 << 60)
