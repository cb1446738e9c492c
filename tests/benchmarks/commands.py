"""Measure whole processes: the installed `digitnet` compared with plain scripts, and its memory."""

import gzip
import json
import shutil
import struct
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from epochs import beside_burner
from mnist import MNIST
from processes import DIGITNET, PYTHON, Run, run
from table import Line, Section, Target, best
from turns import take_turns
from workloads import WORKLOADS, config_values

HERE = Path(__file__).parent
BEST = HERE.parent.parent / "configs" / "best.yaml"
FOUR = HERE.parent.parent / "data" / "pictures" / "four.png"
EPOCHS = 3
TRAINING = "784-16-16-10, minibatch 10, 60,000 pictures"


@contextmanager
def _temporary_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def _train_command(folder: Path, data: Path = MNIST, epochs: int = EPOCHS) -> list[str]:
    """Return the command that trains the network of the videos, with its files in `folder`."""
    config = folder / f"{data.name}-{epochs}.yaml"
    config.write_text(json.dumps(config_values(WORKLOADS["videos"], str(data), "auto", epochs)))
    model = str(folder / "model.npz")
    return [DIGITNET, "train", "-q", "--config", str(config), "-o", model, "--overwrite"]


def _seconds(command: list[str], stdin: Path | None = None) -> Callable[[], float]:
    return lambda: run(command, stdin).seconds


def whole_process(rounds: int) -> Section:
    with _temporary_folder() as folder:
        pytorch = [PYTHON, str(HERE / "train_pytorch.py")]
        jax = [PYTHON, str(HERE / "train_jax.py"), str(EPOCHS), str(folder / "jax.npz")]
        commands = {"digitnet train": _train_command(folder), "JAX script": jax}
        for threads in ("1", "2"):
            name = f"PyTorch script, {threads} thread{'s' * (threads != '1')}"
            commands[name] = [*pytorch, threads, str(EPOCHS), str(folder / "model.pt")]
        contenders = {name: _seconds(command) for name, command in commands.items()}
        seconds = take_turns(contenders, rounds)
    ours, theirs, *torches = (Line(name, values) for name, values in seconds.items())
    torch = best(torches)
    return Section(
        f"whole process, start-up and loading included: {EPOCHS} epochs of {TRAINING}",
        [ours, theirs, *torches],
        [
            Target(f"digitnet / {torch.name}", ours.median / torch.median, 0.3),
            Target(f"digitnet / {theirs.name}", ours.median / theirs.median, 0.5),
        ],
    )


def process_beside_busy_core(rounds: int) -> Section:
    with _temporary_folder() as folder:
        train = _seconds(_train_command(folder))
        contenders = {"alone": train, "beside a busy core": beside_burner(train)}
        seconds = take_turns(contenders, rounds)
    alone, beside = (Line(f"digitnet train, {name}", values) for name, values in seconds.items())
    return Section(
        "digitnet train alone, and beside a process that keeps one core busy",
        [alone, beside],
        [Target("beside / alone", beside.median / alone.median, 2.2)],
    )


def memory(rounds: int) -> Section:
    with _temporary_folder() as folder:
        commands = {
            epochs: _train_command(folder, epochs=epochs) for epochs in (EPOCHS, 3 * EPOCHS)
        }
        contenders = {
            f"{epochs} epochs": partial(run, command) for epochs, command in commands.items()
        }
        runs = take_turns(contenders, rounds)
    short, long = (Line(name, [r.peak for r in runs[name]], "MB") for name in runs)
    return Section(
        f"peak resident memory of digitnet train: {TRAINING}",
        [short, long],
        [
            Target("peak", short.median, 130, " MB"),
            Target("growth with 3 times the epochs", long.median - short.median, 2, " MB"),
        ],
    )


def large_data(rounds: int) -> Section:
    """Compare training on MNIST with training on ten copies of MNIST, in raw IDX files."""
    with _temporary_folder() as folder:
        commands = {}
        for times in (1, 10):
            data = folder / f"times{times}"
            data.mkdir()
            for file in ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"):
                _repeat(MNIST / f"{file}.gz", data / file, times)
            commands[times * 60_000] = [*_train_command(folder, data, 1), "--format", "json"]
        contenders = {n: partial(run, command, watch=True) for n, command in commands.items()}
        runs = take_turns(contenders, rounds)
    lines = [
        *(Line(f"private, {n:,} pictures", [r.private for r in runs[n]], "MB") for n in runs),
        *(
            Line(
                f"epoch, per picture of {n:,}", [_epoch_seconds(r) / n * 1e6 for r in runs[n]], "µs"
            )
            for n in runs
        ),
    ]
    few_private, many_private, few, many = (line.median for line in lines)
    return Section(
        "peak private memory and seconds of digitnet train, one epoch, raw IDX files",
        lines,
        [
            Target("growth of private memory, 10 copies", many_private - few_private, 64, " MB"),
            Target("time per picture, 10 copies / 1 copy", many / few, 1.15),
        ],
    )


