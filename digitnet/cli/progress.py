"""Progress bars on a terminal: pictures that are prepared, and epochs of a training."""

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from tqdm import tqdm

    from digitnet.dataset.definition import Report
    from digitnet.training.loop import Progress
    from digitnet.training.state import TrainingState

MIN_PICTURES = 50  # pictures: fewer are prepared before a bar could be read
BAR_FORMAT = "{desc} {percentage:3.0f}% |{bar}| {elapsed}<{remaining} {rate_fmt}{postfix}"


def terminal_width(stream: TextIO | None) -> int:
    """Return the columns of a stream's terminal; 0 if the stream or its size is missing."""
    if stream is None or not stream.isatty():
        return 0
    return os.get_terminal_size(stream.fileno()).columns


@contextlib.contextmanager
def preparing_bar() -> Iterator["Report | None"]:
    """Yield a function that shows on stderr how many pictures are prepared; None: no terminal.

    Each folder gets a bar of its own, which disappears at its end.
    """
    if not terminal_width(sys.stderr):
        yield None
        return
    bar: tqdm[Any] | None = None

    def report(done: int, total: int) -> None:
        nonlocal bar
        if bar is None and total >= MIN_PICTURES:
            bar = _bar(total, "preparing pictures", leave=False)
        if bar is not None:
            bar.update(done - bar.n)
            if done == total:
                bar.close()
                bar = None

    try:
        yield report
    finally:
        if bar is not None:
            bar.close()


@contextlib.contextmanager
def step_bar(steps: int) -> Iterator[Callable[[str], None]]:
    """Yield a function that shows on stderr, if it is a terminal, which step begins.

    The bar disappears at its end.
    """
    if not terminal_width(sys.stderr):
        yield lambda _: None
        return
    bar_format = "{desc} |{bar}| {elapsed}"
    bar = _tqdm()(total=steps, leave=False, file=sys.stderr, bar_format=bar_format)
    begun = 0

    def begin(step: str) -> None:
        nonlocal begun
        bar.set_description_str(step, refresh=False)
        bar.n = begun
        bar.refresh()
        begun += 1

    with bar:
        yield begin


def training_bar(state: "TrainingState") -> "tqdm[Any]":
    """Return a progress bar on stderr for the whole training, counted in pictures."""
    epochs, n = state.config.training.epochs, len(state.train_indices)
    return _bar(epochs * n, "", initial=_pictures_seen(state))


def update_training_bar(bar: "tqdm[Any]", progress: "Progress") -> None:
    """Show the epoch, the cost and the accuracy of the last validation."""
    state = progress.state
    last = state.history[-1] if state.history else None
    epoch = min(state.position.epoch, state.config.training.epochs)
    figures = {"cost": f"{progress.cost:.4g}"} if progress.cost is not None else {}
    if last and last.validation:
        figures["val"] = f"{last.validation.accuracy:.2%}"
    bar.set_description_str(f"epoch {epoch}/{state.config.training.epochs}", refresh=False)
    bar.set_postfix(figures, refresh=False)
    bar.update(_pictures_seen(state) - bar.n)


def _bar(total: int, description: str, *, initial: int = 0, leave: bool = True) -> "tqdm[Any]":
    bar = _tqdm()(
        total=total,
        initial=initial,
        leave=leave,
        unit="",
        unit_scale=True,
        dynamic_ncols=True,
        file=sys.stderr,
        bar_format=BAR_FORMAT,
    )
    bar.set_description_str(description)
    return bar


def _tqdm() -> "type[tqdm[Any]]":
    """Return the class of bars, without its thread: training cannot fork in a process with one."""
    from tqdm import tqdm

    tqdm.monitor_interval = 0
    return tqdm


def _pictures_seen(state: "TrainingState") -> int:
    """Return the number of training pictures used so far, in all epochs."""
    return (state.position.epoch - 1) * len(state.train_indices) + state.pictures_seen
