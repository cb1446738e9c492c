"""Run the installed command without its start-up: fork it from a process that has loaded it.

Each call is a process of its own, with its own arguments, streams, environment variables and memory
limit. It runs the console script's `main` and ends as Python ends, except that no module is torn
down: that would copy each page of memory that is shared with the process it was forked from. It
does not show the start-up: which modules are loaded when, and what Python and NumPy read from the
environment while they load.
"""

import atexit
import contextlib
import ctypes
import gc
import importlib
import inspect
import marshal
import os
import pkgutil
import resource
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import PIL.Image

import digitnet

LATE = ("blas_thread", "numpy.ma", "msgspec", "tqdm", "unicodedata", "yaml", "encodings.cp437")
NUMBER = 4  # bytes of a number in a message
SUBREAPER = 36  # prctl(2): orphans among a process's descendants become its children
EXECUTE_CHILD = tuple(inspect.signature(subprocess.Popen._execute_child).parameters)[1:]
PIPE_ENDS = ("p2cread", "p2cwrite", "c2pread", "c2pwrite", "errread", "errwrite")


status: int | None = None  # of the command, once it has ended with a plain status


def leave() -> None:
    """End the process with the status of the command; return if Python has to end it."""
    if status is not None:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)


class Forked(subprocess.Popen[bytes]):
    """A process of a command, as Popen starts one. env: variables to be added."""

    def __init__(
        self, preloaded: "Preloaded", command: Sequence[str | bytes | Path], **options: Any
    ) -> None:
        self.preloaded = preloaded
        super().__init__(command, **options)

    def _execute_child(self, args: Any, *rest: Any) -> None:
        """Fork where Popen would fork and execute a program."""
        given = dict(zip(EXECUTE_CHILD, (args, *rest)))
        ends = given["p2cread"], given["c2pwrite"], given["errwrite"]
        self.pid = self.preloaded.fork_for_caller(
            [number if end == -1 else end for number, end in enumerate(ends)],
            [os.fsencode(word) for word in args],
            os.fsencode(given["cwd"] or os.getcwd()),
            given["env"] or {},
            given["process_group"],
        )
        self._child_created = True
        self._close_pipe_fds(*(given[name] for name in PIPE_ENDS))


class Preloaded:
    """The process that forks. The first call starts it."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment
        self.process: subprocess.Popen[bytes] | None = None

    def run(
        self,
        command: Sequence[str | bytes | Path],
        input: bytes,
        timeout: float,
        cwd: Path | None,
        env: dict[str, str],
        data_limit: int | None,
    ) -> "subprocess.CompletedProcess[bytes]":
        """Run a command as `subprocess.run` does; add the variables `env`, limit RLIMIT_DATA."""
        if self.process is None:
            self._start()
        try:
            return self._run(
                [os.fsencode(word) for word in command],
                input,
                timeout,
                (os.fsencode(cwd or os.getcwd()), env, -1, data_limit),
            )
        except BaseException:
            self.close()  # the process may be in the middle of a call
            raise

    def start(self, *command: str | bytes | Path, **options: Any) -> Forked:
        """Start a command as Popen does, with its options; add the variables `env`."""
        return Forked(self, command, **options)

    def fork_for_caller(self, streams: list[int], words: list[bytes], *rest: object) -> int:
        """Fork a process that becomes the caller's child; return its id."""
        if self.process is None:
            self._start()
        prctl = ctypes.CDLL(None).prctl
        prctl(SUBREAPER, 1)
        try:
            self._send(streams, (True, words, *rest, None))
            pid = receive_number(self.connection)
            assert receive_number(self.connection) == 0
        except BaseException:
            self.close()  # the process may be in the middle of a call
            raise
        finally:
            prctl(SUBREAPER, 0)
        return pid

    def _send(self, streams: list[int], call: tuple[object, ...]) -> None:
        message = marshal.dumps(call)
        socket.send_fds(self.connection, [len(message).to_bytes(NUMBER, "big")], streams)
        self.connection.sendall(message)

    def _start(self) -> None:
        self.connection, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, __file__, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env=self.environment,
            )

    def _run(
        self, words: list[bytes], input: bytes, timeout: float, rest: tuple[object, ...]
    ) -> "subprocess.CompletedProcess[bytes]":
        (stdin, to_stdin), (from_stdout, stdout), (from_stderr, stderr) = (
            os.pipe() for _ in range(3)
        )
        self._send([stdin, stdout, stderr], (False, words, *rest))
        for descriptor in (stdin, stdout, stderr):
            os.close(descriptor)
        output = {from_stdout: b"", from_stderr: b""}

        def write() -> None:
            with contextlib.suppress(BrokenPipeError), os.fdopen(to_stdin, "wb") as file:
                file.write(input)

        def read(descriptor: int) -> None:
            with os.fdopen(descriptor, "rb") as file:
                output[descriptor] = file.read()

        threads = [threading.Thread(target=write, daemon=True)]
        threads += [threading.Thread(target=read, args=(one,), daemon=True) for one in output]
        for thread in threads:
            thread.start()
        pid = receive_number(self.connection)
        try:
            self.connection.settimeout(timeout)
            status = receive_number(self.connection)
            self.connection.settimeout(None)
        except BaseException as error:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            if isinstance(error, TimeoutError):
                raise subprocess.TimeoutExpired(words, timeout) from None
            raise
        for thread in threads:
            thread.join()
        return subprocess.CompletedProcess(
            words, os.waitstatus_to_exitcode(status), output[from_stdout], output[from_stderr]
        )

    def close(self) -> None:
        """End the process."""
        if self.process is not None:
            self.connection.close()
            self.process.kill()
            self.process.wait()
            self.process = None


