"""Prepare many pictures in several processes, and return them in order.

Processes, because threads would be slower than a single one: a small picture takes mostly Python
code, and only one thread at a time may run Python code.
"""

import contextlib
import math
import os
import select
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from digitnet.arrays import SIDE
from digitnet.errors import DigitnetError, ImageError, shortage
from digitnet.image.files import open_picture
from digitnet.image.look import Reading
from digitnet.image.memory_budget import MemoryBudget
from digitnet.image.reading import reading_steps

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkProcess

    from PIL.Image import Image

MAX_WORKERS = 8  # processes: more of them keep waiting for the parent process
MAX_CHUNK = 32  # pictures sent to a worker at once
MIN_GROUP_PIXELS = 65536  # pixels: decoded before the first picture of a group is read
FIRST_PICTURES = 8  # pictures prepared by the parent before it considers starting workers
MAX_WAIT = 0.05  # s: a prepared picture waits this long for others; then the portion is returned
MANY_PICTURES = 500  # pictures: more are shared with workers at once
START_AFTER = 0.02  # s of work: then the rest is shared; starting a worker takes about as long
STOPS_OF_WORKERS = signal.SIGHUP, signal.SIGTERM  # they end a worker; SIGINT is for the parent

NamedPicture = tuple[
    str, "str | bytes | NDArray[np.uint8] | ImageError"
]  # or why it cannot be read
Prepared = tuple[str, Any]  # a name and a Reading (or the result of other steps) or an ImageError
Steps = tuple[Callable[["Image", str], Any], Callable[[Any, str], Any]]
Decoded = tuple[str, "Image | ImageError"]
S = TypeVar("S")
T = TypeVar("T")


def worker_count() -> int:
    """Return how many workers this machine's processors can keep busy."""
    return min(len(os.sched_getaffinity(0)), MAX_WORKERS)


class Workers:
    """Up to `count` processes that prepare pictures, started once there is enough work.

    steps: two functions of a picture and its name. The first takes the decoded picture, the second
    takes what the first returned. By default, they make a `Reading`.
    """

    def __init__(self, count: int, steps: Steps | None = None) -> None:
        self._count, self._steps = count, steps or reading_steps()
        self._spent = 0.0  # s of work in this process
        self._processes: list[ForkProcess] = []
        self._connections: list[Connection] = []
        self._budget: MemoryBudget | None = None

    def prepare(self, pictures: Sequence[NamedPicture]) -> Iterator[list[Prepared]]:
        """Yield the prepared pictures in order, in portions, each as soon as it is ready.

        The iterator must be exhausted before the next call. Raises DigitnetError if a worker is
        killed.
        """
        done = 0
        while done < len(pictures):
            if self._worth_sharing(len(pictures) - done) and self._started():
                yield from self._shared(pictures[done:])
                return
            begun = time.monotonic()
            for portion in _portions(pictures[done : done + FIRST_PICTURES], self._steps):
                self._spent += time.monotonic() - begun
                yield portion
                begun = time.monotonic()
            done += FIRST_PICTURES

    def close(self) -> None:
        """Kill the workers, even while they are working."""
        for process in self._processes:
            process.kill()
            process.join()
            _close_quietly(process)
        for connection in self._connections:
            _close_quietly(connection)
        if self._budget is not None:
            self._budget.close()
        self._connections, self._processes, self._budget = [], [], None

    def _worth_sharing(self, pictures: int) -> bool:
        is_long = self._spent > START_AFTER or pictures > MANY_PICTURES
        return self._count > 1 and pictures > 1 and is_long

    def _shared(self, pictures: Sequence[NamedPicture]) -> Iterator[list[Prepared]]:
        """Send chunks to the workers in turn, and yield the prepared pictures in the same order.

        At most two chunks per worker are under way: each worker always has a next chunk, and no
        connection is full.
        """
        size = min(-(-len(pictures) // self._count), MAX_CHUNK)
        under_way: deque[tuple[Connection, Sequence[NamedPicture]]] = deque()
        for number, start in enumerate(range(0, len(pictures), size)):
            if len(under_way) == 2 * self._count:
                yield from self._received(*under_way.popleft())
            connection = self._connections[number % self._count]
            chunk = pictures[start : start + size]
            try:
                connection.send(chunk)
            except OSError:
                raise _killed_error() from None
            under_way.append((connection, chunk))
        while under_way:
            yield from self._received(*under_way.popleft())

    def _received(
        self, connection: "Connection", chunk: Sequence[NamedPicture]
    ) -> Iterator[list[Prepared]]:
        """Yield the prepared pictures of a chunk in portions, as they arrive from its worker."""
        waiting = select.poll()
        waiting.register(connection, select.POLLIN)
        for process in self._processes:
            waiting.register(process.sentinel, select.POLLIN)
        done = 0
        while done < len(chunk):
            if connection.fileno() not in dict(waiting.poll()):
                raise _killed_error()  # this worker may wait for memory that the killed one claimed
            try:
                results: list[Any] = connection.recv()
            except (EOFError, OSError):
                raise _killed_error() from None
            portion: list[Prepared] = []
            for (name, _), result in zip(chunk[done : done + len(results)], results):
                if isinstance(result, Exception):
                    raise result
                if isinstance(result, str):
                    portion.append((name, ImageError(name, result)))
                else:
                    portion.append((name, _unpacked(result)))
            done += len(portion)
            yield portion

    def _started(self) -> bool:
        """Start the workers if there are none; return False if the system cannot start them."""
        if self._processes:
            return True
        import multiprocessing

        context = multiprocessing.get_context("fork")
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, ())
        try:  # blocking a signal runs the handler of one that came before
            # Until `_work` resets the handlers, which a forked worker inherits:
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT, *STOPS_OF_WORKERS])
            self._budget = MemoryBudget()
            for _ in range(self._count):
                ours, theirs = context.Pipe()
                self._connections.append(ours)
                arguments = (theirs, list(self._connections), self._budget, self._steps, mask)
                process = context.Process(target=_work, args=arguments, daemon=True)
                process.start()
                self._processes.append(process)
                theirs.close()
        except OSError:
            self.close()
            self._count = 1
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        return bool(self._processes)


