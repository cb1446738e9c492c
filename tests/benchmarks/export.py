"""Compare exported models with digitnet on MNIST's 10,000 test digits.

    python tests/benchmarks/export.py [MODEL]...

Without MODEL: the model that ships. Each model is exported and run as each kind whose tools are
installed. Printed are the answers that differ from digitnet's, labels and `?`, and the largest
differences: of a probability from digitnet's and from those of a network in float64, and of
evidence, in nats, from digitnet's. Then, for C: bytes of code with constants and of data, and
microseconds a picture, beside digitnet's own forward pass on one thread.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from typing import Any, NamedTuple

import numpy as np
from c_header import COMPILER, ask, sizes
from mnist import read_mnist

import digitnet
from digitnet import Network
from digitnet.export.export import export_model
from digitnet.model.calibration import evidence, probabilities
from digitnet.model.prediction import Model

BATCH = 500  # pictures
IN_NODE = """
import { readFileSync, writeSync } from "node:fs";
const { predict, classNames } = await import(process.argv[1]);
const pixels = Float32Array.from(readFileSync(0), (byte) => byte / 255);
const n = pixels.length / 784;
const pictures = Array.from({ length: n }, (_, i) => pixels.subarray(784 * i, 784 * i + 784));
for (const picture of pictures.slice(0, 500)) predict(picture); // until it is compiled
const started = performance.now();
const answers = pictures.map(predict);
const each = (1000 * (performance.now() - started)) / n;
const labelOf = (digit) => classNames.findIndex((name) => name === digit || Number(name) === digit);
const values = answers.flatMap((a) => [labelOf(a.digit), a.evidence, ...a.probabilities]);
const bytes = new Uint8Array(Float64Array.from(values).buffer);
for (let at = 0; at < bytes.length; ) at += writeSync(1, bytes, at);
console.error(`  JavaScript ${each.toFixed(1)} microseconds a picture`);
"""


class Answers(NamedTuple):
    """labels (n,), probabilities (n, classes) and evidence (n,), nats."""

    labels: Any
    probabilities: Any
    evidence: Any


def answers_by_digitnet(model: Model, images: Any) -> Answers:
    p, nats, _ = model.judge(images)
    return Answers(p.argmax(axis=1), p, nats)


def answers_in_float64(model: Model, images: Any) -> Answers:
    network = model.network
    activation, output = network.names
    precise = Network(network.layer_sizes, activation=activation, output=output, dtype=np.float64)
    precise.parameters[:] = network.parameters
    outputs = precise(images)
    p = probabilities(outputs, model.calibration.temperature)
    return Answers(p.argmax(axis=1), p, evidence(outputs, network.min_output))


def answers_by_onnx(path: Path, images: Any) -> Answers:
    """Return what onnxruntime answers."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    pixels = (images / np.float32(255)).reshape(-1, 1, 28, 28)
    starts = range(0, len(images), BATCH)
    batches = [session.run(None, {"image": pixels[start : start + BATCH]}) for start in starts]
    return Answers(*(np.concatenate(parts) for parts in zip(*batches)))


def answers_by_javascript(path: Path, images: Any) -> Answers:
    """Return what node answers; print how long one picture takes."""
    command = ["node", "--input-type=module", "--eval", IN_NODE, path.as_uri()]
    done = subprocess.run(command, input=images.tobytes(), capture_output=True, check=True)
    print(done.stderr.decode(), end="")
    values = np.frombuffer(done.stdout, "<f8").reshape(len(images), -1)
    return Answers(values[:, 0].astype(int), values[:, 2:], values[:, 1])


def answers_by_c(path: Path, images: Any) -> Answers:
    """Return what a C program answers that includes the header."""
    found = ask(path, images, _classes(path), "-O2")
    return Answers(found.labels, found.p, found.evidence)


def _classes(path: Path) -> int:
    """Return the number of classes in a header."""
    return int(path.read_text().split("#define DIGITNET_CLASSES ")[1].split()[0])


class Kind(NamedTuple):
    """How the files of a kind are run. missing: a tool that is not installed, or empty."""

    ending: str
    answers: Callable[[Path, Any], Answers]
    missing: str
    int8: bool = False


KINDS = {
    "ONNX": Kind(".onnx", answers_by_onnx, "" if find_spec("onnxruntime") else "onnxruntime"),
    "JavaScript": Kind(".mjs", answers_by_javascript, "" if which("node") else "node"),
    "C": Kind(".h", answers_by_c, "" if COMPILER else "gcc"),
    "C, int8": Kind(".h", answers_by_c, "" if COMPILER else "gcc", int8=True),
}


def compare(model: Model, images: Any, labels: Any, folder: Path) -> None:
    """Print a line per kind of file."""
    expected, precise = answers_by_digitnet(model, images), answers_in_float64(model, images)
    is_sure = is_reached(expected, model)
    for name, kind in {"float64": None, **KINDS}.items():
        if kind and kind.missing:
            print(f"  {name:10} not run: no {kind.missing}")
            continue
        found = precise
        if kind:
            path = folder / f"model{kind.ending}"
            export_model(model, path, overwrite=True, int8=kind.int8)
            found = kind.answers(path, images)
        print(
            f"  {name:10}"
            f"{np.count_nonzero(found.labels != expected.labels):8}"
            f"{np.count_nonzero(is_reached(found, model) != is_sure):5}"
            f"{largest(found.probabilities, expected.probabilities):12.1e}"
            f"{largest(found.probabilities, precise.probabilities):12.1e}"
            f"{largest(found.evidence, expected.evidence):12.1e}"
            f"{(found.labels == labels).mean():9.2%}"
        )


def measure_c(model: Model, images: Any, folder: Path) -> None:
    """Print sizes and times of both kinds of headers, and of digitnet."""
    print("  C               code  data    µs, -O2   µs, -O3 -march=native")
    for name, int8 in (("float32", False), ("int8", True)):
        path = folder / "speed.h"
        export_model(model, path, overwrite=True, int8=int8)
        text, data = sizes(path)
        times = [
            ask(path, images, len(model.class_names), *flags).microseconds
            for flags in (["-O2"], ["-O3", "-march=native"])
        ]
        print(f"  {name:10}{text:10,}{data:6}{times[0]:11.1f}{times[1]:11.1f}")
    for n, many in ((1000, 1), (10, 1000)):
        calls = [images[start : start + many] for start in range(0, n * many, many)]
        fastest = min(seconds(model, calls) for _ in range(5)) / (n * many)
        print(f"  digitnet, {many:,} at once: {fastest * 1e6:.1f} µs")


def seconds(model: Model, calls: list[Any]) -> float:
    """Return the processor time of a network's answers to several arrays of images."""
    start = time.process_time()
    for images in calls:
        model.network(images)
    return time.process_time() - start


def is_reached(answers: Answers, model: Model) -> Any:
    """Return where both thresholds for `?` are reached, bool (n,)."""
    _, min_confidence, min_evidence = model.calibration
    is_confident = answers.probabilities.max(axis=1) >= min_confidence
    return is_confident & (answers.evidence >= min_evidence)


def largest(found: Any, expected: Any) -> float:
    return float(np.abs(found - expected).max())


def main() -> None:
    _, _, images, labels = read_mnist()
    for name in sys.argv[1:] or ["shipped"]:
        model = digitnet.load(name)
        print(f"{name}: {model.network!r}")
        print("              labels    ?           p   p float64    evidence    right")
        with tempfile.TemporaryDirectory() as folder:
            compare(model, images, labels, Path(folder))
            if COMPILER:
                measure_c(model, images, Path(folder))


if __name__ == "__main__":
    main()
