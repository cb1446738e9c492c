"""Make random models, compile their exported C headers, and ask these for answers."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from digitnet.dataset.classes import DIGITS
from digitnet.model.calibration import Calibration
from digitnet.model.checkpoint import Checkpoint
from digitnet.model.prediction import Model
from digitnet.network.network import Network

STRICT = ["-Wall", "-Wextra", "-Werror", "-pedantic", "-Wconversion", "-Wdouble-promotion"]
C99 = ["-std=c99", *STRICT]
PROGRAM = """\
#include <stdio.h>
#include "model.h"

int main(void)
{
    static float pixels[DIGITNET_PIXELS];
    float p[DIGITNET_CLASSES], again[DIGITNET_CLASSES], evidence;
    int results[3], i;

    results[0] = digitnet_check();
    fwrite(results, sizeof *results, 1, stdout);
    while (fread(pixels, sizeof pixels, 1, stdin) == 1) {
        results[0] = digitnet_predict(pixels, p);
        results[1] = digitnet_answer(pixels, again, &evidence);
        results[2] = digitnet_answer(pixels, again, 0) == results[1];
        for (i = 0; i < DIGITNET_CLASSES; i++) {
            results[2] &= !(again[i] < p[i] || again[i] > p[i]);
        }
        fwrite(results, sizeof *results, 3, stdout);
        fwrite(&evidence, sizeof evidence, 1, stdout);
        fwrite(p, sizeof *p, DIGITNET_CLASSES, stdout);
    }
    return 0;
}
"""


def random_model(
    sizes: list[int],
    activation: str = "relu",
    output: str = "softmax",
    calibration: Calibration = Calibration(),  # noqa: B008  immutable
    names: tuple[str, ...] = DIGITS,
    **facts: Any,
) -> Model:
    """Return a model with random parameters."""
    rng = np.random.default_rng(len(sizes))
    network = Network(sizes, activation=activation, output=output)
    network.initialise(rng=rng)
    for b in network.biases:
        b[:] = rng.normal(0, 0.1, b.shape)
    config = {"cost": "quadratic"}
    checkpoint = Checkpoint(network, config, names, "", "", [], calibration=calibration, **facts)
    return Model(checkpoint)


def compiler(*names: str) -> str:
    """Return the path of the first of these compilers that is installed; skip the test if none."""
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        pytest.skip(f"no compiler: {' or '.join(names)}")
    return found


def build(folder: Path, *sources: Path, flags: list[str] = C99, names: str = "cc gcc") -> Path:
    """Compile a program from sources in a folder; fail on a warning. Return its path."""
    program = folder / "program"
    command = [compiler(*names.split()), *flags, "-O2", *sources, "-o", program, "-lm"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return program


def build_answering(folder: Path) -> Path:
    """Compile PROGRAM with the header `model.h` of a folder."""
    source = folder / "program.c"
    source.write_text(PROGRAM)
    return build(folder, source)


def ask(program: Path, pixels: NDArray[np.float32], classes: int = 10) -> NDArray[Any]:
    """Return the answers of PROGRAM to pictures (n, 784), after its check of the sample.

    The fields are `label`, `answer`, `same` (1 if all functions agree), `evidence`, `p` (classes,).
    """
    done = subprocess.run(
        [program], input=pixels.tobytes(), capture_output=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert np.frombuffer(done.stdout[:4], np.int32).tolist() == [1]
    fields = [("label", "i4"), ("answer", "i4"), ("same", "i4"), ("evidence", "f4")]
    answers = np.frombuffer(done.stdout[4:], [*fields, ("p", "f4", classes)])
    assert len(answers) == len(pixels)
    assert answers["same"].all()
    return answers


def as_pixels(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return images as the floats that a network reads, (n, 784)."""
    return images.reshape(len(images), -1) * np.float32(1 / 255)
