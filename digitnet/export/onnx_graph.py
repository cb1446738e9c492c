"""The ONNX graph of a network: prepared pictures in; labels, probabilities and evidence out.

The operators are those of opset 13, in float32. `calibration` has the same mathematics in float64.
"""

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from digitnet.arrays import SIDE
from digitnet.model.calibration import MIN_PROBABILITY
from digitnet.network.network import Network

if TYPE_CHECKING:
    from onnx import GraphProto, ValueInfoProto

OPERATORS = {"sigmoid": "Sigmoid", "tanh": "Tanh", "relu": "Relu", "softmax": "Softmax"}
INPUT = "Prepared pictures: 28×28 pixels from 0 (black paper) to 1 (white ink), row by row."
OUTPUTS = {
    "label": "The likeliest class: its position in class_names, from 0.",
    "probabilities": "The probability of each class. Each row sums to 1.",
    "evidence": "How far the outputs are from a uniform distribution, in nats from 0.",
}


def add_network(graph: "GraphProto", network: Network, temperature: float) -> None:
    """Add a network's input, nodes, constants and outputs to an empty graph.

    The input `image` is float32 (N, 1, 28, 28) for any N. The outputs are those of
    `calibration.probabilities` and `calibration.evidence`: `label`, int64 (N,); `probabilities`,
    float32 (N, classes); and `evidence`, float32 (N,).
    """
    from onnx import TensorProto

    nodes = _Nodes(graph)
    a = _usable_outputs(nodes, _last_activation(nodes, network))
    nodes.add("ArgMax", a, to="label", axis=1, keepdims=0)
    _add_probabilities(nodes, a, temperature)
    _add_evidence(nodes, a, network)

    FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64
    graph.input.append(_image_input())
    graph.output.extend(
        _value(name, kind, ("N", *shape), OUTPUTS[name])
        for name, kind, shape in (
            ("label", INT64, ()),
            ("probabilities", FLOAT, (network.layer_sizes[-1],)),
            ("evidence", FLOAT, ()),
        )
    )


class _Nodes:
    """A graph to which nodes and constants are added; a value is known by its name."""

    def __init__(self, graph: "GraphProto") -> None:
        self.graph = graph
        self.constants: set[str] = set()

    def add(self, operator: str, *inputs: str, to: str, **attributes: Any) -> str:
        """Add a node that computes the value `to`; return `to`."""
        from onnx.helper import make_node

        self.graph.node.append(make_node(operator, inputs, [to], name=to, **attributes))
        return to

    def constant(self, name: str, value: ArrayLike, dtype: DTypeLike = np.float32) -> str:
        """Add a constant unless the graph has it; return its name."""
        from onnx.helper import np_dtype_to_tensor_dtype

        if name not in self.constants:
            array = np.asarray(value, dtype)
            self.graph.initializer.add(
                name=name,
                data_type=np_dtype_to_tensor_dtype(array.dtype),
                dims=array.shape,
                raw_data=array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes(),
            )
            self.constants.add(name)
        return name

    def row_sums(self, values: str, to: str) -> str:
        """Add the sums of the rows of values (N, classes): (N, 1)."""
        axes = self.constant("classes_axis", [1], np.int64)
        return self.add("ReduceSum", values, axes, to=to, keepdims=1)


def _last_activation(nodes: _Nodes, network: Network) -> str:
    """Add W a + b and the activation function of each layer: (N, classes)."""
    hidden, output = network.names
    functions = [hidden] * (len(network.weights) - 1) + [output]
    a = nodes.add("Flatten", "image", to="pixels", axis=1)
    for l, (W, b, function) in enumerate(zip(network.weights, network.biases, functions)):
        weights, biases = nodes.constant(f"weights_{l}", W), nodes.constant(f"biases_{l}", b)
        z = nodes.add("Gemm", a, weights, biases, to=f"z_{l + 1}", transB=1)
        if function == "sigmoid" and l == len(network.weights) - 1:
            return _rounded_sigmoid(nodes, z)
        axis = {"axis": 1} if function == "softmax" else {}
        a = nodes.add(OPERATORS[function], z, to=f"a_{l + 1}", **axis)
    return a


def _rounded_sigmoid(nodes: _Nodes, z: str) -> str:
    """Add the sigmoid of the outputs, small ones rounded as by `activations.sigmoid`: to 2^-25.

    It computes σ(z) - ½ first, and float32 has no finer steps near -½. Without that, evidence would
    be higher, and a sum of 0 would never occur. The operator Sigmoid is less accurate near 0.
    """
    one, half = nodes.constant("one", 1), nodes.constant("half", 0.5)
    e = nodes.add("Exp", nodes.add("Neg", z, to="minus_z"), to="exp_minus_z")
    a = nodes.add("Div", one, nodes.add("Add", e, one, to="one_plus_exp"), to="sigmoid")
    difference = nodes.add("Sub", a, half, to="a_minus_half")
    return nodes.add("Add", difference, half, to="a_rounded")


def _usable_outputs(nodes: _Nodes, a: str) -> str:
    """Replace a row without a positive sum (zeros, or any NaN) by ones: it becomes uniform."""
    total = nodes.row_sums(a, to="total")
    is_usable = nodes.add("Greater", total, nodes.constant("zero", 0), to="is_usable")
    return nodes.add("Where", is_usable, a, nodes.constant("one", 1), to="outputs")


def _add_probabilities(nodes: _Nodes, a: str, temperature: float) -> None:
    if temperature != 1:
        largest = nodes.add("ReduceMax", a, to="largest", axes=[1], keepdims=1)
        relative = nodes.add("Div", a, largest, to="relative")
        exponent = nodes.constant("inverse_temperature", 1 / temperature)
        a = nodes.add("Pow", relative, exponent, to="powers")
    nodes.add("Div", a, nodes.row_sums(a, to="total_powers"), to="probabilities")


def _add_evidence(nodes: _Nodes, a: str, network: Network) -> None:
    if network.min_output > MIN_PROBABILITY:
        a = nodes.add("Max", a, nodes.constant("min_output", network.min_output), to="positive")
    p = nodes.add("Div", a, nodes.row_sums(a, to="total_positive"), to="p")
    p = nodes.add("Max", p, nodes.constant("min_p", MIN_PROBABILITY), to="positive_p")
    mean = nodes.add("ReduceMean", nodes.add("Log", p, to="log_p"), to="mean", axes=[1], keepdims=0)
    uniform = nodes.constant("log_uniform", -math.log(network.layer_sizes[-1]))
    nodes.add("Relu", nodes.add("Sub", uniform, mean, to="divergence"), to="evidence")


def _image_input() -> "ValueInfoProto":
    """Return the description of the input, with the denotations of the ONNX specification."""
    from onnx import TensorProto

    axes = ["DATA_BATCH", "DATA_CHANNEL", "DATA_FEATURE", "DATA_FEATURE"]
    image = _value("image", TensorProto.FLOAT, ("N", 1, SIDE, SIDE), INPUT, axes)
    image.type.denotation = "IMAGE"
    return image


def _value(
    name: str,
    kind: int,
    shape: tuple[str | int, ...],
    description: str,
    axes: list[str] | None = None,
) -> "ValueInfoProto":
    from onnx.helper import make_tensor_value_info

    return make_tensor_value_info(name, kind, shape, description, axes)
