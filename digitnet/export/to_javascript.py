"""Write a model as a JavaScript module.

The folder `javascript` has its code, and about.js, sample.js and weights.js with constants that are
examples: the written module has the model's values in their place.
"""

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from digitnet.arrays import FloatArray
from digitnet.export.contents import Contents, answer_to
from digitnet.export.scripts import as_json, without_exports, without_imports
from digitnet.model.prediction import Model

SOURCES = Path(__file__).with_name("javascript")
PUBLIC = ("predict", "about")  # modules whose exports are those of the written module
PRIVATE = ("probabilities", "layers", "base64", "sample", "weights")
CONSTANT = r"^((?:export )?const {name} = ).*?;$"
# inputs whose weights are written at once: whole lines of base64, which hold 57 bytes each
INPUTS_AT_ONCE = 57


def write(contents: Contents, file: BinaryIO) -> None:
    """Write an ES module that exports `predict`, `check`, `classNames` and `about`."""
    code = [without_imports(SOURCES / f"{name}.js") for name in PUBLIC]
    code += [without_exports(without_imports(SOURCES / f"{name}.js")) for name in PRIVATE]
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(code))
    text = _with_value(text, "classNames", as_json(contents.model.class_names))
    text = _with_value(text, "about", _object(contents.facts))
    text = _with_value(text, "sample", _object(_sample(contents.sample.image, contents.model)))
    file.write(text.removesuffix("];\n").encode())
    for matrix in contents.model.network.matrices:
        file.write(b"\n`\n")
        for lines in _lines(matrix):
            file.write(lines)
        file.write(b"`,")
    file.write(b"\n];\n")


def _with_value(text: str, name: str, value: str) -> str:
    """Return the text with another value of a constant."""
    pattern = re.compile(CONSTANT.format(name=name), re.DOTALL | re.MULTILINE)
    return pattern.sub(lambda found: f"{found[1]}{value};", text, count=1)


def _object(values: dict[str, Any]) -> str:
    """Return an object literal with a line per value."""
    return "{\n" + "".join(f"  {name}: {as_json(value)},\n" for name, value in values.items()) + "}"


def _sample(image: NDArray[np.uint8], model: Model) -> dict[str, Any]:
    """Return a prepared picture (28, 28), its outputs, and the answer that they stand for."""
    with np.errstate(over="ignore", invalid="ignore"):  # huge weights overflow
        outputs = model.network(image[np.newaxis])
    sample = answer_to(image, outputs, model)
    return {
        "pixels": base64.b64encode(image.tobytes()).decode(),
        "outputs": np.nan_to_num(outputs[0]).tolist(),
        "label": sample.label,
        "probabilities": sample.probabilities.tolist(),
        "evidence": sample.evidence,
    }


def _lines(matrix: FloatArray) -> Iterator[bytes]:
    """Yield a matrix [W b] (n_out, n_in + 1), transposed, as lines of base64 of float32."""
    for start in range(0, matrix.shape[1], INPUTS_AT_ONCE):
        inputs = matrix[:, start : start + INPUTS_AT_ONCE].T
        yield base64.encodebytes(np.ascontiguousarray(inputs, "<f4").tobytes())
