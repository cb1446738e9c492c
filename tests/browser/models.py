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
    "no landscape": "{layer_sizes: [784, 12, 10]}",
    "no validation": "{layer_sizes: [784, 24, 10], activation: relu, output: softmax}",
}


def train_models(folder: Path, run: Run, digits: Path, letters: Path) -> dict[str, Path]:
    """Return small models of digits, of letters with hostile names, and of a hostile config.

    digits: a data set of digits. letters: one with the classes LETTERS.
    """
    models = {}
    for name, network in NETWORKS.items():
        validation = 0 if name == "no validation" else 500
        landscape = "false" if name == "no landscape" else "true"
        models[name] = train_model(
            _made(folder / name),
            run,
            f"data: {{path: {digits}, validation: {validation}}}\n"
            f"network: {network}\n"
            f"cost: {'cross_entropy' if 'softmax' in network else 'quadratic'}\n"
            f"training: {{epochs: 3, landscape: {landscape}, optimizer: "
            "{name: sgd, learning_rate: 0.3}}\n",
        )
    models["letters"] = train_model(
        _made(folder / "letters"),
        run,
        f"data: {{path: '{letters}', validation: 40}}\n"
        "network: {layer_sizes: [784, 30, 20], activation: tanh, output: softmax}\n"
        "cost: cross_entropy\n"
        "training: {epochs: 4, optimizer: {name: sgd, learning_rate: 0.1}}\n",
    )
    return models


def write_letters(folder: Path, per_class: int) -> Path:
    """Return a data set with the classes LETTERS; every fourth picture is for the test set.

    MNIST's digits stand for the first ten letters, the same digits turned for the others.
    """
    images, labels = read_mnist("train", 60 * per_class)
    places = [np.flatnonzero(labels == digit)[: 2 * per_class] for digit in range(10)]
    rows: dict[str, list[tuple[str, str]]] = {"train": [], "test": []}
    for split in rows:
        _made(folder / split)
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


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
