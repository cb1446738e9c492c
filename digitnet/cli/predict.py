"""`digitnet predict`."""

import codecs
import errno
import os
import sys
from collections.abc import Iterator
from itertools import chain, groupby, islice
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from digitnet.cli.options import SHARE, format_option, model_option, read_digits
from digitnet.cli.output import answer, answer_json, printable, say, silence_decoders
from digitnet.errors import DigitnetError, ExitStatus, ImageError
from digitnet.paths import why_missing

if TYPE_CHECKING:
    from digitnet.image.workers import NamedPicture
    from digitnet.model.numbers import Numbers
    from digitnet.model.prediction import Model, Prediction

TOGETHER = 1000  # names of a folder that are handed on together
CHUNK = 65536  # bytes of names read at once, at most; fewer where fewer are there
MOST_NAME = 4096  # bytes: the system opens no file whose name is so long
SHOWN = 60  # of them
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
    help="Read one number of N digits, or any: all numbers, in reading order. Default: one digit.",
)
@click.option(
    "--files-from",
    metavar="FILE",
    help="Read names of more pictures (no folders) from FILE, or - for stdin.",
)
@click.option("-0", "--null", is_flag=True, help="Names in --files-from end in NUL, not newline.")
@format_option("an object per picture.")
@click.option(
    "--top",
    metavar="K",
    type=click.IntRange(min=1),
    default=1,
    help="Give the K likeliest digits, each with its confidence.",
)
@click.option(
    "--min-confidence",
    metavar="P",
    type=SHARE,
    help="Answer ? (in JSON null) below this confidence, 0 to 1; 0 turns ? off. A blank picture "
    "and an empty box stay errors. Default: the model's own thresholds of confidence and evidence.",
)
@click.option("--show", is_flag=True, help="Draw what the network saw and what it makes of it.")
@click.option(
    "-v", "--verbose", is_flag=True, help="Say which model is used, and why an answer is ?."
)
@click.pass_context
def predict(
    context: click.Context,
    images: tuple[str, ...],
    model: str | None,
    digits: int | None,
    files_from: str | None,
    null: bool,
    form: str,
    top: int,
    min_confidence: float | None,
    show: bool,
    verbose: bool,
) -> None:
    """Tell which digit is on each picture, or ? where there seems to be none.

    IMAGE is a file, a folder for all pictures in it and below, or - for one picture on stdin. A
    picture that cannot be read is told on stderr; the others are answered, and the exit status is
    1. Confidence is a share, 0 to 1.
    """
    mistakes = {
        "Name a picture, or a list of them with --files-from.": not images and files_from is None,
        "Only one thing can be read from stdin.": images.count("-") + (files_from == "-") > 1,
        "-0 goes with --files-from.": null and files_from is None,
        "--show is for text, not for JSON.": show and form == "json",
        "--top is for one digit, not for --digits.": top > 1 and digits != 1,
    }
    for mistake, made in mistakes.items():
        if made:
            raise click.UsageError(mistake, context)
    from digitnet.config.threads import environment_threads, load_numpy

    load_numpy(environment_threads() or 1)
    silence_decoders()
    from digitnet.model.prediction import load

    reader = load(model)
    if min_confidence is not None:
        from dataclasses import replace

        calibration = reader.calibration._replace(min_confidence=min_confidence, min_evidence=0.0)
        reader = replace(reader, calibration=calibration)
    if verbose:
        say(f"model {reader.path}")
    batches = _batches(images, files_from, b"\0" if null else b"\n")
    status = ExitStatus.DONE
    for some in _answers(reader, batches, digits):
        for name, result in some:
            if isinstance(result, ImageError):
                status = ExitStatus.FAILED
                say(str(result))
                if form == "json":
                    answer_json({"path": name, "error": result.problem}, flush=False)
            elif digits == 1:
                _answer_digit(name, result, form, top, show, verbose, reader.path)
            else:
                _answer_numbers(name, result, form, show, reader.path)
        sys.stdout.flush()
    context.exit(status)


def _answers(
    reader: "Model", batches: Iterator["list[NamedPicture]"], digits: int | None
) -> Iterator[list[tuple[str, Any]]]:
    """Yield names with a `Prediction`, or for other digits than one `Numbers`, or an error."""
    from digitnet.image.workers import worker_count

    if digits == 1:
        return reader.answers(batches, processes=worker_count())
    return reader.number_answers(batches, digits, processes=worker_count())


def _answer_digit(
    name: str,
    prediction: "Prediction",
    form: str,
    top: int,
    show: bool,
    verbose: bool,
    model: str,
) -> None:
    if doubt := _doubt(prediction, verbose=verbose):
        say(f"{name}: {doubt}")
    if form == "json":
        answer_json(_as_json(name, prediction, top, model), flush=False)
    else:
        answer(_as_text(name, prediction, top, show), flush=False)


def _answer_numbers(name: str, numbers: "Numbers", form: str, show: bool, model: str) -> None:
    from digitnet.cli.numbers import as_json, as_text

    if numbers.doubt:
        say(f"{name}: {numbers.doubt}")
    if form == "json":
        answer_json(as_json(name, numbers, model), flush=False)
    else:
        answer(as_text(name, numbers, show), flush=False)


