"""Small models that pages are written of, each trained for a moment by the installed command."""

import csv
from pathlib import Path

import numpy as np
from conftest import Run, read_mnist, train_model
from numpy.typing import NDArray
from PIL import Image

HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(2)</script>",
    "{{7*7}}",
    "\"'`${alert(3)}\\",
    "שלום",
    "W" * 64,
    "&lt;b&gt;",
    "--><svg onload=alert(4)>",
)
LETTERS = (*HOSTILE, *"ABCDEFGHJKL", "long s")  # 20 classes
HOSTILE_FILE = '"><img src=x onerror=alert(5)>{{7*7}}'

NETWORKS = {
    "videos": "{layer_sizes: [784, 16, 16, 10]}",
    "five layers": "{layer_sizes: [784, 80, 40, 30, 20, 10], activation: tanh, output: softmax}",
    "wide": "{layer_sizes: [784, 600, 10], activation: relu, output: softmax}",  # in float16
    "no landscape": "{layer_sizes: [784, 12, 10]}",
    "no validation": "{layer_sizes: [784, 24, 10], activation: relu, output: softmax}",
}


class Models(dict[str, Path]):
    """Checkpoints by name, trained when first asked for: those of NETWORKS, and "letters"."""

    def __init__(self, folder: Path, run: Run, digits: Path, letters: Path) -> None:
        """Remember a folder for checkpoints, a data set of digits, and one of LETTERS."""
        super().__init__()
        self.folder, self.run, self.digits, self.letters = folder, run, digits, letters

    def __missing__(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir()
        config = self.letters_config() if name == "letters" else self.digits_config(name)
        self[name] = train_model(folder, self.run, config)
        return self[name]

    def digits_config(self, name: str) -> str:
        network = NETWORKS[name]
        return (
            f"data: {{path: {self.digits}, validation: {0 if name == 'no validation' else 500}}}\n"
            f"network: {network}\n"
            f"cost: {'cross_entropy' if 'softmax' in network else 'quadratic'}\n"
            f"training: {{epochs: 3, landscape: {str(name != 'no landscape').lower()}, "
            "optimizer: {name: sgd, learning_rate: 0.3}}\n"
        )

    def letters_config(self) -> str:
        return (
            f"data: {{path: '{self.letters}', validation: 40}}\n"
            "network: {layer_sizes: [784, 30, 20], activation: tanh, output: softmax}\n"
            "cost: cross_entropy\n"
            "training: {epochs: 4, optimizer: {name: sgd, learning_rate: 0.1}}\n"
        )


def write_letters(folder: Path, per_class: int) -> Path:
    """Return a data set with the classes LETTERS; every fourth picture is for the test set.

    MNIST's digits stand for the first ten letters, the same digits turned for the others.
    """
    images, labels = read_mnist("train", 60 * per_class)
    places = [np.flatnonzero(labels == digit)[: 2 * per_class] for digit in range(10)]
    rows: dict[str, list[tuple[str, str]]] = {"train": [], "test": []}
    for split in rows:
        (folder / split).mkdir(parents=True)
    for letter, name in enumerate(LETTERS):
        own = places[letter % 10][letter // 10 :: 2]
        for k, image in enumerate(images[own]):
            split = "test" if k % 4 == 0 else "train"
            file = f"{letter}-{k}.png"
            _draw(image, turned=letter >= 10).save(folder / split / file)
            rows[split].append((file, name))
    for split, lines in rows.items():
        with (folder / split / "labels.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("filename", "label"), *lines])
    return folder


def _draw(image: NDArray[np.uint8], *, turned: bool) -> Image.Image:
    return Image.fromarray(np.rot90(image) if turned else image)
