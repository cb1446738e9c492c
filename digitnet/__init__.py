"""digitnet: train 3Blue1Brown's neural network on handwritten digits, and read pictures with it.

    model = digitnet.load("model.npz")
    model.predict("four.png").digit
    for progress in digitnet.train(digitnet.read_config("configs/default.yaml")): ...

Importing it costs nothing: parts load when they are used.
"""

TYPE_CHECKING = False  # as typing has it, which takes longer to load than all this

if TYPE_CHECKING:
    from typing import Any

    from digitnet.config.reader import read_config
    from digitnet.errors import DigitnetError
    from digitnet.model.prediction import Model, Prediction, load
    from digitnet.network.network import Network
    from digitnet.training.loop import train
    from digitnet.version import __version__

_HOMES = {
    "read_config": "config.reader",
    "DigitnetError": "errors",
    "Network": "network.network",
    "Model": "model.prediction",
    "Prediction": "model.prediction",
    "load": "model.prediction",
    "train": "training.loop",
    "__version__": "version",
}

__all__ = [
    "DigitnetError",
    "Model",
    "Network",
    "Prediction",
    "__version__",
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
