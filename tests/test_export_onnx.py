"""The ONNX file answers as digitnet does, says what it is, and is checked before it appears."""

import base64
import json
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import read_mnist
from numpy.typing import NDArray

import digitnet
from digitnet.errors import DigitnetError
from digitnet.export import to_onnx
from digitnet.export.contents import Contents, contents_of, sample_image
from digitnet.export.export import export_model
from digitnet.model.calibration import Calibration
from digitnet.model.checkpoint import Checkpoint
from digitnet.model.prediction import Model
from digitnet.network.network import Network
from digitnet.version import __version__

HOSTILE = ('"', "'", "a\nb", "*/", "</script>", "%s", "??/", "\\", "\0\x1b", "\u2028\ud800é🙂")


class Answers:
    """What onnxruntime answers to images uint8 (n, 28, 28)."""

    def __init__(self, file: Path | bytes, images: NDArray[np.uint8]) -> None:
        pixels = (images / np.float32(255)).reshape(-1, 1, 28, 28)
        self.label, self.p, self.evidence = session(file).run(None, {"image": pixels})


def session(file: Path | bytes) -> Any:
    """Return onnxruntime's session for an ONNX file or its contents."""
    onnxruntime = pytest.importorskip("onnxruntime")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    contents = file if isinstance(file, bytes) else file.read_bytes()
    return onnxruntime.InferenceSession(contents, options, providers=["CPUExecutionProvider"])


def model_of(network: Network, temperature: float = 1.0, **parts: Any) -> Model:
    parts.setdefault("class_names", tuple(map(str, range(network.layer_sizes[-1]))))
    return Model(
        Checkpoint(
            network,
            {"cost": network.cost.__name__},
            data_path="",
            data_hash="",
            history=[],
            calibration=Calibration(temperature, 0.5, 0.5),
            **parts,
        )
    )


def random_model(activation: str, output: str, *sizes: int, temperature: float = 1.0) -> Model:
    """Return a model of random weights, as large as those of trained networks."""
    network = Network((784, *sizes, 10), activation=activation, output=output)
    network.initialise(rng=np.random.default_rng(1))
    network.parameters *= 2
    return model_of(network, temperature)


def trained(folder: Path, activation: str, output: str, *sizes: int) -> Model:
    """Return a model that was trained for a moment, and answers several digits."""
    config = {
        "data": {"path": str(folder), "validation": 500},
        "network": {"layer_sizes": [784, *sizes, 10], "activation": activation, "output": output},
        "cost": "cross_entropy",
        "training": {"epochs": 4, "optimizer": {"name": "sgd", "learning_rate": 0.3}, "threads": 1},
    }
    *_, last = digitnet.train(config)
    return last.state.best_model()


@pytest.fixture(scope="module")
def models(small_mnist: Path) -> dict[str, Model]:
    return {
        "shipped": digitnet.load(),
        "sigmoid": trained(small_mnist, "sigmoid", "sigmoid", 16, 16),
        "tanh": trained(small_mnist, "tanh", "softmax", 60, 40, 30, 20),
    }


def tanh_model() -> Model:
    return random_model("tanh", "softmax", 60, 40, 30, 20)


def serialised(model: Model) -> bytes:
    """Return the contents of the model's ONNX file."""
    file = BytesIO()
    to_onnx.write(contents_of(model), file)
    return file.getvalue()


def read(contents: bytes) -> Any:
    import onnx

    return onnx.load_model_from_string(contents)


def metadata(contents: bytes) -> dict[str, str]:
    return {entry.key: entry.value for entry in read(contents).metadata_props}


# Answers


@pytest.mark.parametrize(
    ("name", "evidence_error"),
    [("shipped", 1e-4), ("sigmoid", 0.3), ("tanh", 1e-4)],  # nats
)
def test_onnxruntime_answers_mnist_as_digitnet_does(
    models: dict[str, Model], name: str, evidence_error: float, tmp_path: Path
) -> None:
    model, (images, _) = models[name], read_mnist("t10k", 2000)
    export_model(model, tmp_path / "a.onnx")
    found = Answers(tmp_path / "a.onnx", images)
    p, nats, _ = model.judge(images)
    np.testing.assert_array_equal(found.label, p.argmax(axis=1), strict=True)
    np.testing.assert_allclose(found.p, p, rtol=0, atol=1e-5)
    np.testing.assert_allclose(found.evidence, nats, rtol=0, atol=evidence_error)
    assert (found.p.dtype, found.evidence.dtype) == (np.float32, np.float32)
    assert len(set(found.label.tolist())) > 3


@pytest.mark.parametrize("n", [1, 3, 1000])
def test_the_batch_is_of_any_size(n: int) -> None:
    contents, (images, _) = serialised(tanh_model()), read_mnist("t10k", 1000)
    found, whole = Answers(contents, images[:n]), Answers(contents, images)
    assert (found.label.shape, found.p.shape, found.evidence.shape) == ((n,), (n, 10), (n,))
    np.testing.assert_array_equal(found.label, whole.label[:n])
    np.testing.assert_allclose(found.p, whole.p[:n], rtol=0, atol=1e-6)


