"""`digitnet predict`: read the digits in pictures."""

import codecs
import errno
import os
import sys
from collections.abc import Iterator
from itertools import chain, groupby, islice
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from digitnet.cli.options import FRACTION, format_option, model_option, read_digits
from digitnet.cli.output import (
    print_json,
    print_message,
    print_result,
    printable,
    silence_decoders,
)
from digitnet.errors import DigitnetError, ExitStatus, ImageError
from digitnet.paths import why_missing

if TYPE_CHECKING:
    from digitnet.image.workers import NamedPicture
    from digitnet.model.numbers import Numbers
    from digitnet.model.prediction import Model, Prediction

FOLDER_BATCH = 1000  # paths of a folder per batch
LIST_CHUNK = 65536  # bytes of a list read at once, at most
PATH_MAX = 4096  # bytes: Linux opens no file with a path of this length
SHOWN_PATH = 60  # bytes of a longer path in messages
EPILOG = """
\b
Examples
  digitnet predict four.png
  cat four.png | digitnet predict -
  digitnet predict --show four.png
  digitnet predict --digits 5 zip-code.png
  digitnet predict --digits any table.jpg
  digitnet predict scans/
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

    IMAGE is a picture, a folder (all pictures in it and its subfolders), or - (one picture on
    stdin). Each picture gets one line: its path, digit and confidence (0 to 1), separated by tabs.
    The digit is ? if the model is unsure, or if the picture seems to show no digit or several.

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
    batches = _batches(images, files_from, b"\0" if null else b"\n")
    status = ExitStatus.DONE
    for answers in _answers(loaded, batches, digits):
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
    model: "Model", batches: Iterator["list[NamedPicture]"], digits: int | None
) -> Iterator[list[tuple[str, Any]]]:
    """Yield batches of names, each with an ImageError, a `Prediction` (digits = 1) or `Numbers`."""
    from digitnet.image.workers import worker_count

    if digits == 1:
        return model.answers(batches, processes=worker_count())
    return model.number_answers(batches, digits, processes=worker_count())


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


def _batches(
    images: tuple[str, ...], files_from: str | None, separator: bytes
) -> Iterator["list[NamedPicture]"]:
    """Yield names, each with its picture: a path, or bytes or an error from stdin.

    IMAGEs come first, then the list. A batch holds what can be read without waiting.
    """
    from digitnet.image.files import MAX_FILE_BYTES, pictures_below

    for kind, names in groupby(images, _kind_of_image):
        if kind == "folder":
            for name in names:
                paths = pictures_below(name)
                first = next(paths, name)  # an empty folder becomes an error
                yield from _folder_batches(chain([first], paths))
        else:
            yield [(n, _read_stdin(MAX_FILE_BYTES + 1) if kind == "stdin" else n) for n in names]
    try:
        if files_from == "-":
            yield from _list_batches(_stdin(), separator)
        elif files_from is not None:
            with open(files_from, "rb") as file:
                yield from _list_batches(file, separator)
    except FileNotFoundError:
        raise DigitnetError(f"{files_from}: {why_missing(str(files_from))}") from None
    except OSError as error:
        raise DigitnetError(f"{files_from}: {error.strerror}") from None


def _kind_of_image(name: str) -> str:
    return "stdin" if name == "-" else "folder" if os.path.isdir(name) else "file"


def _folder_batches(paths: Iterator[str]) -> Iterator["list[NamedPicture]"]:
    while batch := list(islice(paths, FOLDER_BATCH)):
        yield [(path, path) for path in batch]


def _list_batches(file: BinaryIO, separator: bytes) -> Iterator["list[NamedPicture]"]:
    """Yield the paths of a list as they arrive, using little memory for a path of any length."""
    carriage_return = b"\r" if separator == b"\n" else b""  # lists from Windows
    rest, skipping = b"", False  # skipping: the current path is too long and already yielded
    is_first = True
    while chunk := file.read1(LIST_CHUNK):  # type: ignore[attr-defined]
        if is_first:
            is_first, chunk = False, chunk.removeprefix(codecs.BOM_UTF8)
        *lines, rest = (rest + chunk).split(separator)
        if skipping and lines:
            del lines[0]
            skipping = False
        if not skipping and len(rest) >= PATH_MAX:
            lines.append(rest)
            skipping = True
        if skipping:
            rest = b""
        yield [_named(path) for line in lines if (path := line.removesuffix(carriage_return))]
    if path := rest.removesuffix(carriage_return):
        yield [_named(path)]


def _named(path: bytes) -> "NamedPicture":
    if len(path) < PATH_MAX:
        return os.fsdecode(path), os.fsdecode(path)
    return os.fsdecode(path[:SHOWN_PATH]) + "…", "-" * PATH_MAX  # opening it gives the error


def _read_stdin(limit: int) -> bytes | ImageError:
    """Return at most `limit` bytes of stdin, or the error of reading it."""
    try:
        return _stdin().read(limit)
    except OSError as error:
        return ImageError("-", str(error.strerror))


def _stdin() -> BinaryIO:
    if sys.stdin is None:
        raise OSError(errno.EBADF, "standard input is closed")
    return sys.stdin.buffer


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
    reading = prediction.reading
    value = {
        "path": name,
        "digit": prediction.digit,
        "confidence": prediction.confidence,
        "probabilities": prediction.probabilities.tolist(),
        "evidence": prediction.evidence,
        "doubt": prediction.doubt,
        "box": dict(zip(("top", "left", "bottom", "right"), reading.box)),
        "decisions": {
            "dark": reading.dark,
            "threshold": reading.threshold,
            "stroke": reading.stroke,
            "corner": dict(zip(("top", "left"), reading.corner)),
            "digits": reading.digits,
            "prior": reading.prior,
        },
        "model": model.path,
        "model_sha256": model.checkpoint.sha256,
    }
    if top > 1:
        value["top"] = [
            {"digit": digit, "confidence": confidence} for digit, confidence in prediction.top(top)
        ]
    return value
