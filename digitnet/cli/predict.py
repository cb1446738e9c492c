"""`digitnet predict`: read the digits in pictures."""

import sys
from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Any

import click

from digitnet.cli.options import FRACTION, format_option, model_option, read_digits
from digitnet.cli.output import (
    print_json,
    print_message,
    print_result,
    printable,
    silence_decoders,
)
from digitnet.cli.sources import ArrayFile, batches
from digitnet.errors import DataError, ExitStatus, ImageError

if TYPE_CHECKING:
    from digitnet.image.look import Reading
    from digitnet.image.workers import NamedPicture
    from digitnet.model.numbers import Numbers
    from digitnet.model.prediction import Model, Prediction

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
  find scans -name '*.png' -print0 | digitnet predict --files-from - -0
  digitnet predict *.png --format json | jq .digit
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
    show: bool,
    verbose: bool,
) -> None:
    """Read the digit in each picture.

    IMAGE is a picture, a folder (all pictures in it and its subfolders), - (one picture on stdin),
    or a file of prepared digits: CSV, IDX, .npy or .npz. Each picture gets one line: its path (or
    FILE#0, FILE#1, …), digit and confidence (0 to 1), separated by tabs. The digit is ? if the
    model is unsure, or if the picture seems to show no digit or several.

    A picture that cannot be read is an error on stderr. The other pictures are still answered, and
    the exit status is 1.
    """
    mistakes = {
        "Give at least one IMAGE, or --files-from.": not images and files_from is None,
        "stdin can be read only once.": images.count("-") + (files_from == "-") > 1,
        "-0 requires --files-from.": null and files_from is None,
        "--show requires --format text.": show and output_format == "json",
        "--top requires --digits 1.": top > 1 and digits != 1,
    }
    for mistake, made in mistakes.items():
        if made:
            raise click.UsageError(mistake, context)
    from digitnet.config.threads import environment_threads, load_numpy

    load_numpy(environment_threads() or 1)
    silence_decoders()
    from digitnet.model.checkpoint import load_checkpoint
    from digitnet.model.locations import find_model
    from digitnet.model.prediction import Model

    path = find_model(model)
    loaded = Model(load_checkpoint(path, hashed=output_format == "json"), path)
    if min_confidence is not None:
        loaded = loaded.with_thresholds(min_confidence, 0.0)
    if verbose:
        print_message(f"model {loaded.path}")
    found = batches(images, files_from, b"\0" if null else b"\n")
    status = ExitStatus.DONE
    for answers in _answers(loaded, found, digits):
        for name, result in answers:
            if isinstance(result, ImageError):
                status = ExitStatus.FAILED
                print_message(str(result))
                if output_format == "json":
                    print_json({"path": name, "error": result.problem}, flush=False)
            elif digits == 1:
                _print_digit(name, result, output_format, top, show, verbose, loaded)
            else:
                _print_numbers(name, result, output_format, show, loaded)
        sys.stdout.flush()
    context.exit(status)


def _answers(
    model: "Model", batches: Iterator["list[NamedPicture] | ArrayFile"], digits: int | None
) -> Iterator[list[tuple[str, Any]]]:
    """Yield batches of names, each with an ImageError, a `Prediction` (digits = 1) or `Numbers`."""
    from digitnet.image.workers import worker_count

    for is_arrays, group in groupby(batches, lambda batch: isinstance(batch, ArrayFile)):
        pictures: Any = group
        if is_arrays:
            for file in pictures:
                yield from _array_answers(model, file.path, digits)
        elif digits == 1:
            yield from model.answers(pictures, processes=worker_count())
        else:
            yield from model.number_answers(pictures, digits, processes=worker_count())


def _array_answers(
    model: "Model", path: str, digits: int | None
) -> Iterator[list[tuple[str, Any]]]:
    """Yield the answers to the pictures in a file of arrays, or the error of reading it."""
    from digitnet.model.array_files import answer_array_file

    if digits != 1:
        found = "found a file of arrays, each a single digit; leave out --digits"
        yield [(path, ImageError(path, f"expected a picture of numbers, {found}"))]
        return
    try:
        remarks, answers = answer_array_file(model, path)
    except DataError as error:
        yield [(path, ImageError(path, str(error).removeprefix(f"{path}: ")))]
        return
    for remark in remarks:
        print_message(remark)
    yield from answers


def _print_digit(
    name: str,
    prediction: "Prediction",
    output_format: str,
    top: int,
    show: bool,
    verbose: bool,
    model: "Model",
) -> None:
    from digitnet.model.doubt import picture_problem

    if verbose:
        doubt = prediction.doubt
    else:
        doubt = picture_problem(prediction.grounds, prediction.calibration)
    if doubt:
        print_message(f"{name}: {doubt}")
    if output_format == "json":
        print_json(_as_json(name, prediction, top, model), flush=False)
    else:
        print_result(_as_text(name, prediction, top, show), flush=False)


def _print_numbers(
    name: str, numbers: "Numbers", output_format: str, show: bool, model: "Model"
) -> None:
    from digitnet.cli.numbers import as_json, as_text

    if numbers.doubt:
        print_message(f"{name}: {numbers.doubt}")
    if output_format == "json":
        print_json(as_json(name, numbers, model), flush=False)
    else:
        print_result(as_text(name, numbers, show), flush=False)


def _as_text(name: str, prediction: "Prediction", top: int, show: bool) -> str:
    fields = [printable(name)]
    for rank, (digit, confidence) in enumerate(prediction.top(top)):
        is_doubtful = rank == 0 and not prediction.is_digit
        fields += ["?" if is_doubtful else printable(str(digit)), f"{confidence:.4f}"]
    line = "\t".join(fields)
    if not show:
        return line
    from digitnet.cli.show import drawing

    return f"{line}\n{drawing(prediction)}"


def _as_json(name: str, prediction: "Prediction", top: int, model: "Model") -> dict[str, Any]:
    reading, is_prepared = prediction.reading, prediction.is_prepared
    value = {
        "path": name,
        "digit": prediction.digit,
        "confidence": prediction.confidence,
        "probabilities": prediction.probabilities.tolist(),
        "evidence": prediction.evidence,
        "doubt": prediction.doubt,
        "box": None if is_prepared else dict(zip(("top", "left", "bottom", "right"), reading.box)),
        "decisions": None if is_prepared else _decisions_as_json(reading),
        "model": model.path,
        "model_sha256": model.checkpoint.sha256,
    }
    if top > 1:
        value["top"] = [
            {"digit": digit, "confidence": confidence} for digit, confidence in prediction.top(top)
        ]
    return value


def _decisions_as_json(reading: "Reading") -> dict[str, Any]:
    return {
        "dark": reading.dark,
        "threshold": reading.threshold,
        "stroke": reading.stroke,
        "corner": dict(zip(("top", "left"), reading.corner)),
        "digits": reading.digits,
        "prior": reading.prior,
    }
