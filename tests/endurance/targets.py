"""The functions and commands that read damaged files."""

import contextlib
import gzip
import random
import struct
import sys
from collections.abc import Callable
from pathlib import Path

import archives
import conventions
import names
import numpy as np
import pictures
import yamls
from damage import damaged

from digitnet.cli.output import printable
from digitnet.cli.sources import all_batches, find_sources
from digitnet.config.reader import locate, read_config
from digitnet.dataset.reader import read_data
from digitnet.errors import ConfigError
from digitnet.model import examples as chosen
from digitnet.model.checkpoint import load_checkpoint, save_checkpoint
from digitnet.model.prediction import load
from digitnet.training.loop import train
from digitnet.training.resumption import resume as resumed

REPOSITORY = Path(__file__).parent.parent.parent
DIGITNET = str(Path(sys.executable).with_name("digitnet"))
DIGITS = 24
CONFIG = """\
data: {path: digits.npz, validation: 4}
network: {layer_sizes: [784, 3, 10], output: softmax}
cost: cross_entropy
training: {epochs: 3, batch_norm: true, optimizer: {name: adam}, threads: 1}
model: resumed.npz
"""


class Targets:
    """Valid files in a folder, the source of damaged files and their companions."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        images, labels = _digits()
        (folder / "digits.npz").write_bytes(archives.packed({"images": images, "labels": labels}))
        (folder / "config.yaml").write_text(CONFIG)
        self.config = read_config(folder / "config.yaml")
        self.digit = images[0]
        self.model = folder / "model.npz"
        for progress in train(self.config):
            if progress.record:
                save_checkpoint(str(self.model), progress.state.checkpoint())
                break
        self.checkpoint = self.model.read_bytes()
        self.loaded = load(str(self.model))
        self.configs = yamls.seeds(REPOSITORY / "configs")
        self.idx = [_idx(images), _idx(labels)]
        self.npy = [archives.array_file(images), archives.array_file(labels)]
        self.npz = [
            (folder / "digits.npz").read_bytes(),
            archives.packed({f"{x}_{s}": a for s in ("train", "test") for x, a in self._xy()}),
        ]
        self.csv = [_csv(images, labels)]
        self.pictures = pictures.seeds(images[0])
        (folder / "picture").write_bytes(self.pictures[0])
        (folder / "list").write_text("picture\npicture\n")

    def _xy(self) -> list[tuple[str, np.ndarray]]:
        return list(zip("xy", _digits()))

    # Each method writes a random input; it returns a function that reads the input, and the
    # arguments of the command that does the same.

    def read_config(self, rng: random.Random) -> tuple[Callable[[], object], list[str]]:
        path = self._write("bad.yaml", yamls.rubbish(self.configs, rng))
        overrides = [yamls.override(rng) for _ in range(rng.choice((0, 0, 1, 2)))]

        def read() -> None:
            try:
                read_config(path, overrides)
            except ConfigError as error:
                locate(error, path, overrides)
                raise

        options = [argument for override in overrides for argument in ("--set", override)]
        return read, ["train", "--dry-run", "--config", path, *options]

    def predict(self, rng: random.Random) -> tuple[Callable[[], object], list[str]]:
        path = self._write("bad.npz", self._checkpoint(rng))
        return (lambda: load(path).predict(self.digit).top(3)), ["predict", "-m", path, "picture"]

    def evaluate(self, rng: random.Random) -> tuple[Callable[[], object], list[str]]:
        path = self._write("bad.npz", self._checkpoint(rng))

        def evaluate() -> None:
            checkpoint = load_checkpoint(path)
            _evaluate(checkpoint, rng.choice(("digits.npz", None)))

        return evaluate, ["evaluate", "-m", path, "--data", "digits.npz"]

    def resume(self, rng: random.Random) -> tuple[Callable[[], object], list[str]]:
        path = self._write("resumed.npz", self._checkpoint(rng))

        def resume() -> None:
            state = resumed(self.config, load_checkpoint(path, with_state=True))
            for progress in train(self.config, state):
                if progress.record:
                    save_checkpoint(path, progress.state.checkpoint())

        return resume, ["train", "-q", "--resume", "--config", "config.yaml", "-o", path]

    def read_idx(self, rng: random.Random) -> tuple[Callable[[], object], list[str]]:
        bad = rng.randrange(2)
        pack = gzip.compress if rng.random() < 0.5 else bytes
        files = [pack(content) for content in self.idx]
        files[bad] = pack(damaged(self.idx[bad], self.idx, rng))
        if rng.random() < 0.4:
            files[bad] = damaged(files[bad], files, rng)
        ending = ".gz" if rng.random() < 0.5 else ""
        self._write(f"bad-labels-idx1-ubyte{ending}", files[1])
        return self._read_data(self._write(f"bad-images-idx3-ubyte{ending}", files[0]))

    def read_npy(self, rng: random.Random) -> tuple[Callable[[], object], list[str]]:
        files, bad = list(self.npy), rng.randrange(2)
        if rng.random() < 0.5:
            files[bad] = damaged(files[bad], files, rng)
        else:
            files[bad] = archives.array_rubbish(files[bad], rng)
        self._write("bad-labels.npy", files[1])
        return self._read_data(self._write("bad-images.npy", files[0]))

    def read_npz(self, rng: random.Random) -> tuple[Callable[[], object], list[str]]:
        content = archives.rubbish(rng.choice(self.npz), self.npz, rng)
        return self._read_data(self._write("bad-data.npz", content))

    def read_csv(self, rng: random.Random) -> tuple[Callable[[], object], list[str]]:
        return self._read_data(self._write("bad.csv", damaged(rng.choice(self.csv), self.csv, rng)))

    def read_picture(self, rng: random.Random) -> tuple[Callable[[], object], list[str]]:
        content = pictures.rubbish(self.pictures, rng)
        path = self._write("bad-picture", content)

        return (lambda: self._answer(path, content)), ["predict", "-m", "model.npz", path]

    def name_classes(self, rng: random.Random) -> tuple[Callable[[], object], list[str]]:
        path = self._write("bad.npz", names.model(self.checkpoint, rng))

        def answer() -> None:
            top = load(path).predict(self.digit).top(3)
            assert len({answer for answer, _ in top}) == len(top)
            assert all("\n" not in printable(str(answer)) for answer, _ in top)
            _evaluate(load_checkpoint(path), "digits.npz")

        commands = (
            ["predict", "-m", path, "picture"],
            ["evaluate", "-m", path, "--data", "digits.npz"],
        )
        return answer, rng.choice(commands)

    def name_folders(self, rng: random.Random) -> tuple[Callable[[], object], list[str]]:
        names.folders(self.folder / "bad-classes", self.pictures[0], rng)
        return self._read_data("bad-classes")

    def follow_link(self, rng: random.Random) -> tuple[Callable[[], object], list[str]]:
        path = "bad-link"
        names.link(self.folder / path, rng)
        train = ["train", "-q", "--resume", "--config", "config.yaml", "-o", path]
        ways: list[tuple[Callable[[], object], list[str]]] = [
            (lambda: load(path).predict(self.digit), ["predict", "-m", path, "picture"]),
            (lambda: self._answer(path, path), ["predict", "-m", "model.npz", path]),
            (
                lambda: [*all_batches(find_sources((), path, b"\n", 1))],
                ["predict", "-m", "model.npz", "--files-from", path],
            ),
            (lambda: load_checkpoint(path, with_state=True), train),
            self._read_data(path),
        ]
        return rng.choice(ways)

    def read_convention(self, rng: random.Random) -> tuple[Callable[[], object], list[str]]:
        images, labels = _digits()
        way = rng.randrange(3)
        if way == 0:
            return self._read_data(self._write("bad.csv", conventions.table(images, labels, rng)))
        if way == 1:
            content = conventions.archive(images, labels, rng)
            return self._read_data(self._write("bad-data.npz", content))
        self._write("bad-labels.npy", archives.array_file(conventions.labels(labels, rng)))
        content = archives.array_file(conventions.pixels(images, rng))
        return self._read_data(self._write("bad-images.npy", content))

    def predict_array(self, rng: random.Random) -> tuple[Callable[[], object], list[str]]:
        images = conventions.pixels(_digits()[0], rng)
        array = images if rng.random() < 0.3 else images[0]
        path = self._write("bad.npy", archives.array_file(array))
        return (lambda: self.loaded.predict(array)), ["predict", "-m", "model.npz", path]

    def _answer(self, name: str, picture: str | bytes) -> None:
        for answers in self.loaded.answers([[(name, picture)]]):
            for _, result in answers:
                if isinstance(result, Exception):
                    raise result

    def _checkpoint(self, rng: random.Random) -> bytes:
        return archives.rubbish(self.checkpoint, [self.checkpoint, *self.npz], rng)

    def _read_data(self, path: str) -> tuple[Callable[[], object], list[str]]:
        def read() -> None:
            assert read_data(path).training.fingerprint
            _evaluate(load_checkpoint(self.model), path)

        return read, ["evaluate", "-m", "model.npz", "--data", path]

    def _write(self, name: str, content: bytes) -> str:
        for suffix in ("", ".gz"):
            with contextlib.suppress(FileNotFoundError):
                (self.folder / (name.removesuffix(".gz") + suffix)).unlink()
        (self.folder / name).write_bytes(content)
        return name


KINDS = [
    *("read_config", "read_config", "predict", "evaluate", "resume"),
    *("read_idx", "read_npy", "read_npz", "read_csv", "read_picture", "read_picture"),
    *("name_classes", "name_folders", "follow_link", "read_convention", "predict_array"),
]


def _evaluate(checkpoint: object, data: str | None) -> None:
    examples = chosen.choose_examples(checkpoint, data, None)
    chosen.has_learned_from(checkpoint, examples)
    result = chosen.evaluate_model(checkpoint, examples)
    assert 0 <= result.accuracy <= 1
    assert result.coverages


def _digits() -> tuple[np.ndarray, np.ndarray]:
    """Return pictures of bars, uint8 (n, 28, 28), and labels uint8 (n,)."""
    labels = (np.arange(DIGITS) % 10).astype(np.uint8)
    images = np.zeros((DIGITS, 28, 28), np.uint8)
    for image, label in zip(images, labels):
        image[5:23, 6 + label] = 255
    return images, labels


def _idx(array: np.ndarray) -> bytes:
    header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.tobytes()


def _csv(images: np.ndarray, labels: np.ndarray) -> bytes:
    rows = np.column_stack([labels, images.reshape(len(images), -1)])
    return "".join(",".join(map(str, row)) + "\n" for row in rows.tolist()).encode()
