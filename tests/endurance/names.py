"""Odd class names, and paths that are links."""

import contextlib
import io
import os
import random
import shutil
from pathlib import Path

import archives
import numpy as np

SAME = (("1", "01"), ("caf\u00e9", "cafe\u0301"), ("7", " 7"), ("0", "000"), ("x", "x"), ("", " "))
ODD = (
    *("", " ", ".", "..", "-1", "1e3", "0x1", "\u0663", "\uff11", "\u00b2", "1\u200b", "\ufeff7"),
    *("\x1b[31m", "a\nb", "a\tb", "\u202e7", "\u200f7", "\x85", "\u2028", "\x7f", "a/b", "\\n"),
    *("x" * 255, "x" * 256, "\U0001f600" * 80, "e" + "\u0301" * 200, "nan", "null", "None", "?"),
)
COUNTS = (1, 2, 999, 1000, 1001, 40_000, 300_000)  # classes
TARGETS = ("model.npz", "picture", "digits.npz", "list", "config.yaml", "nowhere", "bad-link", ".")


def of_classes(classes: int, rng: random.Random) -> list[str]:
    """Return class names, some of them equal or odd."""
    names = [str(number) for number in range(classes)]
    for _ in range(rng.randint(0, 3) if classes < 40_000 else 0):  # or the array has 300 MB
        names[rng.randrange(classes)] = rng.choice(ODD)
    if classes > 1 and rng.random() < 0.4:
        one, other = rng.sample(range(classes), 2)
        names[one], names[other] = rng.choice(SAME)
    return names


def model(checkpoint: bytes, rng: random.Random) -> bytes:
    """Return a model with odd class names or another number of classes."""
    with np.load(io.BytesIO(checkpoint)) as file:
        arrays = dict(file)
    if rng.random() < 0.7:
        arrays["class_names"] = np.array(of_classes(10, rng))
        return archives.packed(arrays)
    classes = rng.choice(COUNTS)
    arrays["weights_1"] = np.zeros((classes, 3), np.float32)
    arrays["biases_1"] = np.zeros(classes, np.float32)
    config = str(arrays["config"]).replace("[784, 3, 10]", f"[784, 3, {classes}]")
    arrays["config"] = np.array(config.replace("[784,3,10]", f"[784,3,{classes}]"))
    arrays["class_names"] = np.array(of_classes(classes, rng))
    return archives.packed(arrays)


def folders(folder: Path, picture: bytes, rng: random.Random) -> None:
    """Make a folder with one folder of pictures per class."""
    shutil.rmtree(folder, ignore_errors=True)
    within = folder / "train" if rng.random() < 0.2 else folder
    for name in of_classes(rng.choice((1, 2, 10, 10, 12)), rng):
        with contextlib.suppress(OSError):  # not every name is valid for a folder
            (within / name).mkdir(parents=True)
            if rng.random() < 0.95:
                (within / name / rng.choice(("a.png", "\u202e.png", "\n.PNG"))).write_bytes(picture)


def link(path: Path, rng: random.Random) -> None:
    """Make a link, perhaps broken, to itself or to something that is not a file."""
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    target = rng.choice(TARGETS)
    way = rng.randrange(4)
    if way == 0 and (path.parent / target).is_file():
        os.link(path.parent / target, path)
    elif way == 1:
        path.symlink_to("/dev/null")
    else:
        path.symlink_to(target)
