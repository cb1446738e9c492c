"""`digitnet report`: write a page that shows what a network learned."""

import click

from digitnet.cli.options import model_option
from digitnet.cli.output import display_path, print_message, print_result, silence_decoders
from digitnet.cli.progress import preparing_bar
from digitnet.errors import DataError

EPILOG = """
\b
Examples
  digitnet report
  digitnet report -m 3blue1brown.npz -o 3blue1brown.html
  digitnet report -m my.npz --data my-test --text
"""


@click.command(epilog=EPILOG)
@model_option
@click.option(
    "--data",
    metavar="PATH",
    help="Labelled pictures to measure the model on. Default: the model's own test data.",
)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    default="report.html",
    help="File to write. Default: report.html.",
)
@click.option("--overwrite", is_flag=True, help="Replace any existing file.")
def report(model: str | None, data: str | None, output: str, overwrite: bool) -> None:
    """Write a page that shows what a network learned, and lets you draw for it.

    The page is one HTML file that opens in any browser, without network access.
    """
    from digitnet.config.threads import environment_threads, load_numpy

    load_numpy(environment_threads() or 1)
    silence_decoders()
    from digitnet.dataset.definition import ReadOptions
    from digitnet.model.checkpoint import load_checkpoint
    from digitnet.model.locations import find_model
    from digitnet.paths import replace_file
    from digitnet.report.page import render
    from digitnet.report.subject import Subject, gather, without_pictures

    path = find_model(model)
    checkpoint = load_checkpoint(path)
    with preparing_bar() as bar:
        options = ReadOptions(parallel=True, report=bar)
        try:
            subject = gather(path, checkpoint, data, options)
        except DataError as error:
            if data is not None:
                raise
            print_message(f"{error}; the report goes without accuracy and mistakes")
            subject = Subject(path, checkpoint, None, without_pictures())
    page = render(subject).encode()
    with replace_file(output) as file:
        file.write(page)
    print_result(f"{display_path(output)}: {len(page) / 1e6:.2f} MB")
