"""Several processes prepare pictures as one would, in order, and none is left running."""

import errno
import gc
import os
import signal
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from functools import cache
from multiprocessing import connection
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from digitnet.errors import DigitnetError, ImageError
from digitnet.image import memory
from digitnet.image import workers as module
from digitnet.image.files import Picture, open_picture
from digitnet.image.memory_budget import UNIT, UNITS
from digitnet.image.reading import read, reading_steps
from digitnet.image.workers import NamedPicture, Prepared, Workers, worker_count
from digitnet.session.signals import handle_signals


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Workers]:
    """Two workers, which are started without delay."""
    monkeypatch.setattr(module, "START_AFTER", -1)
    workers = Workers(2)
    yield workers
    workers.close()


@pytest.fixture
def named(pictures: Path) -> list[NamedPicture]:
    """300 inputs, every seventh of which is not a picture."""
    paths = sorted(pictures.iterdir())
    return [(f"{n}", b"none" if n % 7 == 3 else str(paths[n % 20])) for n in range(300)]


def flat(portions: Iterator[list[Prepared]]) -> list[Prepared]:
    return [result for portion in portions for result in portion]


read_once = cache(read)  # 20 pictures, hundreds of names


@pytest.mark.parametrize("n", [2, 3, 63, 64, 65, 300])
def test_workers_return_the_same_results_in_the_same_order(
    workers: Workers, named: list[NamedPicture], n: int
) -> None:
    for _ in range(2):
        results = flat(workers.prepare(named[:n]))
        assert workers._processes
        assert [name for name, _ in results] == [name for name, _ in named[:n]]
        for (_, picture), (name, result) in zip(named, results):
            if isinstance(result, ImageError):
                with pytest.raises(ImageError) as caught:
                    read(picture, name)
                assert str(caught.value) == str(result)
            else:
                expected = read_once(picture)
                np.testing.assert_array_equal(result.image, expected.image)
                assert vars(result) | {"image": 0} == vars(expected) | {"image": 0}


def test_a_single_picture_starts_no_worker(workers: Workers, named: list[NamedPicture]) -> None:
    assert len(flat(workers.prepare(named[:1]))) == 1
    assert not workers._processes


def test_little_work_starts_no_worker(
    named: list[NamedPicture], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "START_AFTER", 60)
    workers = Workers(2)
    assert len(flat(workers.prepare(named))) == 300
    assert not workers._processes