@pytest.mark.parametrize("temperature", [0.3, 1.0, 5.0])
def test_the_temperature_is_applied(temperature: float) -> None:
    model = random_model("tanh", "softmax", 20, temperature=temperature)
    images, _ = read_mnist("t10k", 200)
    contents = serialised(model)
    np.testing.assert_allclose(
        Answers(contents, images).p, model.judge(images)[0], rtol=0, atol=1e-5
    )
    has_power = "Pow" in {node.op_type for node in read(contents).graph.node}
    assert has_power == (temperature != 1)


@pytest.mark.parametrize(("biases", "label"), [((0, 1, 1), 1), ((0, 1, 1 + 2**-22), 2)])
def test_the_label_is_the_first_of_the_largest_outputs(
    biases: tuple[float, ...], label: int
) -> None:
    network = Network((784, 3), output="softmax")
    network.biases[0][:] = biases
    model, images = model_of(network, 20), np.zeros((1, 28, 28), np.uint8)
    found = Answers(serialised(model), images)
    assert found.p[0, 1] == found.p[0, 2]  # in float32, at this temperature
    assert found.label.tolist() == model.judge(images)[0].argmax(axis=1).tolist() == [label]


def test_the_evidence_of_tiny_outputs_is_limited() -> None:
    network = Network((784, 3), output="softmax")
    network.biases[0][:] = (0, -95, -200)  # denormal and 0 in float32
    model, images = model_of(network), np.zeros((1, 28, 28), np.uint8)
    found = Answers(serialised(model), images)
    np.testing.assert_allclose(found.evidence, model.judge(images)[1], rtol=1e-6)
    assert found.evidence[0] > 50


@pytest.mark.parametrize("temperature", [1.0, 0.7])
def test_outputs_of_zero_are_uniform(temperature: float) -> None:
    network = Network((784, 10))
    network.biases[0][:] = -25  # σ(-25) is 0 in float32
    network.weights[0][3] = 1
    model, images = model_of(network, temperature), np.zeros((2, 28, 28), np.uint8)
    images[1] = 255
    assert model.network(images)[0].tolist() == [0] * 10
    found = Answers(serialised(model), images)
    assert found.label.tolist() == [0, 3]
    np.testing.assert_allclose(found.p, [[0.1] * 10, np.eye(10)[3]], atol=1e-6)
    np.testing.assert_allclose(found.evidence, model.judge(images)[1], atol=1e-4)
    assert found.evidence[0] == pytest.approx(0, abs=1e-6)


def test_a_finer_sigmoid_than_that_of_float32_gives_the_same_answer() -> None:
    network = Network((784, 3))
    network.biases[0][:] = (-25, -20, -25)  # 0 in digitnet, but not in onnx's reference runtime
    texts = metadata(serialised(model_of(network)))
    assert json.loads(texts["sample_probabilities"]) == pytest.approx([1 / 3] * 3)


@pytest.mark.parametrize("classes", [25, 57])  # float32 rounds below 0
def test_evidence_is_never_negative(classes: int) -> None:
    contents = serialised(model_of(Network((784, classes), output="softmax")))
    (nats,) = Answers(contents, np.zeros((1, 28, 28), np.uint8)).evidence
    assert 0 <= nats < 1e-6


@pytest.mark.parametrize("output", ["sigmoid", "softmax"])
def test_outputs_that_overflow_are_uniform(output: str) -> None:
    network = Network((784, 2, 10), activation="relu", output=output)
    network.weights[0][:, sample_image().ravel() == 0] = 3e38
    network.weights[1][:] = (1, -1)  # ∞ - ∞
    network.biases[1][5] = 1
    model, images = model_of(network, 0.8), read_mnist("t10k", 2)[0].copy()
    images[1] = 0
    p, nats, _ = model.judge(images)
    found = Answers(serialised(model), images)
    assert found.label.tolist() == [0, 5]
    np.testing.assert_allclose(found.p, p, atol=1e-6)
    np.testing.assert_allclose(found.evidence, nats, atol=1e-5)


# What the file says


def test_the_file_is_valid_and_says_what_it_is() -> None:
    from onnx.checker import check_model

    model = random_model("relu", "softmax", 8)
    contents = serialised(model)
    check_model(contents, full_check=True)
    file = read(contents)
    assert (file.ir_version, [each.version for each in file.opset_import]) == (8, [13])
    assert (file.producer_name, file.producer_version) == ("digitnet", __version__)
    (image,) = file.graph.input
    dimensions = image.type.tensor_type.shape.dim
    assert [each.dim_param or each.dim_value for each in dimensions] == ["N", 1, 28, 28]
    assert [each.denotation for each in dimensions][:2] == ["DATA_BATCH", "DATA_CHANNEL"]
    assert (image.name, image.type.denotation) == ("image", "IMAGE")
    outputs = {each.name: each.type.tensor_type for each in file.graph.output}
    assert list(outputs) == ["label", "probabilities", "evidence"]
    shapes = [[d.dim_param or d.dim_value for d in each.shape.dim] for each in outputs.values()]
    assert shapes == [["N"], ["N", 10], ["N"]]
    assert all(each.doc_string for each in (file, image, *file.graph.output))
    texts = metadata(contents)
    assert texts["Image.BitmapPixelFormat"] == "Gray8"
    assert texts["Image.NominalPixelRange"] == "Normalized_0_1"
    assert "white ink on black" in texts["input"]
    assert "--save-prepared" in texts["input"]


