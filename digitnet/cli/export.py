"""`digitnet export`: write a model as a file that runs without digitnet."""

from typing import TYPE_CHECKING

import click

from digitnet.cli.options import model_option
from digitnet.cli.output import display_path, print_result

if TYPE_CHECKING:
    from digitnet.export.output import Kind

NAMES: dict["Kind", str] = {"onnx": "ONNX", "c": "C", "js": "JavaScript"}
EPILOG = """
\b
Examples
  digitnet export -o model.onnx
  digitnet export -m my.npz -o digits.h
  digitnet export -m my.npz -o digits.js
"""


@click.command(epilog=EPILOG)
@model_option
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    required=True,
    help="File to write. Its ending says the kind: .onnx, .h (C99) or .js (an ES module).",
)
@click.option(
    "--to",
    type=click.Choice(list(NAMES)),
    help="Kind of the file, if its ending does not say it.",
)
@click.option("--overwrite", is_flag=True, help="Replace an existing FILE.")
@click.pass_context
def export(
    context: click.Context, model: str | None, output: str, to: "Kind | None", overwrite: bool
) -> None:
    """Write a model as one file that runs without digitnet.

    The file holds the network, its class names and thresholds, and a sample with its answer to
    check the file by. It reads pictures as `predict` prepares them, 28×28 pixels;
    `digitnet predict --save-prepared FOLDER` writes such pictures.
    """
    from digitnet.export.output import check_output, kind_named, require_onnx

    kind = to or kind_named(output)
    if kind is None:
        expected = "expected a name that ends in .onnx, .h or .js"
        raise click.UsageError(f"-o: {expected}, found {output!r:.80}; or use --to")
    if kind == "onnx":
        require_onnx()
    from digitnet.config.threads import load_numpy

    load_numpy(1)  # as predict: more threads of BLAS would change the last digits of the sample
    from digitnet.export.export import export_model
    from digitnet.model.checkpoint import load_checkpoint
    from digitnet.model.locations import find_model
    from digitnet.model.prediction import Model

    path = find_model(model)
    check_output(output, path, overwrite=overwrite)
    loaded = Model(load_checkpoint(path, hashed=True), path)
    written = export_model(loaded, output, kind, overwrite=overwrite)
    print_result(f"{display_path(output)}: {NAMES[written.kind]}, {written.size / 1e6:.2f} MB")
