"""How many threads the matrix products get."""

import os
import subprocess
import sys

import pytest

from digitnet.threads import LARGE, VARIABLES, choose_threads, largest_product, limit_threads


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)


def test_small_products_get_one_thread() -> None:
    assert choose_threads("auto", LARGE - 1) == 1


def test_large_products_get_every_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(6)))
    assert choose_threads("auto", LARGE) == 6


@pytest.mark.parametrize("variable", VARIABLES)
def test_auto_is_what_the_environment_says(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "3")
    assert choose_threads("auto", LARGE) == 3


def test_a_number_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLES[0], "3")
    assert choose_threads(5) == 5


@pytest.mark.parametrize("value", ["", "many", "-2", "1.5"])
def test_no_number_in_the_environment_is_passed_over(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv(VARIABLES[0], value)
    monkeypatch.setenv(VARIABLES[1], "4")
    assert choose_threads("auto") == 4


def test_zero_in_the_environment_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLES[0], "0")
    assert choose_threads("auto") == 1


def test_the_largest_product_is_the_largest_layer_times_the_minibatch() -> None:
    assert largest_product([784, 16, 1000, 10], 5) == 5 * 16 * 1000
    assert largest_product([784, 16, 10], 5) == 5 * 784 * 16


def test_limit_threads_tells_every_blas(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in VARIABLES:
        monkeypatch.setenv(variable, "9")
    limit_threads(2)
    assert [os.environ[variable] for variable in VARIABLES] == ["2", "2"]


def test_threads_are_chosen_before_numpy_is_loaded() -> None:
    code = "import sys, digitnet.threads; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
