"""Write answers to a file: complete or not at all, and go on with those of a stopped run."""

import contextlib
import json
import os
import sys
from collections.abc import Iterable, Iterator
from itertools import chain, islice

from digitnet.cli.answers import Answering
from digitnet.cli.output import Lines, print_message
from digitnet.cli.sources import ArrayFile, Batch, array_count
from digitnet.errors import Busy, ExitStatus, OutputError
from digitnet.paths import (
    discard_unfinished,
    file_to_write,
    flush_folder,
    resolve_output,
    same_file,
    status_at,
)
from digitnet.session.lock import lock_output
from digitnet.session.signals import stoppable

UNFINISHED = ".unfinished"  # suffix of the file until all pictures are answered
JSON_START = b'{"path": '  # first bytes of answers in JSON


def check_answer_file(output: str, sources: Iterable[str]) -> None:
    """Raise OutputError if no answers can be written to `output`.

    sources: paths of the model, the pictures and the list, which must be other files.
    """
    written = output, resolve_output(output) + UNFINISHED
    for path in written:
        file_to_write(path)
    if any(same_file(path, source) for source in sources for path in written):
        problem = "expected a new file, found one that is read; name another file with -o"
        raise OutputError(f"{output}: {problem}")


def write_answers(
    output: str, batches: Iterable[Batch], answering: Answering, *, resume: bool
) -> ExitStatus:
    """Write the answers to all pictures to a new file; return SOME_UNREADABLE after errors.

    The file gets its name when it is complete. If the run is stopped or fails, answers in JSON stay
    in `output` + UNFINISHED, and `resume` goes on after them.

    Raises OutputError if the file cannot be written, or exists; with `resume`, if it is incomplete,
    or if earlier answers are not those to the first pictures. Raises Busy if another process is
    writing the file, and Stopped after SIGHUP, SIGINT and SIGTERM.
    """
    left = "--resume goes on" if answering.as_json else "nothing was written"
    with stoppable(output, left), _locked(output):
        if file_to_write(output):
            if not resume:
                advice = "--resume keeps it if it is complete" if answering.as_json else "remove it"
                raise OutputError(f"{output}: expected a new file, found an existing one; {advice}")
            all_read = _check_complete(output, batches, answering)
        else:
            all_read = _write(output, batches, answering, resume=resume)
    return ExitStatus.DONE if all_read else ExitStatus.SOME_UNREADABLE


@contextlib.contextmanager
def _locked(output: str) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(lock_output(output))
        except Busy:
            raise Busy(f"{output}: another predict is writing it; try later") from None
        yield


def _check_complete(output: str, batches: Iterable[Batch], answering: Answering) -> bool:
    """Return whether the answers of a complete file have no error."""
    answers = EarlierAnswers(output, output, answering)
    for _ in answers.remaining(batches):
        problem = f"expected an answer to each picture, found only the first {answers.count:,}"
        raise OutputError(f"{output}: {problem}; remove it, or name another file with -o")
    print_message(f"{output}: complete, with {answers.count:,} answers; nothing to do")
    return answers.all_read


def _write(output: str, batches: Iterable[Batch], answering: Answering, *, resume: bool) -> bool:
    """Write the answers and put the file in its place; return whether there was no error."""
    path, start, all_read = resolve_output(output), 0, True
    if resume and status_at(path + UNFINISHED):
        answers = EarlierAnswers(path + UNFINISHED, output + UNFINISHED, answering)
        remaining = answers.remaining(batches)
        batches = chain(list(islice(remaining, 1)), remaining)  # reads all earlier answers
        print_message(f"{output}: goes on after {answers.count:,} answers")
        start, all_read = answers.end, answers.all_read
    else:
        _discard_unfinished(output, path, answering)
    with _appending(path + UNFINISHED, output, start, keep=answering.as_json):
        all_read &= answering.print_answers(batches)
        if file_to_write(output):
            raise OutputError(f"{output}: expected a new file, found one that was made meanwhile")
    with _reporting(output):
        os.rename(path + UNFINISHED, path)
        flush_folder(os.path.dirname(path))
    return all_read


