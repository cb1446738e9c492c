"""Compile an exported C header; get its answers, its size, and the time of an answer."""

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

PROGRAM = """\
#include <stdio.h>
#include <time.h>
#include "HEADER"

static float pixels[10000][DIGITNET_PIXELS];

int main(void)
{
    static float p[DIGITNET_CLASSES];
    float evidence;
    struct timespec start, end;
    int n = (int)fread(pixels, sizeof pixels[0], 10000, stdin), round, i, label, answers = 0;
    double seconds, fastest = 1e9;

    for (round = 0; round < 5; round++) {
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
        for (i = 0; i < n; i++) {
            answers += digitnet_predict(pixels[i], p);
        }
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
        seconds = difftime(end.tv_sec, start.tv_sec) + 1e-9 * (double)(end.tv_nsec - start.tv_nsec);
        fastest = seconds < fastest ? seconds : fastest;
    }
    fprintf(stderr, "%d %g", answers, fastest / n);
    for (i = 0; i < n; i++) {
        label = digitnet_predict(pixels[i], p);
        digitnet_answer(pixels[i], p, &evidence);
        fwrite(&label, sizeof label, 1, stdout);
        fwrite(&evidence, sizeof evidence, 1, stdout);
        fwrite(p, sizeof p, 1, stdout);
    }
    return digitnet_check() ? 0 : 1;
}
"""
FUNCTION = """\
#include "HEADER"
int predict(const float *pixels, float *probabilities);
int predict(const float *pixels, float *probabilities)
{
    return digitnet_predict(pixels, probabilities);
}
"""
COMPILER = shutil.which("gcc") or shutil.which("cc")


class Found(NamedTuple):
    """labels (n,), p (n, classes), evidence (n,), nats. microseconds: of processor time a picture,
    the fastest of five rounds."""

    labels: Any
    p: Any
    evidence: Any
    microseconds: float


def ask(header: Path, images: Any, classes: int, *flags: str) -> Found:
    """Return what a header answers to uint8 images (n, 28, 28), at most 10,000."""
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder, "program")
        _compile(PROGRAM, header, program, "-D_POSIX_C_SOURCE=200809L", *flags, "-lm")
        pixels = images.reshape(len(images), -1) * np.float32(1 / 255)
        done = subprocess.run(
            [program], input=pixels.tobytes(), capture_output=True, check=True, timeout=600
        )
    fields = [("label", "i4"), ("evidence", "f4"), ("p", "f4", classes)]
    answers = np.frombuffer(done.stdout, fields)
    _, seconds = done.stderr.split()
    return Found(answers["label"], answers["p"], answers["evidence"], float(seconds) * 1e6)


def sizes(header: Path) -> tuple[int, int]:
    """Return the bytes of code with constants, and of initialised data, of `digitnet_predict`."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder, "predict.o")
        _compile(FUNCTION, header, output, "-O2", "-c")
        done = subprocess.run(["size", output], capture_output=True, check=True, text=True)
    text, data, *_ = done.stdout.splitlines()[1].split()
    return int(text), int(data)


def _compile(code: str, header: Path, output: Path, *flags: str) -> None:
    assert COMPILER
    source = output.with_suffix(".c")
    source.write_text(code.replace("HEADER", str(header)))
    before = [flag for flag in flags if flag != "-lm"]
    after = [flag for flag in flags if flag == "-lm"]
    command = [COMPILER, "-std=c99", *before, source, "-o", output, *after]
    subprocess.run(command, check=True, timeout=600)
