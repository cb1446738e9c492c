"""Write a model as an ONNX file, after the graph has answered the sample as digitnet does."""

import base64
import json
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from digitnet.arrays import FloatArray
from digitnet.errors import DigitnetError
from digitnet.export.contents import Contents, Sample, sample_of
from digitnet.export.onnx_graph import add_network
from digitnet.network.network import Network
from digitnet.version import __version__

if TYPE_CHECKING:
    from onnx import ModelProto

IR_VERSION, OPSET = 8, 13  # of 2020 to 2021; runtimes open files of older versions
MAX_PARAMETERS = (2**31 - 2**26) // 4  # protobuf: 2 GB, of which metadata take up to 64 MB
TOLERANCE, EVIDENCE_TOLERANCE = 1e-5, 1e-3  # of an output and a probability; nats
ABOUT = "Reads a handwritten character; written by digitnet."
INPUT = (
    "Pictures of 28×28 pixels, row by row, from 0 to 1, white ink on black, prepared as "
    "`digitnet predict` prepares them with the help of this model. `digitnet predict -m MODEL "
    "--save-prepared FOLDER` writes such pictures; divide their pixels by 255."
)


def write(contents: Contents, file: BinaryIO) -> None:
    """Write the network as an ONNX graph, and the facts and the sample as metadata.

    See `onnx_graph.add_network` for the input and the outputs. Raises DigitnetError if the graph is
    invalid or answers the sample otherwise than digitnet does, and for networks above 2 GB.
    """
    require_size(contents.model.network)
    model = model_of(contents)
    serialised = model.SerializeToString()
    check_graph(serialised)
    check_answer(model, contents)
    file.write(serialised)


def require_size(network: Network) -> None:
    """Raise DigitnetError if a network is too large for an ONNX file."""
    if len(network.parameters) > MAX_PARAMETERS:
        expected = f"at most {MAX_PARAMETERS:,} parameters, because an ONNX file is at most 2 GB"
        raise DigitnetError(f"export: expected {expected}, found {len(network.parameters):,}")


def model_of(contents: Contents) -> "ModelProto":
    """Return the whole of an ONNX file as a protobuf message."""
    from onnx import ModelProto
    from onnx.helper import set_model_props

    model = ModelProto(
        ir_version=IR_VERSION,
        producer_name="digitnet",
        producer_version=__version__,
        doc_string=f"{ABOUT} Input: {INPUT}",
    )
    model.opset_import.add(domain="", version=OPSET)
    model.graph.name = "digitnet"
    add_network(model.graph, contents.model.network, contents.model.calibration.temperature)
    set_model_props(model, metadata_of(contents))
    return model


def metadata_of(contents: Contents) -> dict[str, str]:
    """Return the facts, the class names and the sample as text by name, JSON where it is not text.

    The names with a dot are those of ONNX for pictures.
    """
    sample = contents.sample
    return {
        **{name: _text(value) for name, value in contents.facts.items()},
        "class_names": json.dumps(contents.model.class_names),
        "input": INPUT,
        "Image.BitmapPixelFormat": "Gray8",
        "Image.NominalPixelRange": "Normalized_0_1",
        "sample_image": base64.b64encode(sample.image.tobytes()).decode("ascii"),
        "sample_outputs": json.dumps(sample.outputs.tolist()),
        "sample_label": str(sample.label),
        "sample_probabilities": json.dumps(sample.probabilities.tolist()),
        "sample_evidence": json.dumps(sample.evidence),
    }


def _text(value: Any) -> str:
    """Return a text as it is, other values as JSON, and also a text that UTF-8 cannot hold."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:  # a lone surrogate
            return json.dumps(value)
        return value
    return json.dumps(value)


def check_graph(serialised: bytes) -> None:
    """Raise DigitnetError if the package onnx finds fault with a serialised model."""
    from onnx.checker import ValidationError, check_model
    from onnx.shape_inference import InferenceError

    try:
        check_model(serialised, full_check=True)
    except (ValidationError, InferenceError) as error:
        problem = " ".join(str(error).split())
        raise DigitnetError(f"export: expected a valid ONNX graph, found {problem:.200}") from None


def check_answer(model: "ModelProto", contents: Contents) -> None:
    """Raise DigitnetError if the graph answers the sample otherwise than digitnet does.

    Its outputs must be the sample's, and its answer must be the one that its outputs stand for:
    where an output is almost 0, one rounding of it changes the answer by more.
    """
    sample = contents.sample
    found = _sample_by_graph(sample.image, model)
    expected = sample_of(sample.image, found.outputs[np.newaxis], contents.model)
    is_equal = (
        np.abs(found.outputs - _usable(sample.outputs)).max() <= TOLERANCE
        and found.label == expected.label
        and np.abs(found.probabilities - expected.probabilities).max() <= TOLERANCE
        and abs(found.evidence - expected.evidence) <= EVIDENCE_TOLERANCE
    )
    if not is_equal:
        raise DigitnetError(
            f"export: expected the ONNX graph to answer its sample with {_summary(sample)}, "
            f"found {_summary(found)}; write C or JavaScript instead"
        )


def _usable(outputs: FloatArray) -> FloatArray:
    """Return outputs as the graph has them: equal ones in the place of zeros alone."""
    return outputs if outputs.any() else np.ones_like(outputs)


def _sample_by_graph(image: NDArray[np.uint8], model: "ModelProto") -> Sample:
    """Return the answer of the graph, computed by the package onnx, to an image (28, 28)."""
    from onnx.reference import ReferenceEvaluator

    pixels = image[np.newaxis, np.newaxis] / np.float32(255)
    names = "outputs", "label", "probabilities", "evidence"
    with np.errstate(all="ignore"):  # huge weights overflow
        answers = ReferenceEvaluator(model).run(names, {"image": pixels})
    outputs, label, p, nats = (np.asarray(answer)[0] for answer in answers)
    return Sample(image, outputs, int(label), p, float(nats))


def _summary(answer: Sample) -> str:
    confidence = answer.probabilities.max()
    return f"class {answer.label}, confidence {confidence:.4f}, evidence {answer.evidence:.4f}"