@contextlib.contextmanager
def _reporting(output: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(f"{output}: cannot be written: {error.strerror or error}") from None


def _discard_unfinished(output: str, path: str, answering: Answering) -> None:
    """Remove what a stopped run has left, unless --resume could go on with it."""
    with contextlib.suppress(FileNotFoundError), open(path + UNFINISHED, "rb") as file:
        if file.read(len(JSON_START)) == JSON_START:
            problem = f"{output}{UNFINISHED}: expected no file, found answers of a stopped run"
            goes_on = "--resume goes on after them, or remove it"
            raise OutputError(f"{problem}; {goes_on if answering.as_json else 'remove it'}")
    discard_unfinished(path, UNFINISHED)


@contextlib.contextmanager
def _appending(path: str, name: str, start: int, *, keep: bool) -> Iterator[None]:
    """Append what is printed to stdout to the first `start` bytes of a file; flush it to disk.

    After an error, the file stays if `keep` is set and something was written. name: what messages
    call the file.
    """
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    with _reporting(name):
        descriptor = os.open(path, flags, 0o666)
        os.ftruncate(descriptor, start)
    lines = Lines(name, descriptor, sys.stdout.encoding)
    try:
        with contextlib.redirect_stdout(lines):
            yield
        with _reporting(name):
            lines.flush()
            os.fsync(descriptor)
    except BaseException:
        with contextlib.suppress(OSError):
            lines.flush()
        with contextlib.suppress(OSError):
            if not (keep and os.fstat(descriptor).st_size):
                os.unlink(path)
        raise
    finally:
        lines.descriptor = None  # the system may give its number to another file
        os.close(descriptor)


class EarlierAnswers:
    """Answers in JSON that an earlier run has written, read beside the pictures they answer.

    count: answers read so far, and `end` their bytes. all_read: whether none of them is an error.
    """

    def __init__(self, path: str, name: str, answering: Answering) -> None:
        self.count, self.end, self.all_read = 0, 0, True
        self._path, self._name, self._answering = path, name, answering

    def remaining(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """Yield the pictures that have no answer, after all answers are read.

        Raises OutputError for answers to other pictures, and for those of another model or form. A
        last line without its end is no answer.
        """
        batches = iter(batches)
        with open(self._path, "rb") as file:
            for batch in batches:
                n, names = self._names(batch)
                begin = self.count
                self._check_answers(names, file)
                done = self.count - begin
                if done < n:
                    yield _without_first(batch, done)
                    break
            else:
                if file.readline().endswith(b"\n"):
                    raise self._error("expected the end, found answers to more pictures")
        yield from batches

    def _names(self, batch: Batch) -> tuple[int, Iterable[str]]:
        """Return the number and the names of the pictures in a batch."""
        if not isinstance(batch, ArrayFile):
            return len(batch), [name for name, _ in batch]
        pictures = array_count(batch.path) if self._answering.digits == 1 else 0
        if not pictures:
            return 1, [batch.path]
        numbers = range(pictures)[batch.first : batch.last]
        return len(numbers), (f"{batch.path}#{number}" for number in numbers)

    def _check_answers(self, names: Iterable[str], lines: Iterable[bytes]) -> None:
        """Read an answer for each name, or as many as there are."""
        for name, line in zip(names, lines):
            if not line.endswith(b"\n"):
                return
            answer = _parsed(line)
            if answer.get("path") != name:
                found = repr(answer["path"]) if "path" in answer else "something else"
                raise self._error(f"expected the answer to {name!r}, found {found}")
            if not self._answering.may_have_printed(answer):
                raise self._error("expected an answer of this model in this form, found another")
            self.all_read &= "error" not in answer
            self.end += len(line)
            self.count += 1

    def _error(self, problem: str) -> OutputError:
        advice = "use the same pictures, model and options, or remove the file"
        return OutputError(f"{self._name}: line {self.count + 1}: {problem}; {advice}")


def _without_first(batch: Batch, n: int) -> Batch:
    if isinstance(batch, ArrayFile):
        return ArrayFile(batch.path, batch.first + n, batch.last)
    return batch[n:]


def _parsed(line: bytes) -> dict[str, object]:
    """Return the JSON object in a line; an empty one for anything else."""
    try:
        answer = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}
