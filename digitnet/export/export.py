"""Export a model: write one file that runs without digitnet."""

import os
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import numpy as np

from digitnet.dataset.definition import DEFAULT_OPTIONS, ReadOptions
from digitnet.errors import CheckpointError, DataError, DigitnetError
from digitnet.export.contents import Contents, contents_of, sample_of
from digitnet.export.output import Kind, check_output, kind_of_file, require_onnx
from digitnet.model.prediction import Model
from digitnet.paths import own_suffix, replace_file

if TYPE_CHECKING:
    from digitnet.export.accuracy import Accuracy


class Exported(NamedTuple):
    """What was written.

    size: bytes. accuracy: of an int8 network on validation; None if it was not measured. problem:
    why not; empty if it was, or without int8.
    """

    kind: Kind
    size: int
    accuracy: "Accuracy | None" = None
    problem: str = ""


def export_model(
    model: Model,
    path: str | os.PathLike[str],
    to: Kind | None = None,
    *,
    overwrite: bool = False,
    int8: bool = False,
    options: ReadOptions = DEFAULT_OPTIONS,
) -> Exported:
    """Write a model as an ONNX file, a C header or a JavaScript module.

    The file appears when it is complete. to: "onnx", "c" or "js"; None: what the path's ending
    says: .onnx, .h, .js or .mjs. overwrite: replace an existing file.
    int8: round the weights to int8, in C only. The accuracy on the model's validation split is then
    measured and written to the file, if the data that the model was trained on is still there.
    options: how to read this data.

    Raises OutputError if the file exists or cannot be written, ValueError for another kind or
    ending, and DigitnetError if the package onnx is needed and missing, if the model's outputs are
    not finite, or if a layer is too wide for int8.
    """
    output = os.fspath(path)
    kind = kind_of_file(output, to, int8=int8)
    if kind == "onnx":
        require_onnx()
    check_output(output, model.path, overwrite=overwrite)
    contents = contents_of(model)
    if not np.isfinite(contents.sample.outputs).all():
        found = "found NaN, because its weights are too large; train the model again"
        raise DigitnetError(f"{model.path or 'the model'}: expected outputs from 0 to 1, {found}")
    if int8:
        write, accuracy, problem = _int8_writer(contents, options)
    else:
        write, accuracy, problem = partial(_write, kind, contents), None, ""
    with replace_file(output, own_suffix()) as file:
        write(file)
        size = file.tell()
        check_output(output, model.path, overwrite=overwrite)  # a file may have come meanwhile
    return Exported(kind, size, accuracy, problem)


def _int8_writer(
    contents: Contents, options: ReadOptions
) -> "tuple[Callable[[BinaryIO], None], Accuracy | None, str]":
    """Return what writes an int8 network, its accuracy, and why the accuracy is not known."""
    from digitnet.export.accuracy import measure_accuracy
    from digitnet.export.quantised import QuantisedNetwork
    from digitnet.export.to_c import write_int8

    model, image = contents.model, contents.sample.image
    network = QuantisedNetwork(model.network)
    accuracy, problem = None, ""
    try:
        accuracy = measure_accuracy(model, network, options)
    except (DataError, CheckpointError) as error:
        problem = str(error)
    contents = contents._replace(sample=sample_of(image, network(image[np.newaxis]), model))
    return partial(write_int8, contents, network, accuracy), accuracy, problem


def _write(kind: Kind, contents: Contents, file: BinaryIO) -> None:
    if kind == "onnx":
        from digitnet.export.to_onnx import write
    elif kind == "c":
        from digitnet.export.to_c import write
    else:
        from digitnet.export.to_javascript import write
    write(contents, file)
