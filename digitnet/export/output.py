"""Decide what kind of file an export writes, and whether it can be written."""

from typing import Literal, get_args

from digitnet.errors import DigitnetError, OutputError
from digitnet.paths import file_to_write, same_file

Kind = Literal["onnx", "c", "js"]
KINDS: tuple[Kind, ...] = get_args(Kind)
ENDINGS: dict[str, Kind] = {".onnx": "onnx", ".h": "c", ".js": "js", ".mjs": "js"}


def kind_of_file(output: str, to: str | None, *, int8: bool) -> Kind:
    """Return the kind of file to write: `to` if the path's ending does not say it.

    int8: whether the weights are to be int8. Raises ValueError for no kind, for a kind that the
    ending contradicts, and for int8 in another kind than c.
    """
    named = next((kind for end, kind in ENDINGS.items() if output.lower().endswith(end)), None)
    kind = named or next((kind for kind in KINDS if kind == to), None)
    if kind is None:
        expected = f"a name that ends in {', '.join(ENDINGS)}, or the kind: {', '.join(KINDS)}"
        found = f"{output!r:.80}" if to is None else f"{output!r:.80} and {to!r:.20}"
        raise ValueError(f"expected {expected}; found {found}")
    if to not in (None, kind):
        found = f"found {to!r:.20}"
        raise ValueError(
            f"{output}: expected the kind {kind}, which this ending stands for, {found}"
        )
    if int8 and kind != "c":
        raise ValueError(f"expected the kind c for int8, found {kind}")
    return kind


def require_onnx() -> None:
    """Raise DigitnetError if the package that writes ONNX files is not installed."""
    try:
        import onnx.reference  # noqa: F401
    except ImportError:
        raise DigitnetError(
            "export: expected the package onnx to be installed, found none; "
            "pip install 'digitnet[onnx]'"
        ) from None


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