def _repeat(source: Path, target: Path, times: int) -> None:
    """Write an IDX file that repeats the examples of a gzipped IDX file `times` times."""
    header = 16 if "images" in source.name else 8
    with target.open("wb") as file:
        for number in range(times):
            with gzip.open(source) as examples:
                head = bytearray(examples.read(header))
                if number == 0:
                    (count,) = struct.unpack_from(">I", head, 4)
                    struct.pack_into(">I", head, 4, count * times)
                    file.write(head)
                shutil.copyfileobj(examples, file)


def _epoch_seconds(done: Run) -> float:
    """Return the seconds of training in the first epoch, from the command's JSON output."""
    seconds: float = json.loads(done.output.splitlines()[0])["seconds"]
    return seconds


def startup(rounds: int) -> Section:
    with _temporary_folder() as folder:
        train = _train_command(folder, epochs=1)
        run(train)
        model = str(folder / "model.npz")
        commands = {
            "digitnet --version": [DIGITNET, "--version"],
            "import click": [PYTHON, "-c", "import click"],
            "digitnet predict four.png": [DIGITNET, "predict", "-m", model, str(FOUR)],
            "import numpy, PIL.Image, click": [PYTHON, "-c", "import numpy, PIL.Image, click"],
        }
        contenders = {name: _seconds(command) for name, command in commands.items()}
        seconds = take_turns(contenders, 4 * rounds)
    lines = [Line(name, values) for name, values in seconds.items()]
    version, click, predict, imports = lines
    return Section(
        "start-up",
        lines,
        [
            Target(f"{line.name} / bare", line.median / bare.median, 1.5)
            for line, bare in ((version, click), (predict, imports))
        ],
    )


def pictures(rounds: int) -> Section:
    with _temporary_folder() as folder:
        run(_train_command(folder, epochs=1))
        script, names = str(HERE / "pictures.py"), folder / "names.txt"
        names.write_text(run([PYTHON, script, "draw", str(folder)]).output)
        predict = [DIGITNET, "predict", "-m", str(folder / "model.npz"), "--files-from", "-"]
        contenders = {
            "digitnet predict --files-from -": _seconds(predict, names),
            "Pillow opens and converts each to grey": _seconds([PYTHON, script, "open"], names),
        }
        seconds = take_turns(contenders, rounds)
    ours, bare = (Line(name, values) for name, values in seconds.items())
    title = "10,000 PNG files of 28×28, dark on white"
    return _compare(title, ours, bare, "digitnet / Pillow alone", 3)


def forward(rounds: int) -> Section:
    script = str(HERE / "forward.py")
    answers = json.loads(run([PYTHON, script, str(4 * rounds)]).output)
    ours, bare = (
        Line(name, [1000 * seconds for seconds in values], "ms") for name, values in answers.items()
    )
    title = "forward pass of 10,000 pictures in memory, uint8, 784-16-16-10"
    return _compare(title, ours, bare, "digitnet / bare NumPy", 1.15)


def distortions(rounds: int) -> Section:
    with _temporary_folder() as folder:
        model = str(folder / "model.npz")
        command = [DIGITNET, "train", "--config", str(BEST), "-o", model, "--overwrite", "-q"]
        command += ["--format", "json", "--set", "training.epochs=1"]
        command += ["--set", "training.batch_norm=false"]
        commands = {"distorted": command, "not distorted": [*command, "--set", "augment={}"]}
        contenders = {
            name: partial(_training_seconds, command) for name, command in commands.items()
        }
        seconds = take_turns(contenders, rounds)
    distorted, undistorted = (Line(name, values) for name, values in seconds.items())
    title = "an epoch of configs/best.yaml without batch_norm, with distortions and without"
    return _compare(title, distorted, undistorted, "with / without", 1.35)


def _compare(title: str, first: Line, second: Line, ratio: str, limit: float) -> Section:
    return Section(title, [first, second], [Target(ratio, first.median / second.median, limit)])


def _training_seconds(command: list[str]) -> float:
    return _epoch_seconds(run(command))