def _batches(
    images: tuple[str, ...], files_from: str | None, separator: bytes
) -> Iterator["list[NamedPicture]"]:
    """Names with their pictures, a path or what came of stdin: those of the command line, then
    those of the list, as many together as are there.
    """
    from digitnet.image.files import MAX_FILE_BYTES, pictures_below

    for kind, names in groupby(images, _kind):
        if kind == "folder":
            for name in names:
                paths = pictures_below(name)
                first = next(paths, name)  # an empty folder stands for itself: no picture
                yield from _together(chain([first], paths))
        else:
            yield [(n, _piped(MAX_FILE_BYTES + 1) if kind == "stdin" else n) for n in names]
    try:
        if files_from == "-":
            yield from _listed(_stdin(), separator)
        elif files_from is not None:
            with open(files_from, "rb") as file:
                yield from _listed(file, separator)
    except FileNotFoundError:
        raise DigitnetError(f"{files_from}: {why_missing(str(files_from))}") from None
    except OSError as error:
        raise DigitnetError(f"{files_from}: {error.strerror}") from None


def _kind(name: str) -> str:
    return "stdin" if name == "-" else "folder" if os.path.isdir(name) else "file"


def _together(paths: Iterator[str]) -> Iterator["list[NamedPicture]"]:
    while some := list(islice(paths, TOGETHER)):
        yield [(path, path) for path in some]


def _listed(file: BinaryIO, separator: bytes) -> Iterator["list[NamedPicture]"]:
    carriage_return = b"\r" if separator == b"\n" else b""  # in a list from elsewhere
    rest, told = b"", False  # told: the name in hand is too long, and has its answer
    begun = False
    while chunk := file.read1(CHUNK):  # type: ignore[attr-defined]
        if not begun:
            begun, chunk = True, chunk.removeprefix(codecs.BOM_UTF8)
        *names, rest = (rest + chunk).split(separator)
        if told and names:
            del names[0]
            told = False
        if not told and len(rest) >= MOST_NAME:
            names.append(rest)
            told = True
        if told:
            rest = b""
        yield [_named(name) for line in names if (name := line.removesuffix(carriage_return))]
    if name := rest.removesuffix(carriage_return):
        yield [_named(name)]


def _named(name: bytes) -> "NamedPicture":
    if len(name) < MOST_NAME:
        return os.fsdecode(name), os.fsdecode(name)
    return os.fsdecode(name[:SHOWN]) + "…", "-" * MOST_NAME  # the system says what is wrong


def _piped(most: int) -> bytes | ImageError:
    """The bytes on stdin, so many of them at most, or why there are none."""
    try:
        return _stdin().read(most)
    except OSError as error:
        return ImageError("-", str(error.strerror))


def _stdin() -> BinaryIO:
    if sys.stdin is None:
        raise OSError(errno.EBADF, "standard input is closed")
    return sys.stdin.buffer


def _doubt(prediction: "Prediction", *, verbose: bool) -> str | None:
    """Why it seems to be no digit; with `verbose`, also that it is too little like one."""
    if prediction.is_digit:
        return None
    digits = prediction.reading.digits
    if digits > 1:
        found = f"{digits} that may be"
        return f"expected one digit, found {found}; read a number with --digits any"
    _, least, least_evidence = prediction.calibration
    is_sure = prediction.confidence >= least
    if is_sure and prediction.evidence >= least_evidence:
        from digitnet.image.reading import PHOTO_ADVICE

        return f"expected one digit, found a line, or a part of something larger; {PHOTO_ADVICE}"
    if not verbose:
        return None
    if not is_sure:
        return f"expected a confidence of {least:.4f} or more, found {prediction.confidence:.4f}"
    return f"expected evidence of {least_evidence:.2f} or more, found {prediction.evidence:.2f}"


def _as_text(name: str, prediction: "Prediction", top: int, show: bool) -> str:
    fields = [printable(name)]
    for rank, (digit, confidence) in enumerate(prediction.top(top)):
        unsure = rank == 0 and not prediction.is_digit
        fields += ["?" if unsure else printable(str(digit)), f"{confidence:.4f}"]
    line = "\t".join(fields)
    if not show:
        return line
    from digitnet.cli.show import drawing

    return f"{line}\n{drawing(prediction)}"


def _as_json(name: str, prediction: "Prediction", top: int, model: str) -> dict[str, Any]:
    reading = prediction.reading
    value = {
        "path": name,
        "digit": prediction.digit,
        "confidence": prediction.confidence,
        "probabilities": prediction.probabilities.tolist(),
        "evidence": prediction.evidence,
        "doubt": _doubt(prediction, verbose=True),
        "box": dict(zip(("top", "left", "bottom", "right"), reading.box)),
        "decisions": {
            "dark": reading.dark,
            "threshold": reading.threshold,
            "stroke": reading.stroke,
            "corner": dict(zip(("top", "left"), reading.corner)),
            "digits": reading.digits,
            "prior": reading.prior,
        },
        "model": model,
    }
    if top > 1:
        value["top"] = [
            {"digit": digit, "confidence": confidence} for digit, confidence in prediction.top(top)
        ]
    return value
