"""Train neural networks on handwritten digits, and read pictures with them.

Read pictures with the model that ships:

    import digitnet

    model = digitnet.load()                      # or "shipped"; "my.npz" for another model
    model.predict("four.png").digit              # 4; None if the answer is "?"
    model.predict("four.png").confidence         # 0 to 1
    model.predict(["four.png", "no.png"], errors="return")   # [Prediction, ImageError]
    model.read_numbers("zip.png", digits=5).text             # "90210"

A picture is a path, a file's bytes, a Pillow image or an array (h, w) or (h, w, 3). `predict` also
takes several: a list, any other iterable, an array (n, h, w).

Use a model on prepared images, as MNIST's are: uint8 (n, 28, 28), ink 255 on paper 0.

    model.probabilities(images)                  # (n, classes)
    model.score(images, labels)                  # accuracy, 0 to 1
    model.network(images)                        # outputs before calibration, (n, classes)
    digitnet.evaluate(model, "data/mnist")       # Evaluation: accuracy, interval, confusion, …
    digitnet.export_model(model, "digits.h")     # or .onnx, .js: runs without digitnet

Train. `train` prints nothing and writes no file; it yields its progress several times a second.

    for progress in digitnet.train("configs/3blue1brown.yaml"):
        if progress.record:                      # an epoch has ended
            print(progress.record)
    progress.state.best_model().save("my.npz")

Instead of a file, `train` takes a dict of the same keys, or a Config. A progress bar, also in a
notebook (`pip install tqdm ipywidgets`):

    from tqdm.auto import tqdm

    epochs = (p for p in digitnet.train("configs/3blue1brown.yaml") if p.record)
    for progress in tqdm(epochs, total=60, unit="epoch"):
        pass

Errors in files, data, pictures and configs are DigitnetErrors with a message of one line; wrong
arguments are ValueErrors and TypeErrors. Importing digitnet loads nothing else:
its parts are imported when they are first used.
"""

TYPE_CHECKING = False  # typing.TYPE_CHECKING, without importing typing

if TYPE_CHECKING:
    from typing import Any

    from digitnet.config.definition import Config
    from digitnet.config.reader import read_config
    from digitnet.errors import (
        CheckpointError,
        ConfigError,
        DataError,
        DigitnetError,
        ImageError,
        OutputError,
        TrainingError,
    )
    from digitnet.export.export import export_model
    from digitnet.model.evaluation import Evaluation
    from digitnet.model.examples import evaluate
    from digitnet.model.numbers import Numbers
    from digitnet.model.prediction import Model, Prediction, load
    from digitnet.network.network import Network
    from digitnet.training.loop import Progress, train
    from digitnet.training.state import TrainingState
    from digitnet.version import __version__

_HOMES = {
    "CheckpointError": "errors",
    "Config": "config.definition",
    "ConfigError": "errors",
    "DataError": "errors",
    "DigitnetError": "errors",
    "Evaluation": "model.evaluation",
    "ImageError": "errors",
    "Model": "model.prediction",
    "Network": "network.network",
    "Numbers": "model.numbers",
    "OutputError": "errors",
    "Prediction": "model.prediction",
    "Progress": "training.loop",
    "TrainingError": "errors",
    "TrainingState": "training.state",
    "__version__": "version",
    "evaluate": "model.examples",
    "export_model": "export.export",
    "load": "model.prediction",
    "read_config": "config.reader",
    "train": "training.loop",
}

__all__ = [
    "CheckpointError",
    "Config",
    "ConfigError",
    "DataError",
    "DigitnetError",
    "Evaluation",
    "ImageError",
    "Model",
    "Network",
    "Numbers",
    "OutputError",
    "Prediction",
    "Progress",
    "TrainingError",
    "TrainingState",
    "__version__",
    "evaluate",
    "export_model",
    "load",
    "read_config",
    "train",
]


def __getattr__(name: str) -> "Any":
    if name not in _HOMES:
        raise AttributeError(f"module 'digitnet' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"digitnet.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
