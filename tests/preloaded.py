"""Run the installed command without its start-up: fork it from a process that has loaded it.

Each call is a process of its own, with its own arguments, streams, environment variables and memory
limit. It runs the console script's `main` and ends as Python ends, except that no module is torn
down: that would copy each page of memory that is shared with the process it was forked from. It
does not show the start-up: which modules are loaded when, and what Python and NumPy read from the
environment while they load.
"""

import atexit
import contextlib
import gc
import importlib
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

import PIL.Image

import digitnet

LATE = ("blas_thread", "numpy.ma", "msgspec", "tqdm", "unicodedata", "yaml", "encodings.cp437")
NUMBER = 4  # bytes of a number in a message


status: int | None = None  # of the command, once it has ended with a plain status


def leave() -> None:
    """End the process with the status of the command; return if Python has to end it."""
    if status is not None:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)


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
                (os.fsencode(cwd or os.getcwd()), env, data_limit),
            )
        except BaseException:
            self.close()  # the process may be in the middle of a call
            raise

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
        message = marshal.dumps((words, *rest))
        (stdin, to_stdin), (from_stdout, stdout), (from_stderr, stderr) = (
            os.pipe() for _ in range(3)
        )
        size = len(message).to_bytes(NUMBER, "big")
        socket.send_fds(self.connection, [size], [stdin, stdout, stderr])
        self.connection.sendall(message)
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
    """Fork a process for each call. Return in the child, which then runs the command."""
    while True:
        size, descriptors, _, _ = socket.recv_fds(connection, NUMBER, 3)
        if not size:
            os._exit(0)
        message = connection.recv(int.from_bytes(size, "big"), socket.MSG_WAITALL)
        pid = os.fork()
        if pid == 0:
            connection.close()
            prepare(descriptors, *marshal.loads(message))
            return
        for descriptor in descriptors:
            os.close(descriptor)
        connection.sendall(pid.to_bytes(NUMBER, "big"))
        _, status = os.waitpid(pid, 0)
        connection.sendall(status.to_bytes(NUMBER, "big"))


def prepare(
    descriptors: list[int],
    words: list[bytes],
    cwd: bytes,
    env: dict[str, str],
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
