"""digitnet: train 3Blue1Brown's neural network on handwritten digits, and read pictures with it.

    model = digitnet.load("model.npz")
    model.predict("four.png").digit
    for progress in digitnet.train(digitnet.read_config("configs/default.yaml")): ...

Importing it costs nothing: parts load when they are used.
"""

TYPE_CHECKING = False  # as typing has it, which takes longer to load than all this

if TYPE_CHECKING:
    from typing import Any

    from digitnet.config import read_config
    from digitnet.errors import DigitnetError
    from digitnet.network import Network
    from digitnet.prediction import Model, Prediction, load
    from digitnet.training import train
    from digitnet.version import __version__

_HOMES = {
    "read_config": "config",
    "DigitnetError": "errors",
    "Network": "network",
    "Model": "prediction",
    "Prediction": "prediction",
    "load": "prediction",
    "train": "training",
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
