"""Commands on a few digits, each with its input files and the model that exists before it."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from configs import DIGITNET, MNIST
from digitnet.dataset.reader import read_data

EXAMPLES, TESTED = 300, 100
PICTURES = 24
LARGE_SIDE = 448  # px: side of a large picture; several are divided between processes
CONFIG = """\
data: {{path: {data}, validation: 100}}
network: {{layer_sizes: [784, 8, 10], output: softmax}}
cost: cross_entropy
training: {{epochs: 2, threads: {threads}, optimizer: {{name: sgd, learning_rate: 0.3}}}}
model: ../place/model.npz
"""


@dataclass(frozen=True)
class Command:
    """A command line, its stdin, and the expected exit status.

    arguments: @ stands for the folder of inputs. old: the input that is `model.npz` in the working
    directory before the command runs. linked: `model.npz` is a link to `kept.npz`. everything:
    calls for libraries' files fail as well; they are much the same for all commands of a verb.
    """

    arguments: tuple[str, ...]
    old: str | None = None
    stdin: str = "empty"
    status: int = 0
    linked: bool = False
    everything: bool = False

    @property
    def verb(self) -> str:
        return self.arguments[0]

    def line(self, inputs: Path) -> list[str]:
        """Return the command line, with absolute paths for strace's filter."""
        return [DIGITNET, *(a.replace("@", f"{inputs}/") for a in self.arguments)]


JSON = ("--format", "json")
COMMANDS = {
    "train-fresh": Command(("train", "--config", "@idx.yaml")),
    "train-overwrite": Command(
        ("train", "--config", "@npz.yaml", "--overwrite"), old="other.npz", everything=True
    ),
    "train-resume": Command(("train", "--config", "@csv.yaml", "--resume", *JSON), old="begun.npz"),
    "train-linked": Command(
        ("train", "--config", "@npz.yaml", "--overwrite"), old="other.npz", linked=True
    ),
    "train-refused": Command(("train", "--config", "@npz.yaml"), old="other.npz", status=1),
    "evaluate": Command(
        ("evaluate", "-m", "@model.npz", "--data", "@packed", "--baseline", "@other.npz"),
        everything=True,
    ),
    "evaluate-pictures": Command(
        ("evaluate", "-m", "@model.npz", "--data", "@classes", *JSON),
    ),
    "predict-one": Command(("predict", "@small/03.png"), everything=True),
    "predict-default": Command(("predict", "@small/03.png"), old="model.npz"),
    "predict-stdin": Command(("predict", "-m", "@model.npz", "-", *JSON), stdin="small/03.png"),
    "predict-list": Command(
        ("predict", "-m", "@model.npz", "--files-from", "@list.txt", "@small/05.png")
    ),
    "predict-folder": Command(("predict", "-m", "@model.npz", "@large", *JSON)),
}


def write_inputs(inputs: Path) -> None:
    """Write the inputs of the commands: data of all kinds, configs, pictures and models."""
    data = read_data(str(MNIST))
    assert data.test is not None
    training = (data.training.images[:EXAMPLES], data.training.labels[:EXAMPLES])
    test = (data.test.images[:TESTED], data.test.labels[:TESTED])
    _write_pair(inputs / "idx", "train", *training)
    _write_pair(inputs / "packed", "t10k", *test)
    for path in sorted((inputs / "packed").iterdir()):
        subprocess.run(["gzip", path], check=True)
    np.savez(inputs / "digits.npz", images=training[0], labels=training[1])
    rows = np.column_stack([training[1], training[0].reshape(EXAMPLES, -1)])
    np.savetxt(inputs / "digits.csv", rows, "%d", ",")
    (inputs / "empty").write_bytes(b"")
    for name, path, threads in (
        ("idx", "idx", 2),
        ("npz", "digits.npz", 1),
        ("csv", "digits.csv", 1),
    ):
        (inputs / f"{name}.yaml").write_text(CONFIG.format(data=path, threads=threads))
    _write_pictures(inputs, *test)
    for name, arguments in {
        "model.npz": ("npz.yaml", "training.epochs=9"),
        "other.npz": ("npz.yaml", "seed=2"),
        "begun.npz": ("csv.yaml", "training.epochs=1"),
    }.items():
        config, override = arguments
        line = ["train", "-q", "--config", inputs / config, "--set", override]
        subprocess.run([DIGITNET, *line, "-o", inputs / name], check=True)
    _move(inputs / "begun.npz")


def _move(checkpoint: Path) -> None:
    """Change the parameters of a checkpoint, so that resuming differs from starting anew."""
    with np.load(checkpoint) as file:
        arrays = dict(file)
    arrays["state_parameters"] = np.float32(1.1) * arrays["state_parameters"]
    np.savez(checkpoint, **arrays)


def _write_pair(folder: Path, split: str, images: np.ndarray, labels: np.ndarray) -> None:
    folder.mkdir()
    for kind, array in (("images-idx3", images), ("labels-idx1", labels)):
        header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
        path = folder / f"{split}-{kind}-ubyte"
        path.write_bytes(header + array.astype(np.uint8).tobytes())


def _write_pictures(inputs: Path, images: np.ndarray, labels: np.ndarray) -> None:
    """Write small and large pictures, and one picture per class in folders."""
    for name, side in (("small", 28), ("large", LARGE_SIDE)):
        (inputs / name).mkdir()
        for number, image in enumerate(images[:PICTURES]):
            Image.fromarray(image).resize((side, side)).save(inputs / name / f"{number:02}.png")
    for label in range(10):
        (inputs / "classes" / str(label)).mkdir(parents=True)
        first = images[labels.tolist().index(label)]
        Image.fromarray(first).save(inputs / "classes" / str(label) / "0.png")
    listed = [f"{inputs}/small/{number:02}.png\n" for number in range(4)]
    (inputs / "list.txt").write_text("".join(listed))
