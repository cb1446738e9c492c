"""Decide whether a report can be written to a path."""

from collections.abc import Iterable

from digitnet.errors import DigitnetError, OutputError
from digitnet.paths import file_to_write, same_file

GENERATOR = '<meta name="generator" content="digitnet'  # stands in the head of every report
HEAD = 4096  # bytes of a file that are searched for it


def require_jinja() -> None:
    """Raise DigitnetError if Jinja2, which fills the page in, is not installed."""
    try:
        import jinja2  # noqa: F401
    except ModuleNotFoundError:
        raise DigitnetError(
            "report: expected Jinja2 to be installed, found none; "
            "pip install 'digitnet[report]', or use --text"
        ) from None


def check_output(output: str, sources: Iterable[str], *, overwrite: bool) -> None:
    """Raise OutputError if a report must not be written to `output`.

    An older report may be replaced, another file only with `overwrite`, and the sources never.
    sources: paths of the model and of its data.
    """
    exists = file_to_write(output)
    if any(same_file(output, source) for source in sources):
        problem = "expected another file than the model and its data; name it with -o"
        raise OutputError(f"{output}: {problem}")
    if exists and not overwrite and not _may_replace(output):
        raise OutputError(
            f"{output}: expected an older report to replace, found another file; "
            "name another file with -o, or use --overwrite"
        )


def _may_replace(output: str) -> bool:
    try:
        with open(output, "rb") as file:
            head = file.read(HEAD)
    except OSError as error:
        raise OutputError(f"{output}: cannot be read: {error.strerror or error}") from None
    return not head or GENERATOR.encode() in head