def test_a_ready_picture_waits_for_no_more_than_one_other(
    named: list[NamedPicture], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_WAIT", -1)
    assert [len(portion) for portion in Workers(1).prepare(named[:5])] == [1] * 5


def test_without_workers_the_parent_does_the_work(
    workers: Workers, named: list[NamedPicture], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fork() -> int:
        raise OSError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", fork)
    assert len(flat(workers.prepare(named))) == 300
    assert not workers._processes


@pytest.mark.parametrize("seconds", [0, 0.01])
def test_each_picture_is_opened_once(
    seconds: float, named: list[NamedPicture], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []

    def open_slowly(picture: Picture, name: str) -> Image.Image:
        opened.append(name)
        time.sleep(seconds)
        return open_picture(picture, name)

    monkeypatch.setattr(module, "open_picture", open_slowly)
    assert len(flat(Workers(1).prepare(named[:40]))) == 40
    assert opened == [name for name, _ in named[:40]]


@pytest.mark.parametrize("ink", [0, 255])
def test_a_large_picture_is_freed_before_the_next_is_opened(
    ink: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error that says that a picture has no ink does not keep it either."""
    alive: list[weakref.ref[Image.Image]] = []

    def open_large(picture: Picture, name: str) -> Image.Image:
        assert not any(reference() for reference in alive)
        image = Image.new("L", (300, 300), 255)
        image.paste(ink, (100, 50, 120, 250))
        alive.append(weakref.ref(image))
        return image

    monkeypatch.setattr(module, "open_picture", open_large)
    assert len(flat(Workers(1).prepare([(f"{n}", b"") for n in range(20)]))) == 20


def test_small_pictures_do_not_wait_for_a_large_one_after_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked_at: list[str] = []
    sizes = {"5": (2000, 2000)}
    monkeypatch.setattr(
        module, "open_picture", lambda _, name: Image.new("L", sizes.get(name, (28, 28)))
    )
    steps = (lambda _, name: looked_at.append(name)), (lambda *_: None)
    portions = Workers(1, steps).prepare([(f"{n}", b"") for n in range(6)])
    assert [name for name, _ in next(portions)] == looked_at == ["0", "1", "2", "3", "4"]
    assert [name for name, _ in next(portions)] == ["5"]


def test_a_killed_worker_is_an_error(workers: Workers, named: list[NamedPicture]) -> None:
    flat(workers.prepare(named[:4]))
    os.kill(workers._processes[1].pid or 0, signal.SIGKILL)
    with pytest.raises(DigitnetError, match="was killed"):
        flat(workers.prepare(named))


def test_a_worker_that_is_stopped_while_it_starts_prints_nothing(
    workers: Workers,
    named: list[NamedPicture],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Each worker is stopped before it has its own handlers, as by a signal to all processes."""

    def stop_this_worker() -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr("multiprocessing.util._close_stdin", stop_this_worker)

    def work() -> None:
        with handle_signals() as requests, requests.immediate_stop():
            flat(workers.prepare(named))

    with pytest.raises(DigitnetError, match="was killed"):
        work()
    assert capfd.readouterr().err == ""


@pytest.mark.usefixtures("interrupted_mask")
def test_a_signal_just_before_workers_start_leaves_no_signals_blocked(
    workers: Workers, named: list[NamedPicture]
) -> None:
    with pytest.raises(KeyboardInterrupt):
        flat(workers.prepare(named))


def test_workers_block_the_signals_that_their_parent_blocks(
    workers: Workers, named: list[NamedPicture]
) -> None:
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    try:
        flat(workers.prepare(named[:4]))
        for process in workers._processes:
            process.terminate()
        assert len(flat(workers.prepare(named))) == 300
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


@pytest.mark.usefixtures("impatient")
def test_large_pictures_share_the_memory_budget_and_release_it(
    workers: Workers, named: list[NamedPicture], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "SMALL_PICTURE", 0)
    monkeypatch.setattr(memory, "bytes_needed", lambda *_, **__: UNITS * UNIT // 2 + 1)
    monkeypatch.setattr(memory, "MAX_PICTURE_BYTES", UNITS * UNIT)
    expected = flat(Workers(1).prepare(named))
    for _ in range(2):
        results = flat(workers.prepare(named))
        assert [name for name, _ in results] == [name for name, _ in expected]
        assert workers._budget is not None
        workers._budget.claim(UNITS * UNIT)  # blocks for ever unless all units are free
        workers._budget.release()


def test_memory_is_claimed_before_a_large_file_is_read(
    pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "LARGE_FILE", 100)
    claims: list[int] = []
    read_before: list[bool] = []
    original_read = os.read

    def recording_read(descriptor: int, size: int) -> bytes:
        read_before.append(not claims)
        return original_read(descriptor, size)

    monkeypatch.setattr(os, "read", recording_read)
    open_picture(str(pictures / "00.png"), "name", claims.append)
    assert claims == [memory.MAX_PICTURE_BYTES]
    assert read_before
    assert not any(read_before)


@pytest.mark.usefixtures("impatient")
def test_a_worker_killed_while_another_waits_for_memory_is_an_error(
    workers: Workers, named: list[NamedPicture], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "SMALL_PICTURE", 0)
    assert workers._started()
    assert workers._budget is not None
    workers._budget.claim(UNITS * UNIT)
    kill = threading.Timer(0.2, workers._processes[1].kill)
    kill.start()
    with pytest.raises(DigitnetError, match="was killed"):
        flat(workers.prepare(named))


@pytest.mark.parametrize("short", [MemoryError(), OSError(errno.EMFILE, "too many")], ids=repr)
@pytest.mark.parametrize("step", [None, 0, 1], ids=["open", "first step", "second step"])
def test_a_shortage_in_a_worker_is_raised_unchanged(
    step: int | None,
    short: Exception,
    workers: Workers,
    named: list[NamedPicture],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def read(*_: object, **__: object) -> None:
        raise short

    if step is None:
        monkeypatch.setattr(module, "open_picture", read)
    else:
        first, second = reading_steps()
        workers._steps = (read, second) if step == 0 else (first, read)
    with pytest.raises(type(short)) as raised:
        flat(workers.prepare(named))
    assert raised.value.args == short.args


def test_close_ends_all_workers(workers: Workers, named: list[NamedPicture]) -> None:
    portions = workers.prepare(named)
    next(portions)
    numbers = [process.pid for process in workers._processes]
    workers.close()
    assert len(numbers) == 2
    assert not any(os.path.exists(f"/proc/{number}") for number in numbers)


def test_errors_while_closing_are_ignored(
    workers: Workers, named: list[NamedPicture], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    flat(workers.prepare(named))
    ignored: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", ignored.append)
    monkeypatch.setattr(connection.Connection, "_close", fail)
    monkeypatch.setattr(os, "close", fail)
    workers.close()
    gc.collect()
    monkeypatch.undo()
    assert ignored == []


@pytest.mark.parametrize(("processors", "workers"), [(1, 1), (3, 3), (64, 8)])
def test_one_worker_per_processor_up_to_a_maximum(
    processors: int, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(processors)))
    assert worker_count() == workers
