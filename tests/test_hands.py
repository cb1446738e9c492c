"""Digits of many hands become data to train on."""

import subprocess
import sys
from pathlib import Path

import numpy as np
from conftest import read_mnist

from digitnet.dataset import read_data
from digitnet.image import prepare

SCRIPT = Path(__file__).parent / "hands.py"
DATA = Path(__file__).parent.parent / "data"


def test_digits_of_8_by_8_pixels_become_data(tmp_path: Path) -> None:
    digits, labels = read_mnist("train", 12)
    small = digits[:, 4:24, 4:24].reshape(12, 5, 4, 5, 4).mean(axis=(2, 4)) // 16
    small = np.pad(small, ((0, 0), (1, 2), (1, 2))).astype(int)
    lines = [",".join(map(str, [*one.ravel(), label])) for one, label in zip(small, labels)]
    source = tmp_path / "optdigits.tra"
    source.write_text("\n".join(lines))
    made = []
    for order in (lines, lines[::-1]):
        source.write_text("\n".join(order))
        subprocess.run([sys.executable, SCRIPT, tmp_path / "out", source], check=True)
        made.append(read_data(tmp_path / "out").training)
    assert made[0].fingerprint == made[1].fingerprint
    assert sorted(made[0].labels) == sorted(labels)


def test_those_that_come_with_the_repository_are_prepared() -> None:
    for name, n in (("optdigits", 3822), ("fonts", 1750)):
        training = read_data(DATA / name).training
        assert len(training) == n
        assert np.bincount(training.labels).min() > 0.09 * n
        for digit in training.images[::100]:
            assert np.corrcoef(prepare(digit).ravel(), digit.ravel())[0, 1] > 0.8
