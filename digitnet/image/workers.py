"""Many pictures prepared at once by several processes, and handed back in order.

Processes, because threads would be slower than none: of what a small picture costs, nearly all is
Python's, and only one thread at a time may run that.
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

from digitnet.arrays import SIDE
from digitnet.errors import DigitnetError, ImageError, shortage
from digitnet.image.files import open_picture
from digitnet.image.look import Reading
from digitnet.image.reading import first_look, look_closer
from digitnet.image.room import Room

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkProcess

    from PIL.Image import Image

MOST = 8  # processes: what is done with their pictures keeps one busy
TOGETHER = 32  # pictures that are handed over together, at most
AHEAD = 65536  # pixels that are decoded before the first of them are read, at least
FIRST = 8  # pictures that are prepared before others are asked to help, at least
PATIENCE = 0.05  # seconds that one of them waits for others, but for the one at work
MANY = 500  # pictures that are shared out at once
ALONE = 0.02  # seconds of work after which the rest is shared out; starting a process takes as many

Named = tuple[str, str | bytes | ImageError]  # what is to be read, or why it cannot
Prepared = tuple[str, Any]  # a Reading, or what other steps made, or an ImageError
Steps = tuple[Callable[["Image", str], Any], Callable[[Any, str], Any]]
Decoded = tuple[str, "Image | ImageError"]
S = TypeVar("S")
T = TypeVar("T")


def available() -> int:
    """How many processes are worth having on the processors that there are."""
    return min(len(os.sched_getaffinity(0)), MOST)


class Workers:
    """Up to `count` processes that prepare pictures, started once there is work enough for them.

    steps: what is made of a decoded picture, by its name, and what of that; else a `Reading`.
    """

    def __init__(self, count: int, steps: Steps | None = None) -> None:
        self._count, self._steps = count, steps or (first_look, look_closer)
        self._spent = 0.0  # seconds of work without them
        self._processes: list[ForkProcess] = []
        self._connections: list[Connection] = []
        self._room: Room | None = None

    def prepare(self, pictures: Sequence[Named]) -> Iterator[list[Prepared]]:
        """Named pictures as they were read, or why not, in order, some at a time, as soon as ready.

        To be read to its end before the next call. Raises DigitnetError if a process is killed.
        """
        done = 0
        while done < len(pictures):
            if self._worth_sharing(len(pictures) - done) and self._started():
                yield from self._shared(pictures[done:])
                return
            begun = time.monotonic()
            for portion in _portions(pictures[done : done + FIRST], self._steps):
                self._spent += time.monotonic() - begun
                yield portion
                begun = time.monotonic()
            done += FIRST

    def close(self) -> None:
        """End the processes, whatever they do."""
        for process in self._processes:
            process.kill()
            process.join()
            _discard(process)
        for connection in self._connections:
            _discard(connection)
        if self._room is not None:
            self._room.close()
        self._connections, self._processes, self._room = [], [], None

    def _worth_sharing(self, pictures: int) -> bool:
        return self._count > 1 and pictures > 1 and (self._spent > ALONE or pictures > MANY)

    def _shared(self, pictures: Sequence[Named]) -> Iterator[list[Prepared]]:
        """Chunk after chunk to one worker after the other, and back in the same order.

        Each has a chunk to go on with, and no more than the connection can hold.
        """
        size = min(-(-len(pictures) // self._count), TOGETHER)
        at_work: deque[tuple[Connection, Sequence[Named]]] = deque()
        for number, start in enumerate(range(0, len(pictures), size)):
            if len(at_work) == 2 * self._count:
                yield from self._received(*at_work.popleft())
            connection = self._connections[number % self._count]
            chunk = pictures[start : start + size]
            try:
                connection.send(chunk)
            except OSError:
                raise _killed() from None
            at_work.append((connection, chunk))
        while at_work:
            yield from self._received(*at_work.popleft())

    def _received(
        self, connection: "Connection", chunk: Sequence[Named]
    ) -> Iterator[list[Prepared]]:
        """What a worker makes of a chunk, some at a time, as soon as it is there."""
        waiting = select.poll()
        waiting.register(connection, select.POLLIN)
        for process in self._processes:
            waiting.register(process.sentinel, select.POLLIN)
        done = 0
        while done < len(chunk):
            if connection.fileno() not in dict(waiting.poll()):
                raise _killed()  # what it had claimed of the room is lost to this one
            try:
                results: list[Any] = connection.recv()
            except (EOFError, OSError):
                raise _killed() from None
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
        """Whether there are workers, now that they are wanted; the system may have no room."""
        if self._processes:
            return True
        import multiprocessing

        context = multiprocessing.get_context("fork")
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])  # for them, for ever
        try:
            self._room = Room()
            for _ in range(self._count):
                ours, theirs = context.Pipe()
                self._connections.append(ours)
                arguments = (theirs, list(self._connections), self._room, self._steps)
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
    pictures: Sequence[Named], steps: Steps, room: Room | None = None
) -> Iterator[list[Prepared]]:
    """Pictures prepared here and now, handed over in time.

    Small ones some at a time: a step done over and over again is quicker. room: where others
    prepare pictures, too, and large ones wait for each other.
    """
    first, second = steps
    for group in _decoded(pictures, room):
        portion: list[Prepared] = []
        begun = time.monotonic()
        looks: deque[tuple[str, Any]] = deque()
        while group:
            looks.append(_taken(first, group))
        while looks:
            portion.append(_taken(second, looks))
            if time.monotonic() - begun > PATIENCE:
                yield portion
                portion, begun = [], time.monotonic()
        if portion:
            yield portion


def _decoded(pictures: Sequence[Named], room: Room | None) -> Iterator[deque[Decoded]]:
    """Pictures decoded, small ones some at a time; a large one by itself."""
    opened = open_picture if room is None else partial(open_picture, claim=room.claim)
    group: deque[Decoded] = deque()
    pixels, begun = 0, time.monotonic()
    for name, picture in pictures:
        image = picture if isinstance(picture, ImageError) else _tried(opened, picture, name)
        size = math.prod(getattr(image, "size", ()))
        if group and size >= AHEAD:
            yield group
            pixels, begun = 0, time.monotonic()
        group.append((name, image))
        del image  # or it would be kept while the next one is decoded
        pixels += size
        if pixels >= AHEAD or time.monotonic() - begun > PATIENCE:
            yield group
            pixels, begun = 0, time.monotonic()
    yield group


def _taken(
    step: Callable[[S, str], T], group: deque[tuple[str, S | ImageError]]
) -> tuple[str, T | ImageError]:
    """The next step of the first one, which is no longer kept."""
    name, thing = group.popleft()
    return name, thing if isinstance(thing, ImageError) else _tried(step, thing, name)


def _tried(step: Callable[[S, str], T], thing: S, name: str) -> T | ImageError:
    """What a step makes of a picture, or why it cannot."""
    try:
        return step(thing, name)
    except ImageError as error:
        return ImageError(name, error.problem)  # the first one's traceback would keep the picture


def as_it_is(thing: T, _: str) -> T:
    """Return the thing as it is, as a second step where one is enough."""
    return thing


def _work(
    connection: "Connection",
    of_the_parent: list["Connection"],
    room: Room,
    steps: Steps,
) -> None:
    """What a worker does until the parent closes the connection or ends, of whatever.

    It answers with text for what is wrong with a picture, and with the error of a shortage.
    """
    for other in of_the_parent:
        _discard(other)  # or the end of the parent would not be noticed
    while True:
        try:
            for portion in _portions(connection.recv(), steps, room):
                room.give_back()  # sending may wait for the parent, and that for another process
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
            room.give_back()  # or the last large picture's part would stay claimed


def _discard(thing: "Connection | ForkProcess") -> None:
    """Close what is no longer used; the system closes it in the end where this fails."""
    with contextlib.suppress(OSError):
        thing.close()


def _packed(result: Any) -> Any:
    """What a process hands over: a reading as a tuple, which takes half the time of the object."""
    if not isinstance(result, Reading):
        return result
    image, *decisions = vars(result).values()
    return image.tobytes(), *decisions


def _unpacked(result: Any) -> Any:
    if not isinstance(result, tuple):
        return result
    pixels, *decisions = result
    return Reading(np.frombuffer(pixels, np.uint8).reshape(SIDE, SIDE), *decisions)


def _killed() -> DigitnetError:
    return DigitnetError("a process that prepared pictures was killed; perhaps memory ran short")