def test_hostile_names_and_facts_come_back() -> None:
    network = Network((784, 10), output="softmax")
    model = model_of(
        network, 1.5, class_names=HOSTILE, version='%s"\\\0</script>', created="\ud800"
    )
    contents = serialised(model)
    texts = metadata(contents)
    assert tuple(json.loads(texts["class_names"])) == HOSTILE
    assert texts["class_names"].isascii()
    assert texts["version"] == '%s"\\\0</script>'
    assert json.loads(texts["created"]) == "\ud800"
    assert json.loads(texts["layer_sizes"]) == [784, 10]
    assert json.loads(texts["temperature"]) == 1.5
    assert texts["output"] == "softmax"
    assert texts["exported_by"] == f"digitnet {__version__}"
    assert texts.keys() > contents_of(model).facts.keys()
    assert session(contents).get_modelmeta().custom_metadata_map == texts


def test_the_file_holds_a_sample_and_its_answer() -> None:
    contents = serialised(digitnet.load())
    texts = metadata(contents)
    image = np.frombuffer(base64.b64decode(texts["sample_image"]), np.uint8).reshape(1, 28, 28)
    np.testing.assert_array_equal(image[0], sample_image())
    found = Answers(contents, image)
    assert [int(texts["sample_label"])] == found.label.tolist() == [4]
    expected = json.loads(texts["sample_probabilities"])
    np.testing.assert_allclose(found.p[0], expected, rtol=0, atol=1e-5)
    assert json.loads(texts["sample_evidence"]) == pytest.approx(found.evidence[0], abs=1e-4)


def test_the_same_model_gives_the_same_bytes() -> None:
    model = tanh_model()
    assert serialised(model) == serialised(model)


# What cannot be written


@pytest.mark.parametrize("constant", ["biases_1", "inverse_temperature", "log_uniform"])
def test_a_graph_that_answers_otherwise_is_not_written(
    constant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(contents: Contents) -> Any:
        model = model_of_contents(contents)
        (tensor,) = (each for each in model.graph.initializer if each.name == constant)
        values = np.frombuffer(tensor.raw_data, np.float32)
        tensor.raw_data = (values + np.float32(0.1)).tobytes()
        return model

    model_of_contents = to_onnx.model_of
    monkeypatch.setattr(to_onnx, "model_of", wrong)
    message = "^export: expected the ONNX graph to answer its sample with class .*, found class "
    with pytest.raises(DigitnetError, match=message):
        export_model(model_of(tanh_model().network, 1.3), tmp_path / "a.onnx")
    assert not any(tmp_path.iterdir())


def test_an_invalid_graph_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def invalid(contents: Contents) -> Any:
        model = model_of_contents(contents)
        model.graph.output[1].type.tensor_type.shape.dim[1].dim_value = 9
        return model

    model_of_contents = to_onnx.model_of
    monkeypatch.setattr(to_onnx, "model_of", invalid)
    with pytest.raises(DigitnetError, match=r"^export: expected a valid ONNX graph, found "):
        export_model(tanh_model(), tmp_path / "a.onnx")
    assert not any(tmp_path.iterdir())


def test_a_network_above_2_gigabytes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    model = random_model("relu", "softmax", 2)
    monkeypatch.setattr(to_onnx, "MAX_PARAMETERS", len(model.network.parameters))
    serialised(model)
    monkeypatch.setattr(to_onnx, "MAX_PARAMETERS", len(model.network.parameters) - 1)
    with pytest.raises(DigitnetError, match="at most 2 GB, found 1,600"):
        serialised(model)


def test_without_the_package_onnx_the_command_says_how_to_get_it(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['onnx'] = None\n"
        "sys.argv = ['digitnet', 'export', '-o', 'a.onnx']\n"
        "from digitnet.__main__ import main; sys.exit(main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, check=False, timeout=60
    )
    assert done.returncode == 1
    (line,) = done.stderr.decode().splitlines()
    assert "pip install 'digitnet[onnx]'" in line
    assert not any(tmp_path.iterdir())


def test_without_the_package_onnx_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(DigitnetError, match="expected the package onnx to be installed"):
        export_model(tanh_model(), tmp_path / "a.onnx")
    assert not any(tmp_path.iterdir())


def test_only_onnx_files_need_the_package_onnx() -> None:
    code = (
        "import sys, digitnet.cli.export, digitnet.export.export\nassert 'onnx' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
