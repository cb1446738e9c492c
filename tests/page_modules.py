"""Run the page's JavaScript modules in node, for comparison with Python's."""

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
RUN = Path(__file__).parent / "page" / "run.mjs"
needs_node = pytest.mark.skipif(NODE is None, reason="node runs the page's modules; not installed")


def in_node(task: str, **data: Any) -> Any:
    """Return the result of a task of `page/run.mjs`."""
    assert NODE
    done = subprocess.run(
        [NODE, RUN, task], input=json.dumps(data).encode(), capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def as_text(array: np.ndarray) -> str:
    """Return an array's bytes as base64."""
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


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
