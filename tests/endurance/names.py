"""Names that nobody thinks of: of classes, and names that are links."""

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
    """Names of classes, of which some are the same, or odd."""
    names = [str(number) for number in range(classes)]
    for _ in range(rng.randint(0, 3) if classes < 40_000 else 0):  # or the array is of 300 MB
        names[rng.randrange(classes)] = rng.choice(ODD)
    if classes > 1 and rng.random() < 0.4:
        one, other = rng.sample(range(classes), 2)
        names[one], names[other] = rng.choice(SAME)
    return names


def model(checkpoint: bytes, rng: random.Random) -> bytes:
    """A model with such names, as many as it has outputs or with other outputs."""
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
    """A folder of pictures in one folder per class."""
    shutil.rmtree(folder, ignore_errors=True)
    within = folder / "train" if rng.random() < 0.2 else folder
    for name in of_classes(rng.choice((1, 2, 10, 10, 12)), rng):
        with contextlib.suppress(OSError):  # no folder can have such a name
            (within / name).mkdir(parents=True)
            if rng.random() < 0.95:
                (within / name / rng.choice(("a.png", "\u202e.png", "\n.PNG"))).write_bytes(picture)


def link(path: Path, rng: random.Random) -> None:
    """A name that is a link, perhaps to nothing or to itself, or something that is no file."""
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
