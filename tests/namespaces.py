"""Several hosts on one machine: network namespaces, joined by a virtual switch. Needs root.

Each host has its own name, address, shared memory and copy of a folder, so that processes on two
hosts can only talk over the network. Nothing leads out of the namespaces.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

NETWORK = "10.77.0"
PORT = "eth0"  # a host's network interface
ENTER = """\
#!/bin/sh
# Run a command on a host, as ssh does: options, an address, the words of a line for a shell.
while [ "${{1#-}}" != "$1" ]; do shift; done
name={prefix}${{1##*.}}
shift
case $1 in *=*) exec= ;; *) exec=exec ;; esac
enter="hostname $name && mount -t tmpfs none /dev/shm && mount --bind {folder}/$name {here}"
exec ip netns exec $name unshare --uts --ipc --mount sh -c "$enter && cd {here} && $exec $*"
"""


def missing() -> str | None:
    """Return what is missing to make hosts, None if nothing is."""
    if os.geteuid() != 0:
        return "needs root"
    for program in ("ip", "tc", "unshare"):
        if shutil.which(program) is None:
            return f"needs {program}, of Debian's iproute2 or util-linux"
    name = f"digitnet-{os.getpid()}"
    try:
        _ip("netns", "add", name)
        _ip("-n", name, "link", "add", "one", "type", "veth", "peer", "name", "other")
        _ip("-n", name, "link", "add", "switch", "type", "bridge")
    except subprocess.CalledProcessError as error:
        return f"needs network namespaces: {error.stderr.strip()}"
    finally:
        with suppress(subprocess.CalledProcessError):
            _ip("netns", "del", name)
    return None


class Hosts:
    """Running hosts, numbered from 1.

    here: the path at which each host sees its own folder, whose path outside is `folder_of(host)`.
    """

    def __init__(self, count: int, folder: Path) -> None:
        self.count, self.folder, self.here = count, folder, folder / "here"
        self.prefix = f"digitnet-{os.getpid()}-"
        self.switch = f"{self.prefix}switch"
        self.enter = folder / "enter.sh"
        self.enter.write_text(
            ENTER.format(prefix=self.prefix, folder=folder, here=self.here), encoding="utf-8"
        )
        self.enter.chmod(0o755)
        self.here.mkdir()

    def name_of(self, host: int) -> str:
        return f"{self.prefix}{host}"

    def folder_of(self, host: int) -> Path:
        return self.folder / self.name_of(host)

    def start(self) -> None:
        _ip("netns", "add", self.switch)
        _ip("-n", self.switch, "link", "add", "switch", "type", "bridge")
        _ip("-n", self.switch, "link", "set", "switch", "up")
        for host in range(1, self.count + 1):
            name, cable = self.name_of(host), f"host{host}"
            self.folder_of(host).mkdir()
            _ip("netns", "add", name)
            ends = ("link", "add", cable, "type", "veth", "peer", "name", PORT, "netns", name)
            _ip("-n", self.switch, *ends)
            _ip("-n", self.switch, "link", "set", cable, "master", "switch", "up")
            _ip("-n", name, "address", "add", f"{NETWORK}.{host}/24", "dev", PORT)
            _ip("-n", name, "link", "set", PORT, "up")
            _ip("-n", name, "link", "set", "lo", "up")

    def stop(self) -> None:
        for name in (self.switch, *map(self.name_of, range(1, self.count + 1))):
            with suppress(subprocess.CalledProcessError):
                _ip("netns", "del", name)

    def command(self, host: int) -> tuple[str, str]:
        """Return the words that run on a host what follows them."""
        return str(self.enter), f"{NETWORK}.{host}"

    def processes(self, host: int) -> list[int]:
        """Return the ids of the processes that run on a host."""
        return list(map(int, _ip("netns", "pids", self.name_of(host)).split()))

    @property
    def addresses(self) -> list[str]:
        return [f"{NETWORK}.{host}" for host in range(1, self.count + 1)]

    def launcher(self, mpiexec: Path, *, over: str = "ucx") -> tuple[str, ...]:
        """Return the words that run MPICH's mpiexec on host 1, ranks on all hosts in turn.

        over: the library through which MPICH talks TCP, ucx or ofi.
        """
        networks = {
            "ucx": ("UCX_TLS=tcp", f"UCX_NET_DEVICES={PORT}"),
            "ofi": ("FI_PROVIDER=tcp", f"FI_TCP_IFACE={PORT}"),
        }
        return (
            *(*self.command(1), "env", f"MPIR_CVAR_CH4_NETMOD={over}"),
            *(*networks[over], str(mpiexec), "-launcher", "ssh", "-launcher-exec", str(self.enter)),
            *("-iface", PORT, "-hosts", ",".join(self.addresses)),
        )

    def launcher_of_open_mpi(self, mpiexec: Path) -> tuple[str, ...]:
        """Return the words that run Open MPI's mpiexec on host 1, ranks on all hosts."""
        path = f"PATH={mpiexec.parent}:{os.environ['PATH']}"
        root = "OMPI_ALLOW_RUN_AS_ROOT=1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1"
        return (
            *(*self.command(1), "env", path, *root, str(mpiexec)),
            *("--prtemca", "plm_ssh_agent", str(self.enter), "--prtemca", "prte_if_include", PORT),
            *("--mca", "pml", "ob1", "--mca", "btl", "tcp,self", "--mca", "btl_tcp_if_include"),
            *(PORT, "--bind-to", "none", "-x", "PYTHONPATH"),
            *("--map-by", "node:oversubscribe", "--host", ",".join(self.addresses)),
        )

    def plug(self, host: int, *, is_in: bool) -> None:
        """Pull a host's cable out of the switch, or plug it in."""
        _ip("-n", self.switch, "link", "set", f"host{host}", "up" if is_in else "down")

    def limit(self, megabits: float | None) -> None:
        """Limit what each host can send, in Mb/s; None: no limit."""
        for host in range(1, self.count + 1):
            device = ("-n", self.name_of(host), "qdisc")
            with suppress(subprocess.CalledProcessError):
                _run("tc", *device, "del", "dev", PORT, "root")
            if megabits is not None:
                bucket = ("rate", f"{megabits}mbit", "burst", "128kb", "latency", "100ms")
                _run("tc", *device, "add", "dev", PORT, "root", "tbf", *bucket)


@contextmanager
def hosts(count: int, folder: Path) -> Iterator[Hosts]:
    """Make hosts whose folders lie in an empty folder; remove them at the end."""
    made = Hosts(count, folder)
    try:
        made.start()
        yield made
    finally:
        made.stop()


def _ip(*words: str) -> str:
    return _run("ip", *words)


def _run(*words: str) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout
