"""`digitnet report`: write a page that shows what a network learned."""

from typing import TYPE_CHECKING

import click

from digitnet.cli.options import model_option
from digitnet.cli.output import (
    display_path,
    print_message,
    print_result,
    print_unreadable,
    silence_decoders,
)
from digitnet.cli.progress import preparing_bar, step_bar
from digitnet.errors import DataError, ExitStatus

if TYPE_CHECKING:
    from digitnet.model.checkpoint import Checkpoint
    from digitnet.report.subject import Subject

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
    help="Labelled pictures to measure the model on, as in evaluate. Default: the test pictures "
    "of the data that the model was trained on.",
)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    help="File to write; an older report is replaced. Default: report.html.",
)
@click.option("--overwrite", is_flag=True, help="Replace a file that is not a report, too.")
@click.option("--text", is_flag=True, help="Print the report in characters, and write no file.")
@click.pass_context
def report(
    context: click.Context,
    model: str | None,
    data: str | None,
    output: str | None,
    overwrite: bool,
    text: bool,
) -> None:
    """Write a page that shows what a network learned, and lets you draw for it.

    The page is one HTML file that any browser opens, without network access. Draw a digit and watch
    it being read; see why the network answers as it does, what its neurons look for, how training
    went downhill, how accurate the network is, and its mistakes.

    If the data that the model was trained on is gone, accuracy and mistakes are left out. Pictures
    that cannot be read are left out and listed on stderr; the exit status is then 1.
    """
    from digitnet.config.threads import environment_threads, load_numpy

    load_numpy(environment_threads() or 1)
    silence_decoders()
    from digitnet.dataset.definition import as_tuple
    from digitnet.model.checkpoint import load_checkpoint
    from digitnet.model.locations import find_model
    from digitnet.report.output import check_output, require_jinja

    if text and (output or overwrite):
        raise click.UsageError("--text writes no file: leave out -o and --overwrite")
    path = find_model(model)
    if text:
        from digitnet.cli.report_text import report_lines

        subject = _gather(path, load_checkpoint(path), data)
        print_result("\n".join(report_lines(subject)))
    else:
        require_jinja()
        output, checkpoint = output or "report.html", load_checkpoint(path)
        sources = path, *as_tuple(checkpoint.data_path if data is None else data)
        check_output(output, sources, overwrite=overwrite)
        subject = _gather(path, checkpoint, data)
        check_output(output, sources, overwrite=overwrite)  # a file may have come meanwhile
        from digitnet.report.page import write_page

        print_result(f"{display_path(output)}: {write_page(output, subject) / 1e6:.2f} MB")
    if subject.figures and subject.figures.examples.dataset.unreadable:
        context.exit(ExitStatus.FAILED)


def _gather(path: str, checkpoint: "Checkpoint", data: str | None) -> "Subject":
    """Return the model and its evaluation; without its own data, the model alone."""
    from digitnet.dataset.definition import ReadOptions
    from digitnet.report.subject import GATHERING_STEPS, Subject, gather

    try:
        with step_bar(GATHERING_STEPS) as begin, preparing_bar() as bar:
            options = ReadOptions(parallel=True, report=bar)
            subject = gather(path, checkpoint, data, options, begin)
    except DataError as error:
        if data is not None:
            raise
        print_message(f"{error}; the report is without accuracy and mistakes")
        return Subject(path, checkpoint)
    if subject.figures:
        dataset = subject.figures.examples.dataset
        for remark in dataset.remarks:
            print_message(remark)
        print_unreadable(dataset.unreadable)
    return subject
