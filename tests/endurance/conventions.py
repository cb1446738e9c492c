"""Make valid data in other conventions than MNIST's, as other programs write them."""

import random

import archives
import numpy as np


def pixels(images: np.ndarray, rng: random.Random) -> np.ndarray:
    """Return pictures uint8 (n, 28, 28) with ink 0, pixels 0 and 1, floats, other axes or sizes."""
    ways = [
        lambda: 255 - images,
        lambda: images // 255,
        lambda: images > 127,
        lambda: images / 255,
        lambda: images.astype(np.float32),
        lambda: images / 127.5 - 1,
        lambda: (images - images.mean()) / images.std(),
        lambda: images.astype(np.int16) - 128,
        lambda: images.astype(np.uint16) * 257,
        lambda: images.astype(">i4"),
        lambda: images.transpose(1, 2, 0),
        lambda: images.transpose(0, 2, 1),
        lambda: np.asfortranarray(images),
        lambda: images.reshape(len(images), -1),
        lambda: images.reshape(len(images), -1).T,
        lambda: images[:, None],
        lambda: images[..., None],
        lambda: np.repeat(images[..., None], 3, axis=-1),
        lambda: np.pad(images, ((0, 0), (2, 2), (2, 2))),
        lambda: images[:, ::3, ::3],
    ]
    return np.asarray(rng.choice(ways)())


def labels(labels: np.ndarray, rng: random.Random) -> np.ndarray:
    """Return labels uint8 (n,) as one-hot, from 1, as floats, text or a column."""
    ways = [
        lambda: labels,
        lambda: labels,
        lambda: np.eye(10)[labels],
        lambda: labels + 1,
        lambda: labels.astype(float),
        lambda: labels.astype(str),
        lambda: labels[:, None],
        lambda: labels.astype(bool),
        lambda: -labels.astype(np.int8),
    ]
    return np.asarray(rng.choice(ways)())


def archive(images: np.ndarray, truth: np.ndarray, rng: random.Random) -> bytes:
    names = rng.choice(
        (("images", "labels"), ("x_train", "y_train"), ("X", "y"), ("data", "target"))
    )
    arrays = dict(zip(names, (pixels(images, rng), labels(truth, rng))))
    return archives.packed(arrays)


def table(images: np.ndarray, truth: np.ndarray, rng: random.Random) -> bytes:
    """Return a CSV with another header, separator, column order, encoding or kind of numbers."""
    values = pixels(images, rng).reshape(len(images), -1)
    header = [f"pixel{number}" for number in range(values.shape[1])]
    rows = [list(map(_cell, row)) for row in values.tolist()]
    name = rng.choice(("label", '"label"', "Label", "class", "y", "digit", "target", "5"))
    at = rng.choice((0, 0, len(header)))
    for row, cell in zip(rows, labels(truth, rng).tolist()):
        row.insert(at, str(cell))
    header.insert(at, name)
    lines = ([header] if rng.random() < 0.7 else []) + rows
    if rng.random() < 0.1:
        lines = [
            [str(number), *line] for number, line in enumerate(lines)
        ]  # an index, as pandas writes
    separator = rng.choice((",", ",", ",", ", ", ";", "\t", " "))
    end = rng.choice(("\n", "\n", "\r\n", "\r"))
    start = rng.choice(("", "", "\ufeff", "# digits\n", "\n"))
    text = start + "".join(separator.join(line) + end for line in lines)
    return text.encode(rng.choice(("utf-8", "utf-8", "utf-16", "latin-1")), errors="replace")


def _cell(value: object) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)