def receive_number(connection: socket.socket) -> int:
    number = connection.recv(NUMBER, socket.MSG_WAITALL)
    if len(number) < NUMBER:
        raise EOFError("the preloaded process has ended")
    return int.from_bytes(number, "big")


def load() -> None:
    """Load all that the command may need, BLAS with one thread as the command loads it."""
    for name in LATE:
        importlib.import_module(name)
    for module in pkgutil.walk_packages(digitnet.__path__, "digitnet."):
        if module.name != "digitnet.fleet.mpi":  # starts MPI, which must not be forked
            importlib.import_module(module.name)
    PIL.Image.preinit()
    gc.collect()
    gc.freeze()  # garbage collection when a child ends skips all that is loaded here


def serve(connection: socket.socket) -> None:
    """Fork a process for each call. Return in the child, which then runs the command.

    A process that is for the caller is forked from a process that ends at once: the caller, the
    nearest subreaper, becomes its parent.
    """
    while True:
        size, descriptors, _, _ = socket.recv_fds(connection, NUMBER, 3)
        if not size:
            os._exit(0)
        message = connection.recv(int.from_bytes(size, "big"), socket.MSG_WAITALL)
        is_for_caller, *call = marshal.loads(message)
        pid = os.fork()
        if pid == 0:
            if is_for_caller and (own := os.fork()):
                connection.sendall(own.to_bytes(NUMBER, "big"))
                os._exit(0)
            connection.close()
            prepare(descriptors, *call)
            return
        for descriptor in descriptors:
            os.close(descriptor)
        if not is_for_caller:
            connection.sendall(pid.to_bytes(NUMBER, "big"))
        _, status = os.waitpid(pid, 0)
        connection.sendall(status.to_bytes(NUMBER, "big"))


def prepare(
    descriptors: list[int],
    words: list[bytes],
    cwd: bytes,
    env: dict[str, str],
    process_group: int,
    data_limit: int | None,
) -> None:
    """Set up the child as a shell and Python would have done."""
    streams = ("stdin", "r"), ("stdout", "w"), ("stderr", "w")
    for number, (descriptor, (name, mode)) in enumerate(zip(descriptors, streams)):
        os.dup2(descriptor, number)
        os.close(descriptor)
        first = getattr(sys, name)
        whole = os.fdopen(number, mode, encoding=first.encoding, errors=first.errors, closefd=False)
        setattr(sys, name, whole)
        setattr(sys, f"__{name}__", whole)
    if process_group >= 0:
        os.setpgid(0, process_group)
    os.chdir(cwd)
    os.environ.update(env)
    sys.argv = [os.fsdecode(word) for word in words]
    if data_limit is not None:
        resource.setrlimit(resource.RLIMIT_DATA, (data_limit, data_limit))


if __name__ == "__main__":
    atexit.register(leave)  # registered first, called last
    load()
    serve(socket.socket(fileno=int(sys.argv[1])))
    try:
        digitnet.__main__.main()
        status = 0
    except SystemExit as end:
        status = end.code or 0 if isinstance(end.code, int | None) else None
        raise