def _portions(
    pictures: Sequence[NamedPicture], steps: Steps, budget: MemoryBudget | None = None
) -> Iterator[list[Prepared]]:
    """Yield pictures prepared in this process, in portions, each after MAX_WAIT or earlier.

    Small pictures take each step in groups: repeating one step is faster. budget: the memory that
    large pictures wait for, where several processes prepare pictures.
    """
    first, second = steps
    for group in _decoded(pictures, budget):
        portion: list[Prepared] = []
        begun = time.monotonic()
        looks: deque[tuple[str, Any]] = deque()
        while group:
            looks.append(_take_step(first, group))
        while looks:
            portion.append(_take_step(second, looks))
            if time.monotonic() - begun > MAX_WAIT:
                yield portion
                portion, begun = [], time.monotonic()
        if portion:
            yield portion


def _decoded(
    pictures: Sequence[NamedPicture], budget: MemoryBudget | None
) -> Iterator[deque[Decoded]]:
    """Yield decoded pictures: small ones in groups, each large one alone."""
    opened = open_picture if budget is None else partial(open_picture, claim=budget.claim)
    group: deque[Decoded] = deque()
    pixels, begun = 0, time.monotonic()
    for name, picture in pictures:
        image = picture if isinstance(picture, ImageError) else _try_step(opened, picture, name)
        size = math.prod(getattr(image, "size", ()))
        if group and size >= MIN_GROUP_PIXELS:
            yield group
            pixels, begun = 0, time.monotonic()
        group.append((name, image))
        del image  # otherwise it stays in memory while the next picture is decoded
        pixels += size
        if pixels >= MIN_GROUP_PIXELS or time.monotonic() - begun > MAX_WAIT:
            yield group
            pixels, begun = 0, time.monotonic()
    yield group


def _take_step(
    step: Callable[[S, str], T], group: deque[tuple[str, S | ImageError]]
) -> tuple[str, T | ImageError]:
    """Remove the first item from a group and take its next step."""
    name, item = group.popleft()
    return name, item if isinstance(item, ImageError) else _try_step(step, item, name)


def _try_step(step: Callable[[S, str], T], item: S, name: str) -> T | ImageError:
    """Return the result of a step, or the ImageError that the step raised."""
    try:
        return step(item, name)
    except ImageError as error:
        return ImageError(name, error.problem)  # the original's traceback would keep the picture


def identity(item: T, _: str) -> T:
    """Return the item: the second step where one step is enough."""
    return item


def _work(
    connection: "Connection",
    parent_connections: list["Connection"],
    budget: MemoryBudget,
    steps: Steps,
    mask: set[signal.Signals],
) -> None:
    """Prepare the chunks that the parent sends, until it closes the connection or ends.

    Sends a list per portion: a result or, for an ImageError, its text. After a shortage, sends its
    exception instead. mask: the signals that the parent had blocked; they stay blocked.
    """
    for number in STOPS_OF_WORKERS:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, {*mask, signal.SIGINT})
    for other in parent_connections:
        _close_quietly(other)  # otherwise this worker would not notice the end of the parent
    while True:
        try:
            for portion in _portions(connection.recv(), steps, budget):
                budget.release()  # `send` may wait for the parent, and it for another worker
                connection.send(
                    [
                        result.problem if isinstance(result, ImageError) else _packed(result)
                        for _, result in portion
                    ]
                )
        except (EOFError, ImportError, MemoryError, OSError) as error:
            if not shortage(error):
                if isinstance(error, ImportError):
                    raise
                return  # the parent has closed the connection
            connection.send([error])
        finally:
            budget.release()  # otherwise the claim of the last large picture would stay


def _close_quietly(resource: "Connection | ForkProcess") -> None:
    """Close a resource; where that fails, the system closes it at exit."""
    with contextlib.suppress(OSError):
        resource.close()


def _packed(result: Any) -> Any:
    """Return a reading as a tuple, which is sent in half the time; other results unchanged."""
    if not isinstance(result, Reading):
        return result
    image, *decisions = vars(result).values()
    return image.tobytes(), *decisions


def _unpacked(result: Any) -> Any:
    """Return the result that `_packed` was given."""
    if not isinstance(result, tuple):
        return result
    pixels, *decisions = result
    return Reading(np.frombuffer(pixels, np.uint8).reshape(SIDE, SIDE), *decisions)


def _killed_error() -> DigitnetError:
    time.sleep(MAX_WAIT)  # a signal that stops all processes may be about to reach this one
    problem = "a process that prepares pictures was killed; perhaps the memory ran out"
    return DigitnetError(problem)
