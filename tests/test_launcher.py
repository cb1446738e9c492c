"""Which launcher has started this process, and whether the library of MPI fits it."""

import os
import sys
from types import ModuleType, SimpleNamespace

import pytest

from digitnet.errors import ExitStatus
from digitnet.fleet.fleet import Alone, Elsewhere
from digitnet.fleet.launcher import Launcher, LaunchError, Place, join, launched

LAUNCHERS = ("OMPI_", "PMI_", "PMIX_", "SLURM_", "MPI4PY_", "MPI_")
OPEN_MPI = "Open MPI v5.0.11, package: Open MPI user@host, ident: 5.0.11\0"
MPICH = "MPICH Version:      5.0.2\nMPICH configure:    --with-device=ch4\n"
INTEL = "Intel(R) MPI Library 2021.14 for Linux* OS\n"
BY_MPICH = {"PMI_RANK": "0", "PMI_SIZE": "2"}
BY_MPIEXEC = {**BY_MPICH, "MPI_LOCALNRANKS": "2"}
BY_OPEN_MPI = {"OMPI_COMM_WORLD_RANK": "0", "OMPI_COMM_WORLD_SIZE": "2", "PMIX_RANK": "0"}
BY_PMIX = {"PMIX_RANK": "0"}
BY_SLURM = {"PMIX_NAMESPACE": "slurm.pmix.17.0", "PMIX_RANK": "3"}


@pytest.fixture(autouse=True)
def _no_launcher(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in list(os.environ):
        if name.startswith(LAUNCHERS):
            monkeypatch.delenv(name)


def set_environment(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize(
    ("variables", "place"),
    [
        ({}, None),
        ({"SLURM_PROCID": "1", "SLURM_NTASKS": "4"}, None),
        ({"PMI_RANK": "x", "PMI_SIZE": "2"}, None),
        ({"PMI_RANK": "0", "PMI_SIZE": "1"}, None),
        ({"PMI_RANK": "1", "PMI_SIZE": "2", "PMI_FD": "0"}, Place(1, 2, Launcher.MPICH)),
        ({"PMI_RANK": "1", "PMI_SIZE": "2", "PMI_FD": "4321"}, None),  # started by a rank
        (BY_OPEN_MPI, Place(0, 2, Launcher.OPEN_MPI)),
        ({**BY_OPEN_MPI, "OMPI_COMM_WORLD_SIZE": "1"}, None),
        ({"PMIX_RANK": "3"}, Place(3, None, Launcher.PMIX)),
        ({**BY_SLURM, "SLURM_STEP_NUM_TASKS": "4"}, Place(3, 4, Launcher.PMIX)),
        ({**BY_SLURM, "SLURM_STEP_NUM_TASKS": "1", "PMIX_RANK": "0"}, None),
        ({"PMIX_RANK": "3", "SLURM_STEP_NUM_TASKS": "1"}, Place(3, None, Launcher.PMIX)),
    ],
)
def test_the_environment_tells_the_place(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], place: Place | None
) -> None:
    set_environment(monkeypatch, variables)
    assert launched() == place


def test_a_process_alone_loads_no_mpi(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    monkeypatch.setenv("PMI_RANK", "0")
    monkeypatch.setenv("PMI_SIZE", "1")
    assert type(join()) is Alone


class FakeMPI4PY(ModuleType):
    """mpi4py with a library of this version; None: without a library."""

    def __init__(self, version: str | None) -> None:
        super().__init__("mpi4py")
        self.rc = SimpleNamespace()
        self.version = version

    @property
    def MPI(self) -> SimpleNamespace:
        if self.version is None:
            raise RuntimeError("cannot load MPI library\nlibmpi.so: no such file")
        return SimpleNamespace(Get_library_version=lambda: self.version)


def refusal(monkeypatch: pytest.MonkeyPatch, module: ModuleType | None) -> str:
    """Return the message of the error that `join` raises in rank 0; the other ranks are silent."""
    monkeypatch.setitem(sys.modules, "mpi4py", module)
    with pytest.raises(LaunchError) as caught:
        join()
    assert caught.value.exit_status is ExitStatus.USAGE
    for name in {"PMI_RANK", "OMPI_COMM_WORLD_RANK"} & os.environ.keys():
        monkeypatch.setenv(name, "1")
    with pytest.raises(Elsewhere):
        join()
    return str(caught.value)


def test_missing_mpi4py_is_told_by_rank_0(monkeypatch: pytest.MonkeyPatch) -> None:
    set_environment(monkeypatch, BY_MPICH)
    assert refusal(monkeypatch, None) == (
        "MPI: expected mpi4py for 2 ranks, found none; pip install 'digitnet[mpi]', or, to use an "
        "MPI that is installed, pip install mpi4py"
    )


def test_a_missing_library_is_told_by_rank_0(monkeypatch: pytest.MonkeyPatch) -> None:
    set_environment(monkeypatch, {**BY_MPICH, "MPI4PY_LIBMPI": "/none.so"})
    assert refusal(monkeypatch, FakeMPI4PY(None)) == (
        "MPI: expected an MPI library for 2 ranks, found none (MPI4PY_LIBMPI=/none.so: cannot load "
        "MPI library); pip install mpich, or export MPI4PY_LIBMPI=/path/to/libmpi.so"
    )


@pytest.mark.parametrize(
    ("variables", "version", "expected", "found", "advice"),
    [
        (BY_MPICH, OPEN_MPI, "MPICH", "Open MPI v5.0.11", "srun --mpi=pmix"),
        (BY_MPIEXEC, "Open MPI v4.1.8, ident: 4.1.8\0", "MPICH", "Open MPI v4.1.8", "srun"),
        (BY_OPEN_MPI, MPICH, "Open MPI", "MPICH Version: 5.0.2", "srun --mpi=pmi2"),
        (BY_OPEN_MPI, INTEL, "Open MPI", "Intel(R) MPI Library 2021.14 for Linux* OS", "srun"),
    ],
)
def test_another_mpi_is_refused_before_it_is_initialised(
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    version: str,
    expected: str,
    found: str,
    advice: str,
) -> None:
    set_environment(monkeypatch, variables)
    message = refusal(monkeypatch, FakeMPI4PY(version))
    assert message.startswith(
        f"MPI: expected {expected}, which the launcher of 2 ranks belongs to, found {found}; "
    )
    assert advice in message


def test_pmix_is_not_spoken_by_any_mpich(monkeypatch: pytest.MonkeyPatch) -> None:
    set_environment(monkeypatch, BY_PMIX)
    monkeypatch.setitem(sys.modules, "mpi4py", FakeMPI4PY(MPICH))
    with pytest.raises(LaunchError, match="expected an MPI with PMIx, which the launcher of sever"):
        join()
