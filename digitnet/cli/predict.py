"""`digitnet predict`: read the digits in pictures."""

import click

from digitnet.cli.answers import Answering
from digitnet.cli.options import FRACTION, format_option, model_option, read_digits
from digitnet.cli.output import print_message, silence_decoders
from digitnet.cli.parts import Part, part_batches, read_part
from digitnet.cli.sources import all_batches, find_sources
from digitnet.errors import ExitStatus
from digitnet.paths import kind_of

EPILOG = """
\b
Examples
  digitnet predict four.png
  cat four.png | digitnet predict -
  digitnet predict --show four.png
  digitnet predict --digits 5 zip-code.png
  digitnet predict --digits any table.jpg
  digitnet predict scans/
  digitnet predict test.csv
  digitnet predict scans/ --save-prepared prepared/
  find scans -name '*.png' -print0 | digitnet predict --files-from - -0
  digitnet predict *.png --format json | jq .digit
  digitnet predict --files-from list --part 3/8 --format json -o 3.json --resume
"""


@click.command(epilog=EPILOG)
@click.argument("images", metavar="IMAGE...", nargs=-1)
@model_option
@click.option(
    "--digits",
    metavar="N|any",
    default="1",
    callback=read_digits,
    help="N: read one number of N digits. any: read all numbers, in reading order. Default: 1.",
)
@click.option(
    "--files-from",
    metavar="FILE",
    help="Read paths of more pictures, one per line, from FILE, or from stdin if FILE is -. "
    "Paths of folders are errors.",
)
@click.option("-0", "--null", is_flag=True, help="Paths in --files-from end in NUL, not newline.")
@format_option("one object per picture.")
@click.option(
    "--top",
    metavar="K",
    type=click.IntRange(min=1),
    default=1,
    help="Print the K most likely digits, each with its confidence. Default: 1.",
)
@click.option(
    "--min-confidence",
    metavar="P",
    type=FRACTION,
    help="Answer ? (null in JSON) below this confidence; 0: never, except for numbers. Blank "
    "pictures and empty boxes are always errors. Default: the model's own thresholds for "
    "confidence and evidence.",
)
@click.option(
    "--part",
    metavar="K/N|auto",
    callback=read_part,
    help="Answer only the K-th of N equal parts of all pictures, in order. auto: K and N of this "
    "job in a Slurm array.",
)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    help="Write the answers to FILE, which must not exist; it appears when it is complete. "
    "The exit status is then 4, not 1, if some pictures could not be read.",
)
@click.option(
    "--resume",
    is_flag=True,
    help="Go on with the answers that a stopped run with -o has left; keep a complete FILE. "
    "Requires --format json.",
)
@click.option(
    "--save-prepared",
    metavar="FOLDER",
    help="Also write what the network sees of each picture, 28×28 pixels, as a PNG: of a/4.jpg to "
    "FOLDER/a/4.jpg.png. Files that exist are never changed. Requires --digits 1.",
)
@click.option("--show", is_flag=True, help="Also draw what the network saw and its probabilities.")
@click.option(
    "-v",
    "--verbose",
    is_flag=True,
    help="Print the path of the model, and why a digit is ?, to stderr.",
)
@click.pass_context
def predict(
    context: click.Context,
    images: tuple[str, ...],
    model: str | None,
    digits: int | None,
    files_from: str | None,
    null: bool,
    output_format: str,
    top: int,
    min_confidence: float | None,
    part: Part | None,
    output: str | None,
    resume: bool,
    save_prepared: str | None,
    show: bool,
    verbose: bool,
) -> None:
    """Read the digit in each picture.

    IMAGE is a picture, a folder (all pictures in it and its subfolders), - (one picture on stdin),
    or a file of prepared digits: CSV, IDX, .npy or .npz. Each picture gets one line: its path (or
    FILE#0, FILE#1, …), digit and confidence (0 to 1), separated by tabs. The digit is ? if the
    model is unsure, or if the picture seems to show no digit or several.

    A picture that cannot be read is an error on stderr. The other pictures are still answered, and
    the exit status is 1; with -o, it is 4.
    """
    mistakes = {
        "Give at least one IMAGE, or --files-from.": not images and files_from is None,
        "stdin can be read only once.": images.count("-") + (files_from == "-") > 1,
        "-0 requires --files-from.": null and files_from is None,
        "--show requires --format text.": show and output_format == "json",
        "--top requires --digits 1.": top > 1 and digits != 1,
        "--save-prepared requires --digits 1.": save_prepared is not None and digits != 1,
        "--resume requires -o FILE.": resume and output is None,
        "--resume requires --format json.": resume and output_format == "text",
        "--part counts the pictures first, which needs files: expected no stdin and no pipe; write "
        "the list to a file.": part is not None and _reads_stream(images, files_from),
    }
    for mistake, made in mistakes.items():
        if made:
            raise click.UsageError(mistake, context)
    from digitnet.config.threads import load_numpy

    load_numpy(1)  # more threads of BLAS would change the last digits of the probabilities
    silence_decoders()
    from digitnet.model.checkpoint import load_checkpoint
    from digitnet.model.locations import find_model
    from digitnet.model.prediction import Model

    path = find_model(model)
    if output is not None:
        from digitnet.cli.answer_file import check_answer_file

        check_answer_file(output, filter(None, (path, *images, files_from)))
    loaded = Model(load_checkpoint(path, hashed=output_format == "json"), path)
    if min_confidence is not None:
        loaded = loaded.with_thresholds(min_confidence, 0.0)
    if verbose:
        print_message(f"model {loaded.path}")
    prepared = None
    if save_prepared is not None:
        from digitnet.cli.prepared import open_prepared_folder

        prepared = open_prepared_folder(save_prepared, images)
    answering = Answering(loaded, digits, output_format == "json", top, show, verbose, prepared)
    sources = find_sources(images, files_from, b"\0" if null else b"\n", digits)
    batches = all_batches(sources) if part is None else part_batches(list(sources), part)
    if output is not None:
        from digitnet.cli.answer_file import write_answers

        context.exit(write_answers(output, batches, answering, resume=resume))
    context.exit(ExitStatus.DONE if answering.print_answers(batches) else ExitStatus.FAILED)


def _reads_stream(images: tuple[str, ...], files_from: str | None) -> bool:
    """Return whether IMAGE or the list is stdin or a pipe, which can be read only once."""
    names = [*images, *([files_from] if files_from else [])]
    return "-" in names or (files_from is not None and kind_of(files_from) == "other")
