"""The ranks of an MPI job.

MPI moves numbers and adds none, because it may choose another order each time: every rank gets all
ranks' values of one slice of a vector, and adds them pairwise. No call of MPI blocks: a rank that
waits sleeps, so that its core is free, and notices if the others have stopped.
"""

import atexit
import contextlib
import os
import pickle
import sys
import time
from typing import Any, NoReturn

import numpy as np
from mpi4py import MPI

from digitnet.arrays import FloatArray
from digitnet.errors import ExitStatus
from digitnet.fleet.fleet import Fleet, add_pairwise

PATIENCE = 600.0  # s without an answer, while training: a process or its machine has stopped
STAGGER = 1.0  # s per rank, so that one rank speaks, not all at once
SHORT_WAIT = 500e-6  # s: most exchanges between ranks that are equally fast end earlier
SHORTEST_NAP, LONGEST_NAP = 20e-6, 1e-3  # s
NAP_SHARE = 0.01  # of the time waited so far: sleeping longer would delay the answer by more
LONGEST_PAUSE = 0.1  # s between two looks: this process, or its machine, was stopped for the rest
PRINTING = 0.2  # s in which a launcher passes messages on: it drops them when it ends the ranks
CHUNK = 1 << 30  # bytes in one call of MPI, whose counts may be 32-bit
ALIGNMENT = 16  # bytes, of bytearray and of what it contains: more than any number's


def initialise() -> int:
    """Initialise MPI and return the number of ranks that it finds."""
    if not MPI.Is_initialized():
        MPI.Init_thread(MPI.THREAD_FUNNELED)
    return int(MPI.COMM_WORLD.size)


def _print(message: str) -> None:
    """Write a line to stderr, where that is possible."""
    if sys.stderr is not None:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(f"{message}\n")
            sys.stderr.flush()


class MPIFleet(Fleet):
    """This process as a rank of MPI's world, once `initialise` has been called."""

    def __init__(self) -> None:
        super().__init__()
        self._world = MPI.COMM_WORLD
        self.rank, self.size = self._world.rank, self._world.size
        self._slices = np.empty((self.size, 0), np.float32)
        atexit.register(self._end_others)

    def _end_others(self) -> None:
        """End all ranks if an error has ended this one: they would wait for it for ever."""
        if hasattr(sys, "last_value"):  # set by an error that nothing has caught
            self._abort(ExitStatus.FAILED)

    def _add(self, message: FloatArray) -> None:
        if self._slices.size != message.size or self._slices.dtype != message.dtype:
            self._slices = np.empty((self.size, message.size // self.size), message.dtype)
        self._wait(self._world.Ialltoall(message, self._slices))
        self._wait(self._world.Iallgather(add_pairwise(self._slices), message))

    def _gather(self, thing: Any) -> list[Any]:
        own = _pack(thing)
        sizes = np.empty(self.size, np.int64)
        self._wait(self._world.Iallgather(np.array([len(own)]), sizes))
        everything = [
            own if rank == self.rank else bytearray(size) for rank, size in enumerate(sizes)
        ]
        for request in [
            self._world.Ibcast(memoryview(packed)[start : start + CHUNK], rank)
            for rank, packed in enumerate(everything)
            for start in range(0, len(packed), CHUNK)
        ]:
            self._wait(request)
        return [thing if packed is own else _unpack(packed) for packed in everything]

    def _wait(self, request: MPI.Request) -> None:
        """Wait for an exchange; end all ranks if it takes longer than this rank's patience."""
        if request.Test():
            return
        waited, before = 0.0, time.perf_counter()
        while not request.Test():
            now = time.perf_counter()
            waited += min(now - before, LONGEST_PAUSE)
            before = now
            if waited < SHORT_WAIT:
                os.sched_yield()
                continue
            if self.is_watched and waited > PATIENCE + self.rank * STAGGER:
                self._give_up()
            time.sleep(min(max(SHORTEST_NAP, waited * NAP_SHARE), LONGEST_NAP))

    def _give_up(self) -> NoReturn:
        _print(
            f"rank {self.rank} on {os.uname().nodename}: expected an answer from the other ranks, "
            f"found none for {PATIENCE / 60:.3g} minutes: a process or its machine has stopped; go "
            "on with --resume"
        )
        self._abort(ExitStatus.FAILED)

    def _abort(self, status: int) -> NoReturn:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                with contextlib.suppress(OSError, ValueError):
                    stream.flush()
        time.sleep(PRINTING)
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # MPI would print a message of its own
        self._world.Abort(int(status))
        os._exit(int(status))


def _pack(thing: Any) -> bytearray:
    """Return a thing as bytes that _unpack can read: lengths of parts, then the parts, aligned.

    The first part is the pickle, the others are buffers of its arrays.
    """
    buffers: list[pickle.PickleBuffer] = []
    pickled = pickle.dumps(thing, protocol=5, buffer_callback=buffers.append)
    parts = [memoryview(pickled), *(buffer.raw() for buffer in buffers)]
    lengths = np.array([len(parts), *map(len, parts)])
    packed = bytearray(_aligned(lengths.nbytes) + sum(_aligned(len(part)) for part in parts))
    packed[: lengths.nbytes] = lengths.tobytes()
    start = _aligned(lengths.nbytes)
    for part in parts:
        packed[start : start + len(part)] = part
        start += _aligned(len(part))
    return packed


def _unpack(packed: bytearray) -> Any:
    """Return the thing in the bytes of _pack. Its arrays are views into them."""
    count = int(np.frombuffer(packed, np.int64, 1)[0])
    lengths = np.frombuffer(packed, np.int64, count, 8)
    start = _aligned(8 + lengths.nbytes)
    parts = []
    for length in lengths.tolist():
        parts.append(memoryview(packed)[start : start + length])
        start += _aligned(length)
    pickled, *buffers = parts
    return pickle.loads(pickled, buffers=buffers)


def _aligned(length: int) -> int:
    return -(-length // ALIGNMENT) * ALIGNMENT
