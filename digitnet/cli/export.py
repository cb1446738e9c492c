"""`digitnet export`: write a model as a file that runs without digitnet."""

from typing import TYPE_CHECKING

import click

from digitnet.cli.options import model_option
from digitnet.cli.output import display_path, print_message, print_result, silence_decoders
from digitnet.cli.progress import preparing_bar

if TYPE_CHECKING:
    from digitnet.export.output import Kind

NAMES: dict["Kind", str] = {"onnx": "ONNX", "c": "C", "js": "JavaScript"}
EPILOG = """
\b
Examples
  digitnet export -o model.onnx
  digitnet export -m my.npz -o digits.h
  digitnet export -m my.npz --int8 -o digits.h
  digitnet export -m my.npz -o digits.js
"""


@click.command(epilog=EPILOG)
@model_option
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    required=True,
    help="File to write. Its ending says the kind: .onnx, .h (C99), .js or .mjs (an ES module).",
)
@click.option(
    "--to",
    type=click.Choice(list(NAMES)),
    help="Kind of the file, if its ending does not say it.",
)
@click.option(
    "--int8",
    is_flag=True,
    help="C only: round the weights to 8 bits, a quarter of the size. The accuracy on the model's "
    "validation pictures is measured, if they are still there.",
)
@click.option("--overwrite", is_flag=True, help="Replace an existing FILE.")
@click.pass_context
def export(
    context: click.Context,
    model: str | None,
    output: str,
    to: "Kind | None",
    int8: bool,
    overwrite: bool,
) -> None:
    """Write a model as one file that runs without digitnet.

    The file holds the network, its class names and thresholds, and a sample to check the network
    by. The network reads pictures as `predict` prepares them, 28×28 pixels; `digitnet predict -m
    MODEL --save-prepared FOLDER` writes such pictures. In JavaScript, `read` prepares drawings.
    """
    from digitnet.export.output import kind_of_file

    try:
        kind = kind_of_file(output, to, int8=int8)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    from digitnet.config.threads import load_numpy

    load_numpy(1)  # as predict: more threads of BLAS would change the last digits of the sample
    if int8:
        silence_decoders()
    from digitnet.dataset.definition import ReadOptions
    from digitnet.export.export import export_model
    from digitnet.model.checkpoint import load_checkpoint
    from digitnet.model.locations import find_model
    from digitnet.model.prediction import Model
    from digitnet.session.signals import stoppable

    path = find_model(model)
    loaded = Model(load_checkpoint(path, hashed=True), path)
    with stoppable(output, "nothing was written"), preparing_bar() as bar:
        options = ReadOptions(parallel=True, report=bar)
        written = export_model(
            loaded, output, kind, overwrite=overwrite, int8=int8, options=options
        )
    if written.problem:
        print_message(f"the accuracy of int8 is not measured: {written.problem}")
    accuracy = f"; accuracy on validation: {written.accuracy}" if written.accuracy else ""
    size = f"{written.size / 1e6:.2f} MB"
    print_result(f"{display_path(output)}: {NAMES[written.kind]}, {size}{accuracy}")
