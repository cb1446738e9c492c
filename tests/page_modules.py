"""Run the page's JavaScript modules, and exported ones, in node, for comparison with Python's."""

import base64
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digitnet.model.calibration import Calibration
from digitnet.network.network import Network

NODE = shutil.which("node")
TIME = 300  # s: other programs may share the machine
RUN = Path(__file__).parent / "page" / "run.mjs"
needs_node = pytest.mark.skipif(NODE is None, reason="node runs the page's modules; not installed")


def in_node(task: str, **data: Any) -> Any:
    """Return the result of a task of `page/run.mjs`."""
    assert NODE
    done = subprocess.run(
        [NODE, RUN, task],
        input=json.dumps(data).encode(),
        capture_output=True,
        check=False,
        timeout=TIME,
    )
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def as_text(array: np.ndarray) -> str:
    """Return an array's bytes as base64."""
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def called(calls: list[tuple[Any, ...]]) -> list[Any]:
    """Return the results of functions of the preparation.

    A call is (module, function, *arguments), where arrays of floats or bools are pictures or masks.
    Pictures and masks come back as arrays.
    """
    return [as_result(result) for result in in_node("calls", calls=as_arguments(calls))]


def as_arguments(value: Any) -> Any:
    """Return a value with arrays as objects that `page/run.mjs` decodes."""
    if isinstance(value, np.ndarray):
        kind, dtype = ("mask", np.bool_) if value.dtype == np.bool_ else ("plane", np.float32)
        return {"kind": kind, "shape": value.shape, "values": as_text(value.astype(dtype))}
    return [as_arguments(each) for each in value] if isinstance(value, list | tuple) else value


def as_result(value: Any) -> Any:
    """Return a result with pictures and masks as arrays."""
    if isinstance(value, dict) and value.keys() == {"shape", "values"}:
        return np.reshape(value["values"], value["shape"])
    if isinstance(value, dict):
        return {key: as_result(each) for key, each in value.items()}
    return value


def net_of(
    network: Network,
    calibration: Calibration = Calibration(),  # noqa: B008
    kind: str = "float32",
) -> dict[str, Any]:
    """Return a network as the page's data has it: its layers, and its matrices transposed."""
    activation, output = network.names
    model = {
        "sizes": network.layer_sizes,
        "activation": activation,
        "output": output,
        **calibration._asdict(),
    }
    matrices = [as_text(matrix.T.astype(kind)) for matrix in network.matrices]
    return {"model": model, "kind": kind, "matrices": matrices}
