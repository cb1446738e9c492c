"""Write a model as one C99 header that needs nothing but the C library."""

import zlib
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from digitnet.arrays import PIXELS
from digitnet.export.accuracy import Accuracy
from digitnet.export.c_text import in_comment, number, string, write_array
from digitnet.export.contents import Contents
from digitnet.export.quantised import QuantisedNetwork

CODE = Path(__file__).with_name("c")
LANES = 8  # neurons that an inner loop takes at once: an array is never shorter
# of an output, in the check: processors and C libraries round differently, in int8 an input by a
# whole step
TOLERANCES = {"float32": 1e-5, "int8": 1e-2}
COMMENT = """\
A neural network that reads handwritten digits, as one C99 header. It needs only the C library:
no other file, no heap, no global state. Link with -lm.

    #include "digits.h"

    float pixels[DIGITNET_PIXELS];     // a prepared picture, from 0 to 1
    float probabilities[DIGITNET_CLASSES];
    int answer = digitnet_predict(pixels, probabilities);
    if (answer >= 0) printf("%s %.4f\\n", digitnet_class_names[answer], probabilities[answer]);

pixels: 28x28 numbers, row by row, white ink (1) on black (0), prepared as MNIST's digits are: at
most 20x20 pixels, with the centre of mass in the middle. Other pictures get wrong answers.
`digitnet predict -m MODEL --save-prepared FOLDER` writes pictures prepared with the help of this
model; divide their bytes by 255. A blank picture gets an answer like any other.
A program with two networks includes each header in a source file of its own. Compile without
-ffast-math, which lets NaN pass. AVR boards copy the constants to RAM, which is too small for them.
"""


def write(contents: Contents, file: BinaryIO) -> None:
    """Write a model as a C header; the weights are float32."""
    network = contents.model.network
    size = 4 * len(network.parameters)
    _write_head(contents, file, [f"Weights: float32, {size:,} bytes of constants."])
    _write_code(file, "float32.h")
    for l, (W, b) in enumerate(zip(network.weights, network.biases)):
        write_array(file, f"float digitnet_weights_{l}[{W.size}]", W.T)
        write_array(file, f"float digitnet_biases_{l}[{b.size}]", [b])
    _write_layers(file, network.layer_sizes, ["weights", "biases"])
    _write_tail(contents, "float32", file)


def write_int8(
    contents: Contents, network: QuantisedNetwork, accuracy: Accuracy | None, file: BinaryIO
) -> None:
    """Write a model as a C header; the weights are int8.

    contents: with the answer of the int8 network to the sample. accuracy: None if not measured.
    """
    measured = "not measured" if accuracy is None else str(accuracy)
    remarks = [
        f"Weights: int8, {network.size:,} bytes of constants.",
        f"Accuracy on the model's validation split: {measured}.",
    ]
    _write_head(contents, file, remarks)
    _write_code(file, "int8.h")
    for l, (W, scales, b) in enumerate(network.layers):
        write_array(file, f"int8_t digitnet_weights_{l}[{W.size}]", W.T)
        write_array(file, f"float digitnet_scales_{l}[{b.size}]", [scales])
        write_array(file, f"float digitnet_biases_{l}[{b.size}]", [b])
    _write_layers(file, network.layer_sizes, ["weights", "scales", "biases"], ["1.0f", "0.0f"])
    _write_tail(contents, "int8", file)


def _write_head(contents: Contents, file: BinaryIO, remarks: list[str]) -> None:
    """Write the comment, the macros, the class names and the documented functions."""
    network, names = contents.model.network, contents.model.class_names
    widths = network.layer_sizes[1:]
    odd, even = max(widths[:-1:2], default=1), max(widths[1:-1:2], default=1)
    stack = 4 * (odd + even + max(*widths, LANES) + 3 * len(names)) + 512
    facts = [f"{name}: {in_comment(value)}" for name, value in contents.facts.items()]
    stack_remark = f"Stack: about {stack:,} bytes; digitnet_check needs {4 * PIXELS:,} more."
    lines = [*COMMENT.splitlines(), "", *remarks, stack_remark, "", *facts]
    calibration = contents.model.calibration
    macros: dict[str, Any] = {
        "PIXELS": PIXELS,
        "CLASSES": len(names),
        "BAD_PIXELS": "(-1)",
        "DOUBTFUL": "(-2)",
        "MIN_CONFIDENCE": number(calibration.min_confidence),
        "MIN_EVIDENCE": number(calibration.min_evidence),
        "TEMPERATURE": number(calibration.temperature),
        "MIN_OUTPUT": number(network.min_output),
        "LAYERS": len(widths),
        "WIDTH": max(*widths, LANES),
        "ODD_WIDTH": odd,
        "EVEN_WIDTH": even,
        "ACTIVATION": f"digitnet_{network.names[0]}",
        "OUTPUT": f"digitnet_{network.names[1]}_outputs",
    }
    identity = f"DIGITNET_{zlib.crc32(contents.sample.outputs.tobytes()):08X}"
    if sha256 := contents.facts.get("model_sha256"):
        macros = {"MODEL_SHA256": string(sha256), **macros}
    text = [
        "/*",
        *(f" * {line}".rstrip() for line in lines),
        " */",
        f"#if defined DIGITNET_H && !defined {identity}",
        '#error "Include the header of another network in another source file."',
        "#endif",
        "#ifndef DIGITNET_H",
        "#define DIGITNET_H",
        f"#define {identity}",
        "",
        *(f"#include <{name}.h>" for name in ("float", "math", "stdint")),
        "",
        *(f"#define DIGITNET_{name} {value}" for name, value in macros.items()),
        "",
        "static const char *const digitnet_class_names[DIGITNET_CLASSES] = {",
        *(f"{string(name)}," for name in names),
        "};",
        "",
    ]
    file.write("\n".join(text).encode("ascii"))
    _write_code(file, "interface.h")


def _write_code(file: BinaryIO, name: str) -> None:
    """Write a file of `c/` as it is."""
    file.write(b"\n" + (CODE / name).read_bytes() + b"\n")


def _write_layers(
    file: BinaryIO, layer_sizes: tuple[int, ...], arrays: list[str], values: Sequence[str] = ()
) -> None:
    """Write the table of layers, whose arrays have these names.

    values: a value of the first layer and one of the others, if layers have another value.
    """
    file.write(b"static const struct digitnet_layer digitnet_layers[DIGITNET_LAYERS] = {\n")
    for l, (n_in, n_out) in enumerate(pairwise(layer_sizes)):
        value = values[min(l, 1) : min(l, 1) + 1]
        names = [f"digitnet_{name}_{l}" for name in arrays]
        file.write(f"{{{', '.join([str(n_in), str(n_out), *value, *names])}}},\n".encode())
    file.write(b"};\n")


def _write_tail(contents: Contents, weights: str, file: BinaryIO) -> None:
    """Write the sample, its answer, and the functions. weights: float32 or int8."""
    sample = contents.sample
    write_array(file, "unsigned char digitnet_sample[DIGITNET_PIXELS]", sample.image)
    for name, values in (("outputs", sample.outputs), ("probabilities", sample.probabilities)):
        declaration = f"float digitnet_sample_{name}[DIGITNET_CLASSES]"
        write_array(file, declaration, [values.astype(np.float32)])
    macros = {
        "CLASS": sample.label,
        "EVIDENCE": number(sample.evidence),
        "TOLERANCE": number(TOLERANCES[weights]),
    }
    for name, value in macros.items():
        file.write(f"#define DIGITNET_SAMPLE_{name} {value}\n".encode())
    _write_code(file, "answer.h")
    file.write(b"#endif\n")
