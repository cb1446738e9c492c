"""Export a model: write one file that runs without digitnet."""

import os
from typing import BinaryIO, NamedTuple

from digitnet.export.contents import Contents, contents_of
from digitnet.export.output import KINDS, Kind, check_output, kind_named, require_onnx
from digitnet.model.prediction import Model
from digitnet.paths import own_suffix, replace_file


class Exported(NamedTuple):
    """What was written. size: bytes."""

    kind: Kind
    size: int


def export_model(
    model: Model,
    path: str | os.PathLike[str],
    to: Kind | None = None,
    *,
    overwrite: bool = False,
) -> Exported:
    """Write a model as an ONNX file, a C header or a JavaScript module.

    The file appears when it is complete. to: "onnx", "c" or "js"; None: what the path's ending
    says: .onnx, .h, .js or .mjs. overwrite: replace an existing file.

    Raises OutputError if the file exists or cannot be written, DigitnetError if the package onnx is
    needed and missing, and ValueError for another kind or ending.
    """
    output = os.fspath(path)
    kind = kind_named(output) if to is None else to
    if kind not in KINDS:
        expected = "expected onnx, c or js, or a path that ends in .onnx, .h or .js"
        raise ValueError(f"to: {expected}, found {(output if to is None else to)!r:.80}")
    if kind == "onnx":
        require_onnx()
    check_output(output, model.path, overwrite=overwrite)
    contents = contents_of(model)
    with replace_file(output, own_suffix()) as file:
        _write(kind, contents, file)
        size = file.tell()
        check_output(output, model.path, overwrite=overwrite)  # a file may have come meanwhile
    return Exported(kind, size)


def _write(kind: Kind, contents: Contents, file: BinaryIO) -> None:
    if kind == "onnx":
        from digitnet.export.to_onnx import write
    elif kind == "c":
        from digitnet.export.to_c import write
    else:
        from digitnet.export.to_javascript import write
    write(contents, file)
