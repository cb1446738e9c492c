"""Find out which launcher, if any, has started this process as one of several ranks."""

import os
import sys
import warnings
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from digitnet.errors import DigitnetError, Elsewhere, ExitStatus

if TYPE_CHECKING:
    from digitnet.fleet.fleet import Fleet

START_SECONDS = 600  # s in which all ranks must have started: then SIGALRM ends the process
NAME_LIBRARY = "export MPI4PY_LIBMPI=/path/to/libmpi.so"


LOCAL_RANKS = ("MPI_LOCALRANKID", "OMPI_COMM_WORLD_LOCAL_RANK", "SLURM_LOCALID")  # on a machine


class Launcher(Enum):
    """What started this process, named as in messages."""

    OPEN_MPI = "Open MPI"
    MPICH = "MPICH"  # or its kin: Intel MPI, MVAPICH, srun --mpi=pmi2
    PMIX = "an MPI with PMIx"


class LaunchError(DigitnetError):
    """Launcher, mpi4py and MPI library do not fit together."""

    exit_status = ExitStatus.USAGE

    def __init__(self, problem: str) -> None:
        super().__init__(f"MPI: {problem}")
        self.problem = problem


class Place(NamedTuple):
    """Where a launcher has put this process: as `rank` of `size` ranks, None if not known."""

    rank: int
    size: int | None
    launcher: Launcher

    @property
    def ranks(self) -> str:
        """Return the number of ranks, for messages."""
        return f"{self.size or 'several'} ranks"


def launched() -> Place | None:
    """Return this process's place among several ranks; None if it is alone.

    SLURM_PROCID is no sign of MPI: srun sets it for any program.
    """
    if (rank := _number("OMPI_COMM_WORLD_RANK")) is not None:
        place = Place(rank, _number("OMPI_COMM_WORLD_SIZE"), Launcher.OPEN_MPI)
    elif (rank := _number("PMI_RANK")) is not None and _has_process_manager():
        place = Place(rank, _number("PMI_SIZE"), Launcher.MPICH)
    elif (rank := _number("PMIX_RANK")) is not None:
        by_slurm = os.environ.get("PMIX_NAMESPACE", "").startswith("slurm.")
        size = _number("SLURM_STEP_NUM_TASKS") if by_slurm else None
        place = Place(rank, size, Launcher.PMIX)
    else:
        return None
    return None if place.size == 1 else place


def join() -> "Fleet":
    """Return the fleet that this process was launched in; `Alone()` if it was started by itself.

    Raises LaunchError if MPI cannot be used: in the first rank of each machine, Elsewhere in the
    other ranks, which have the same installation.
    """
    from digitnet.fleet.fleet import Alone

    place = launched()
    if place is None:
        return Alone()
    try:
        return _join(place)
    except LaunchError as error:
        if place.rank == 0:
            raise
        if any(_number(name) == 0 for name in LOCAL_RANKS):
            host = os.uname().nodename
            raise LaunchError(f"rank {place.rank} on {host}: {error.problem}") from None
        raise Elsewhere from None


def _join(place: Place) -> "Fleet":
    version = _load_library(place)
    if not _fits(place.launcher, version):
        raise LaunchError(
            f"expected {place.launcher.value}, which the launcher of {place.ranks} belongs to, "
            f"found {_name(version)}; {_advice(version)}"
        )
    import signal

    from digitnet.fleet.fleet import Alone
    from digitnet.fleet.mpi import MPIFleet, initialise

    signal.alarm(START_SECONDS)  # MPI would wait for ever for a rank that has ended before
    size = initialise()
    signal.alarm(0)
    if size == 1 and place.size is None and place.rank == 0:
        return Alone()
    if size != (place.size or size) or place.rank >= size:
        raise LaunchError(
            f"expected {place.ranks}, as the launcher says, found {size} with {_name(version)}; "
            f"{_advice(version)}"
        )
    return MPIFleet()


def _load_library(place: Place) -> str:
    """Load the library of MPI and return the text of its version.

    MPI is not initialised: that would end or block the process if library and launcher differ.
    """
    try:
        import mpi4py
    except ModuleNotFoundError:
        raise LaunchError(
            f"expected mpi4py for {place.ranks}, found none; pip install 'digitnet[mpi]', or, to "
            "use an MPI that is installed, pip install mpi4py"
        ) from None
    mpi4py.rc.initialize = False
    mpi4py.rc.finalize = True
    mpi4py.rc.thread_level = "funneled"
    try:
        with warnings.catch_warnings(action="ignore"):
            from mpi4py import MPI
    except (ImportError, RuntimeError) as error:
        named = os.environ.get("MPI4PY_LIBMPI")
        reason = f"MPI4PY_LIBMPI={named}: " if named else ""
        reason += str(error).partition("\n")[0]
        raise LaunchError(
            f"expected an MPI library for {place.ranks}, found none ({reason}); pip install mpich, "
            f"or {NAME_LIBRARY}"
        ) from None
    return MPI.Get_library_version().rstrip("\0")


def _fits(launcher: Launcher, version: str) -> bool:
    """Return False if a library cannot talk to a launcher."""
    is_open_mpi = "Open MPI" in version
    if launcher is Launcher.OPEN_MPI:
        return is_open_mpi
    if launcher is Launcher.MPICH:  # srun --mpi=pmi2 may know Open MPI 4, MPICH's mpiexec does not
        by_mpiexec = "MPI_LOCALNRANKS" in os.environ
        return not is_open_mpi or (version.startswith("Open MPI v4") and not by_mpiexec)
    return is_open_mpi or "MPICH configure" not in version or "pmix" in version


def _name(version: str) -> str:
    """Return the first words of a version's text: the library's name and number."""
    return " ".join(version.partition("\n")[0].partition(",")[0].split())


def _advice(version: str) -> str:
    name, slurm = ("Open MPI", "pmix") if "Open MPI" in version else ("MPICH", "pmi2")
    beside = os.path.join(os.path.dirname(sys.executable), "mpiexec")
    is_own = os.path.exists(beside) and "MPI4PY_LIBMPI" not in os.environ
    mpiexec = beside if is_own else f"{name}'s mpiexec"
    return f"start them with {mpiexec} or srun --mpi={slurm}, or {NAME_LIBRARY} of the launcher"


def _number(name: str) -> int | None:
    text = os.environ.get(name, "")
    return int(text) if text.isdecimal() else None


def _has_process_manager() -> bool:
    """Return False in a process that a rank has started: its variables are inherited."""
    descriptor = _number("PMI_FD")
    if descriptor is None:
        return True
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True
