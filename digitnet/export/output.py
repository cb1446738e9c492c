"""Decide what kind of file an export writes, and whether it can be written."""

from importlib.util import find_spec
from typing import Literal, get_args

from digitnet.errors import DigitnetError, OutputError
from digitnet.paths import file_to_write, same_file

Kind = Literal["onnx", "c", "js"]
KINDS: tuple[Kind, ...] = get_args(Kind)
ENDINGS: dict[str, Kind] = {".onnx": "onnx", ".h": "c", ".js": "js", ".mjs": "js"}


def kind_named(output: str) -> Kind | None:
    """Return the kind of file that the ending of a path stands for; None for another ending."""
    return next((kind for end, kind in ENDINGS.items() if output.lower().endswith(end)), None)


def require_onnx() -> None:
    """Raise DigitnetError if the package that writes ONNX files is not installed."""
    if find_spec("onnx") is None:
        raise DigitnetError(
            "export: expected the package onnx to be installed, found none; "
            "pip install 'digitnet[onnx]'"
        )


def check_output(output: str, model: str, *, overwrite: bool) -> None:
    """Raise OutputError if an export must not be written to `output`.

    An existing file may be replaced with `overwrite`, the model's file never. model: its path;
    empty if it has none.
    """
    exists = file_to_write(output)
    if exists and model and same_file(output, model):
        raise OutputError(f"{output}: expected another file than the model; name it with -o")
    if exists and not overwrite:
        raise OutputError(
            f"{output}: expected a new file, found an existing one; "
            "name another file with -o, or use --overwrite"
        )
