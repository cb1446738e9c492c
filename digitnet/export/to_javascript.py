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

from digitnet.arrays import FloatArray
from digitnet.export.contents import Contents, Sample
from digitnet.export.scripts import as_json, modules_of, without_exports, without_imports

SOURCES = Path(__file__).resolve().with_name("javascript")
# Modules whose exports are those of the written module; the first one's head is the written one's.
PUBLIC = [SOURCES / f"{name}.js" for name in ("predict", "read", "check", "about")]
WEIGHTS = SOURCES / "weights.js"
CONSTANT = r"^((?:export )?const {name} = ).*?;$"
# inputs whose weights are written at once: whole lines of base64, which hold 57 bytes each
INPUTS_AT_ONCE = 57


def write(contents: Contents, file: BinaryIO) -> None:
    """Write an ES module that exports `predict`, `read`, `check`, `classNames` and `about`."""
    code = [without_imports(module) for module in PUBLIC]
    code += [without_exports(without_imports(module)) for module in private_modules()]
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(code))
    text = _with_value(text, "classNames", as_json(contents.model.class_names))
    text = _with_value(text, "about", _object(contents.facts))
    text = _with_value(text, "sample", _object(_sample(contents.sample)))
    assert text.endswith("weights = [];\n")
    file.write(text.removesuffix("];\n").encode())
    for matrix in contents.model.network.matrices:
        file.write(b"\n`\n")
        for lines in _lines(matrix):
            file.write(lines)
        file.write(b"`,")
    file.write(b"\n];\n")


def private_modules() -> list[Path]:
    """Return the modules that public ones need, each after those that it imports, weights last."""
    modules = [module for module in modules_of(*PUBLIC) if module not in PUBLIC]
    return sorted(modules, key=lambda module: module == WEIGHTS)


def _with_value(text: str, name: str, value: str) -> str:
    """Return the text with another value of a constant, which it has once."""
    pattern = re.compile(CONSTANT.format(name=name), re.DOTALL | re.MULTILINE)
    changed, count = pattern.subn(lambda found: f"{found[1]}{value};", text)
    assert count == 1, name
    return changed


def _object(values: dict[str, Any]) -> str:
    """Return an object literal with a line per value."""
    return "{\n" + "".join(f"  {name}: {as_json(value)},\n" for name, value in values.items()) + "}"


def _sample(sample: Sample) -> dict[str, Any]:
    """Return the picture, its outputs, and the answer that they stand for, as JSON values."""
    return {
        "pixels": base64.b64encode(sample.image.tobytes()).decode(),
        "outputs": sample.outputs.tolist(),
        "label": sample.label,
        "probabilities": sample.probabilities.tolist(),
        "evidence": sample.evidence,
    }


def _lines(matrix: FloatArray) -> Iterator[bytes]:
    """Yield a matrix [W b] (n_out, n_in + 1), transposed, as lines of base64 of float32."""
    for start in range(0, matrix.shape[1], INPUTS_AT_ONCE):
        inputs = matrix[:, start : start + INPUTS_AT_ONCE].T
        yield base64.encodebytes(np.ascontiguousarray(inputs, "<f4").tobytes())
