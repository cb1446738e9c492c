"""Numbers of training threads and of BLAS threads."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from digitnet.config.threads import (
    BLAS_VARIABLES,
    choose_threads,
    environment_threads,
    limit_blas,
    require_memory,
)

SMALL, MEDIUM, LARGE = (
    ([784, 16, 16, 10], 10),
    ([784, 128, 10], 32),
    ([784, 512, 512, 10], 128),
)


@pytest.fixture(autouse=True)
def _unset_variables(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for variable in BLAS_VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    environment_threads.cache_clear()
    yield
    environment_threads.cache_clear()


def test_small_layers_get_one_thread() -> None:
    assert choose_threads("auto", *SMALL) == choose_threads("auto", *SMALL, processes=True) == 1


def test_processes_pay_with_less_work_than_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    assert choose_threads("auto", *MEDIUM) == 1
    assert choose_threads("auto", *MEDIUM, processes=True) == 2


def test_large_layers_get_every_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(6)))
    assert choose_threads("auto", *LARGE) == 6


def test_threads_are_limited_by_the_work_in_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(1000)))
    assert 6 < choose_threads("auto", *LARGE) < 50 < choose_threads("auto", *LARGE, processes=True)


@pytest.mark.parametrize("variable", BLAS_VARIABLES)
def test_auto_is_limited_by_the_environment(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(2)))
    monkeypatch.setenv(variable, "3")
    assert choose_threads("auto", *LARGE) == environment_threads() == 3
    assert choose_threads("auto", *SMALL) == 1


def test_limit_blas_leaves_the_number_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(BLAS_VARIABLES[0], "4")
    limit_blas(1)
    assert os.environ[BLAS_VARIABLES[0]] == "1"
    assert environment_threads() == 4


def test_a_number_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(BLAS_VARIABLES[0], "3")
    assert choose_threads(5, *SMALL) == 5


@pytest.mark.parametrize("value", ["", "many", "-2", "1.5"])
def test_a_variable_that_is_not_a_whole_number_is_ignored(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv(BLAS_VARIABLES[0], value)
    monkeypatch.setenv(BLAS_VARIABLES[1], "4")
    assert environment_threads() == 4


def test_zero_in_the_environment_means_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(BLAS_VARIABLES[0], "0")
    assert environment_threads() == 1


def test_environment_threads_is_none_without_variables() -> None:
    assert environment_threads() is None


def test_limit_blas_sets_every_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in BLAS_VARIABLES:
        monkeypatch.setenv(variable, "9")
    limit_blas(2)
    assert [os.environ[variable] for variable in BLAS_VARIABLES] == ["2", "2"]


def test_the_module_does_not_import_numpy() -> None:
    code = "import sys, digitnet.config.threads; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_missing_memory_raises_memory_error() -> None:
    require_memory(1 << 20)
    with pytest.raises(MemoryError):
        require_memory(1 << 60)
