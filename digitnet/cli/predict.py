"""`digitnet predict`."""

import os
import sys
from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from digitnet.cli.options import SHARE, format_option, model_option
from digitnet.cli.output import answer, answer_json, flush_answers, printable, say
from digitnet.errors import DigitnetError, ExitStatus

if TYPE_CHECKING:
    from digitnet.prediction import Prediction

CHUNK = 65536  # bytes of names read at once, at most; fewer where fewer are there
EPILOG = """
\b
Examples
  digitnet predict four.png
  cat four.png | digitnet predict -
  find scans -name '*.png' -print0 | digitnet predict --files-from - -0
  digitnet predict *.png --format json | jq .digit
"""


@click.command(epilog=EPILOG)
@click.argument("images", metavar="IMAGE...", nargs=-1)
@model_option
@click.option("--files-from", metavar="FILE", help="Read more names from FILE, or - for stdin.")
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
    default=0,
    help="Answer ? (in JSON null) where the confidence is below P, 0 to 1.",
)
@click.option("-v", "--verbose", is_flag=True, help="Say which model is used.")
@click.pass_context
def predict(
    context: click.Context,
    images: tuple[str, ...],
    model: str | None,
    files_from: str | None,
    null: bool,
    form: str,
    top: int,
    min_confidence: float,
    verbose: bool,
) -> None:
    """Tell which digit is on each picture. IMAGE is a file, or - for one picture on stdin.

    A picture that cannot be read is told on stderr; the others are answered, and the exit status
    is 1. Confidence is a share, 0 to 1.
    """
    if not images and files_from is None:
        raise click.UsageError("Name a picture, or a list of them with --files-from.", context)
    if images.count("-") + (files_from == "-") > 1:
        raise click.UsageError("Only one thing can be read from stdin.", context)
    if null and files_from is None:
        raise click.UsageError("-0 goes with --files-from.", context)
    from digitnet.threads import environment_threads, limit_blas

    limit_blas(environment_threads() or 1)
    from digitnet.prediction import load
    from digitnet.workers import available

    reader = load(model)
    if verbose:
        say(f"model {reader.path}")
    batches = _batches(images, files_from, b"\0" if null else b"\n")
    status = ExitStatus.DONE
    for answers in reader.answers(batches, processes=available()):
        for name, result in answers:
            if isinstance(result, DigitnetError):
                status = ExitStatus.FAILED
                flush_answers()  # those before it come first, where both streams are one
                say(str(result))
                if form == "json":
                    answer_json({"path": name, "error": result.problem}, flush=False)
            elif form == "json":
                value = _as_json(name, result, top, min_confidence, reader.path)
                answer_json(value, flush=False)
            else:
                answer(_as_text(name, result, top, min_confidence), flush=False)
        flush_answers()
    context.exit(status)


def _batches(
    images: tuple[str, ...], files_from: str | None, separator: bytes
) -> Iterator[list[tuple[str, str | bytes]]]:
    """Names with their pictures, a path or the bytes on stdin: those of the command line, then
    those of the list, as many together as are there.
    """
    from digitnet.image import MAX_BYTES

    for is_stdin, names in groupby(images, lambda name: name == "-"):
        yield [(name, _stdin().read(MAX_BYTES + 1) if is_stdin else name) for name in names]
    if files_from == "-":
        yield from _listed(_stdin(), separator)
    elif files_from is not None:
        try:
            with open(files_from, "rb") as file:
                yield from _listed(file, separator)
        except OSError as error:
            raise DigitnetError(f"{files_from}: {error.strerror}") from None


def _listed(file: BinaryIO, separator: bytes) -> Iterator[list[tuple[str, str | bytes]]]:
    rest = b""
    while chunk := file.read1(CHUNK):  # type: ignore[attr-defined]
        *names, rest = (rest + chunk).split(separator)
        yield [(os.fsdecode(name), os.fsdecode(name)) for name in names if name]
    if rest:
        yield [(os.fsdecode(rest), os.fsdecode(rest))]


def _stdin() -> BinaryIO:
    if sys.stdin is None:
        raise DigitnetError("standard input is closed")
    return sys.stdin.buffer


def _as_text(name: str, prediction: "Prediction", top: int, min_confidence: float) -> str:
    pairs = prediction.top(top)
    fields = [printable(name)]
    for rank, (digit, confidence) in enumerate(pairs):
        unsure = rank == 0 and confidence < min_confidence
        fields += ["?" if unsure else printable(str(digit)), f"{confidence:.4f}"]
    return "\t".join(fields)


def _as_json(
    name: str, prediction: "Prediction", top: int, min_confidence: float, model: str
) -> dict[str, Any]:
    value = {
        "path": name,
        "digit": prediction.digit if prediction.is_sure(min_confidence) else None,
        "confidence": prediction.confidence,
        "probabilities": prediction.probabilities.tolist(),
        "model": model,
    }
    if top > 1:
        value["top"] = [
            {"digit": digit, "confidence": confidence} for digit, confidence in prediction.top(top)
        ]
    return value
