"""List the system calls of a command with strace, and make one of them fail."""

import os
import re
import shutil
import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

TIMEOUT = 30.0  # s: a slower command counts as hung
ERRORS = {  # from the manual pages, and from full, broken and remote disks
    "openat": ("EACCES", "EMFILE", "EIO", "ENOSPC", "EINTR"),
    "read": ("EIO", "EINTR"),
    "pread64": ("EIO", "EINTR"),
    "write": ("ENOSPC", "EIO", "EINTR"),
    "pwrite64": ("ENOSPC", "EIO", "EINTR"),
    "fsync": ("EIO", "ENOSPC", "EINTR"),
    "rename": ("EACCES", "EIO", "ENOSPC"),
    "unlink": ("EACCES", "EIO"),
    "ftruncate": ("EIO", "ENOSPC", "EINTR"),
    "mmap": ("ENOMEM",),
    "flock": ("EIO", "ENOLCK", "EINTR"),
    "close": ("EIO", "ENOSPC", "EINTR"),
    "fstat": ("EIO",),
    "newfstatat": ("EACCES", "EIO"),
    "lseek": ("EIO",),
    "getdents64": ("EIO", "EACCES"),
    "dup": ("EMFILE",),
    "dup2": ("EMFILE",),
    "fchmod": ("EACCES", "EIO"),
    "fchown": ("EACCES", "EIO"),
    "access": ("EIO",),
    "readlink": ("EIO",),
    "socketpair": ("EMFILE",),
    "pipe2": ("EMFILE",),
    "clone": ("EAGAIN",),
    "clone3": ("EAGAIN",),
}
MARKER = "rt_sigaction"  # with MARKED, the first call of `digitnet.__main__.main`
MARKED = "SIGUSR1, {"  # its arguments, which Python's start-up never uses
NOT_INHERITED = ("DIGITNET_MODEL", "PYTHONUNBUFFERED")
CALL = re.compile(r"(?P<tracee>\d+) +(?P<name>\w+)\((?P<arguments>.*)")
BY_NAME = re.compile(r'(?:AT_FDCWD<[^>]*>, )?"(?P<path>[^"]+)"')
BY_DESCRIPTOR = re.compile(r"\d<(?P<path>[^>]*)>")


@dataclass(frozen=True)
class Injection:
    """A call that will be made to fail.

    number: counts calls of this name from 1, in each process and thread separately. path: the file
    of the call. on_path: count only calls with that path.
    """

    call: str
    error: str
    number: int
    path: str
    on_path: bool = False

    def __str__(self) -> str:
        return f"{self.call} {self.number} {self.error} ({self.path})"

    def options(self) -> list[str]:
        when = f"inject={self.call}:error={self.error}:when={self.number}"
        paths = ["-P", self.path] if self.on_path else []
        return [*paths, "-e", f"trace={self.call}", "-e", when]


@dataclass(frozen=True)
class Done:
    """The outcome of a command.

    status: exit status; None if it hung. hit: path of the failed call; None if no call failed.
    """

    status: int | None
    stdout: str
    stderr: str
    hit: str | None


class Tracer:
    """Runs commands under strace, with stdout and stderr in files in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stdout, self.stderr = folder / "stdout", folder / "stderr"
        self.log = folder / "strace.log"

    def run(self, command: Sequence[str], stdin: Path, cwd: Path, options: Sequence[str]) -> Done:
        strace = ["strace", "-f", "--seccomp-bpf", "-qq", "-y", "-o", str(self.log), *options]
        self.log.write_bytes(b"")
        environment = {
            **{name: value for name, value in os.environ.items() if name not in NOT_INHERITED},
            "PYTHONHASHSEED": "0",  # the same calls in each run
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        with (
            stdin.open("rb") as source,
            self.stdout.open("wb") as out,
            self.stderr.open("wb") as err,
        ):
            process = subprocess.Popen(
                [*strace, *command],
                stdin=source,
                stdout=out,
                stderr=err,
                cwd=cwd,
                env=environment,
                start_new_session=True,
            )
            status: int | None
            try:
                status = process.wait(TIMEOUT)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                status = None
        return Done(status, self.stdout.read_text(), self.stderr.read_text(), self._hit())

    def _hit(self) -> str | None:
        for line in self.log.read_text(errors="replace").splitlines():
            if line.endswith("(INJECTED)") and (call := CALL.match(line)):
                return path_of(call["name"], call["arguments"])
        return None


def reason_to_skip() -> str | None:
    """Return why no call can be made to fail here; None if calls can."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    probe = ["strace", "-f", "--seccomp-bpf", "-qq", "-o", os.devnull, "-e", "trace=openat"]
    done = subprocess.run(
        [*probe, "-e", "inject=openat:error=EIO:when=999", "true"],
        capture_output=True,
        check=False,
    )
    return f"strace cannot trace here: {done.stderr.decode().strip()}" if done.returncode else None


def path_of(name: str, arguments: str) -> str:
    """Return a call's path, strace's name for its pipe or socket, or the name of the call."""
    match = BY_NAME.match(arguments) or BY_DESCRIPTOR.search(arguments)
    return match["path"] if match else name


def counting() -> list[str]:
    """Return strace's options for logging all calls that can be made to fail."""
    return ["-e", "trace=" + ",".join(f"?{name}" for name in (*ERRORS, MARKER))]


def injections(log: str, is_own: Callable[[str], bool]) -> Iterator[Injection]:
    """Yield all failures to inject into a command, from the log of one run.

    Calls for own paths fail with each of their errors, calls for libraries with one error in turn.
    """
    numbers: Counter[tuple[str, str]] = Counter()
    on_paths: Counter[tuple[str, str, str]] = Counter()
    first: str | None = None
    begun = False
    for line in log.splitlines():
        call = CALL.match(line)
        if call is None:
            continue
        tracee, name, arguments = call.groups()
        first = first or tracee
        if name == MARKER:
            begun = begun or arguments.startswith(MARKED)
            continue
        path = path_of(name, arguments)
        numbers[tracee, name] += 1
        on_paths[tracee, name, path] += 1
        if not begun:
            continue
        errors, number = ERRORS[name], numbers[tracee, name]
        if not is_own(path):
            yield Injection(name, errors[number % len(errors)], number, path)
        elif tracee == first:
            yield from (Injection(name, error, number, path) for error in errors)
        elif path.startswith("/"):
            ordinal = on_paths[tracee, name, path]
            yield from (Injection(name, error, ordinal, path, True) for error in errors)
